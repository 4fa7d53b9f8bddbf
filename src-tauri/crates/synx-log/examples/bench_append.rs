//! Durable events per second, and how long each append took, for 64 senders with 1 and 16 appends outstanding.
//!
//! `cargo run --release -p synx-log --example bench_append -- [FOLDER] [SECONDS]`. Prints one JSON object a line; a probe of
//! the disk goes with each, because its state decides the figures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use futures_util::stream::{FuturesOrdered, StreamExt};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_domain::{CommandId, EventId, NewEvent, RoomEvent, RoomId, UserId};
use synx_log::{Log, LogOptions};
use uuid::Uuid;

const SENDERS: usize = 64;

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = args.next().map_or(3.0, |text| text.parse().expect("seconds"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for depth in [1, 16] {
        let scratch = tempfile::tempdir_in(&folder).unwrap();
        let sync_ms = probe(scratch.path());
        let result = runtime.block_on(run(scratch.path(), depth, Duration::from_secs_f64(seconds)));
        println!("{{\"senders\":{SENDERS},\"depth\":{depth},\"fdatasync_ms\":{sync_ms:.3},{result}}}");
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

async fn run(folder: &Path, depth: usize, time: Duration) -> String {
    let log = Log::open(&folder.join("log.db"), LogOptions::default()).unwrap();
    let start = Instant::now();
    let senders: Vec<_> =
        (0..SENDERS).map(|_| tokio::spawn(send(log.clone(), depth, start + time))).collect();
    let mut took = Vec::new();
    for sender in senders {
        took.extend(sender.await.unwrap());
    }
    let elapsed = start.elapsed().as_secs_f64();
    let stored: u64 = log.rooms().unwrap().iter().map(|head| head.seq).sum();
    assert_eq!(stored, took.len() as u64);
    log.close();
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    format!(
        "\"events_per_s\":{:.0},\"p50_ms\":{:.2},\"p99_ms\":{:.2},\"max_ms\":{:.2}",
        took.len() as f64 / elapsed,
        at(0.5),
        at(0.99),
        at(1.0)
    )
}

/// Appends to a room of its own, always `depth` at a time, until the time is up; how long each append took.
async fn send(log: Log, depth: usize, until: Instant) -> Vec<Duration> {
    let room = RoomId::from_uuid(Uuid::now_v7());
    let (mut sent, mut took) = (0, Vec::new());
    let mut outstanding = FuturesOrdered::new();
    loop {
        while outstanding.len() < depth && Instant::now() < until {
            outstanding.push_back(append(log.clone(), room, sent));
            sent += 1;
        }
        match outstanding.next().await {
            Some(one) => took.push(one),
            None => return took,
        }
    }
}

async fn append(log: Log, room: RoomId, expected: u64) -> Duration {
    let start = Instant::now();
    log.append(room, expected, vec![message(expected)]).await.unwrap();
    start.elapsed()
}

fn message(number: u64) -> NewEvent {
    NewEvent {
        event_id: EventId::from_uuid(Uuid::now_v7()),
        actor: UserId::from_uuid(Uuid::from_u128(7)),
        command_id: Some(CommandId::from_uuid(Uuid::now_v7())),
        occurred_at_ms: 1_800_000_000_000,
        event: RoomEvent::ChatMessagePosted {
            text: format!("{number}: what a bass line, and what a snare!"),
        },
    }
}
