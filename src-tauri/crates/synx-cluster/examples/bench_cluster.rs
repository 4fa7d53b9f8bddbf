//! Durable events per second of one, two and three nodes over one NATS server and over three that each keep everything, beside the
//! embedded log, and how long each append took.
//!
//! `cargo run --release -p synx-cluster --example bench_cluster -- [FOLDER] [SECONDS] [ROUNDS]`. Prints one
//! JSON object a line. Each round measures everything once, in turn, with a probe of the disk beside each: its state decides
//! the figures. All on one machine: nodes are logs of one process, and share its processors and its disk with the servers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use futures_util::FutureExt;
use futures_util::stream::{FuturesOrdered, StreamExt};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use synx_cluster::testing::NatsServer;
use synx_cluster::{ClusterOptions, JetStreamStore};
use synx_domain::{CommandId, EventId, NewEvent, RoomEvent, RoomId, UserId};
use synx_log::{Log, LogOptions};
use synx_testkit::cpu_s;
use tempfile::TempDir;

/// As in `log-append` and `server append`.
const SENDERS: usize = 64;

/// What is loaded: how many rooms the senders are spread over, and how many appends each has outstanding.
#[derive(Clone, Copy)]
struct Load {
    rooms: usize,
    depth: usize,
}

/// What the log is kept in: nodes over NATS servers that each keep everything, or the embedded one where there are none.
#[derive(Clone, Copy)]
struct Store {
    nodes: usize,
    servers: usize,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let time = Duration::from_secs_f64(args.next().map_or(3.0, |text| text.parse().expect("seconds")));
    let rounds = args.next().map_or(1, |text| text.parse().expect("rounds"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let loads = [(64, 1), (64, 16), (1, 1), (1, 16)].map(|(rooms, depth)| Load { rooms, depth });
    let stores =
        [(0, 0), (1, 1), (2, 1), (3, 1), (1, 3), (3, 3)].map(|(nodes, servers)| Store { nodes, servers });
    for _ in 0..rounds {
        for load in loads {
            for store in stores {
                let scratch = tempfile::tempdir_in(&folder).unwrap();
                let sync_ms = probe(scratch.path());
                let figures = runtime.block_on(measure(scratch.path(), store, load, time));
                let Load { rooms, depth } = load;
                let Store { nodes, servers } = store;
                let store = if nodes == 0 { "embedded" } else { "cluster" };
                println!(
                    "{{\"store\":\"{store}\",\"nodes\":{nodes},\"servers\":{servers},\"senders\":{SENDERS},\"rooms\":{rooms},\"depth\":{depth},\"fdatasync_ms\":{sync_ms:.3},{figures}}}"
                );
            }
        }
    }
}

/// Median time of a synced write of 4 KiB.
fn probe(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("probe")).unwrap();
    let mut took: Vec<_> = (0..200)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&[0; 4096]).unwrap();
            file.sync_data().unwrap();
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[took.len() / 2].as_secs_f64() * 1e3
}

/// The logs to append to.
fn logs(folder: &Path, store: Store) -> (Vec<Log>, Vec<NatsServer>, Vec<TempDir>) {
    if store.nodes == 0 {
        let log = Log::open(&folder.join("log.db"), LogOptions::default()).unwrap();
        return (vec![log], Vec::new(), Vec::new());
    }
    let servers = NatsServer::start_in(folder, store.servers);
    let copies: Vec<_> = (0..store.nodes).map(|_| tempfile::tempdir_in(folder).unwrap()).collect();
    let open = |copy: &TempDir| {
        let urls = servers.iter().map(NatsServer::url).collect();
        let options = ClusterOptions::new(urls, copy.path().join("copy.db"));
        let store = JetStreamStore::open(ClusterOptions { replicas: store.servers, ..options }).unwrap();
        Log::over(Arc::new(store), LogOptions::default()).unwrap()
    };
    (copies.iter().map(open).collect(), servers, copies)
}

async fn measure(folder: &Path, store: Store, load: Load, time: Duration) -> String {
    let folder = folder.to_owned();
    let opened = tokio::task::spawn_blocking(move || logs(&folder, store)).await.unwrap();
    let (logs, servers, _copies) = &opened;
    let rooms: Vec<_> = (0..load.rooms).map(|_| Room::default()).collect();
    // This process is the nodes, and who appends.
    let cpu_s = || (cpu_s(std::process::id()), servers.iter().map(|server| cpu_s(server.id())).sum::<f64>());
    let (start, (nodes_s, nats_s)) = (Instant::now(), cpu_s());
    // A room is on one node: what several nodes do in one room is a matter of conflicts, not of the store.
    let senders = (0..SENDERS).map(|number| {
        let room = rooms[number % load.rooms].clone();
        let log = logs[number % load.rooms % logs.len()].clone();
        tokio::spawn(send(log, room, load.depth, start + time))
    });
    let mut took = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        took.extend(sender.await.unwrap());
    }
    let (elapsed, (nodes_end_s, nats_end_s)) = (start.elapsed().as_secs_f64(), cpu_s());
    took.sort_unstable();
    let us_per_event = |cpu_s: f64| cpu_s * 1e6 / took.len() as f64;
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let figures = format!(
        "\"events_per_s\":{:.0},\"p50_ms\":{:.2},\"p99_ms\":{:.2},\"us_per_event\":{:.1},\"nats_us_per_event\":{:.1}",
        took.len() as f64 / elapsed,
        at(0.5),
        at(0.99),
        us_per_event(nodes_end_s - nodes_s),
        us_per_event(nats_end_s - nats_s),
    );
    logs.iter().cloned().for_each(Log::close);
    figures
}

/// A room and where its log ends, once all that was sent is in it.
#[derive(Clone)]
struct Room {
    id: RoomId,
    sent: Arc<tokio::sync::Mutex<u64>>,
}

impl Default for Room {
    fn default() -> Self {
        Self { id: RoomId::from_uuid(uuid::Uuid::now_v7()), sent: Arc::default() }
    }
}

/// Appends to the room, always `depth` at a time, until the time is up; how long each append took.
async fn send(log: Log, room: Room, depth: usize, until: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut outstanding = FuturesOrdered::new();
    loop {
        while outstanding.len() < depth && Instant::now() < until {
            outstanding.push_back(append(log.clone(), room.clone()).await);
        }
        match outstanding.next().await {
            Some(one) => took.push(one),
            None => return took,
        }
    }
}

/// Begins an append behind all that were begun before it in the room.
async fn append(log: Log, room: Room) -> impl Future<Output = Duration> {
    let start = Instant::now();
    let mut sent = room.sent.lock().await;
    let (id, expected) = (room.id, *sent);
    let mut appended = Box::pin(async move { log.append(id, expected, vec![message(expected)]).await });
    // Appends are carried out in the order in which they are first polled. Where nothing is synced one may be done by then.
    let at_once = (&mut appended).now_or_never();
    *sent += 1;
    drop(sent);
    async move {
        match at_once {
            Some(done) => done,
            None => appended.await,
        }
        .unwrap();
        start.elapsed()
    }
}

fn message(number: u64) -> NewEvent {
    NewEvent {
        event_id: EventId::from_uuid(uuid::Uuid::now_v7()),
        actor: UserId::from_uuid(uuid::Uuid::from_u128(7)),
        command_id: Some(CommandId::from_uuid(uuid::Uuid::now_v7())),
        occurred_at_ms: 1_800_000_000_000,
        event: RoomEvent::ChatMessagePosted {
            text: format!("{number}: what a bass line, and what a snare!"),
        },
    }
}
