//! Servers that are killed while a log is written. These have the machine to themselves: beside the others of this crate three
//! servers on two cores did not always come to a leader.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use synx_cluster::testing::{NatsServer, ServerConfig};
use synx_cluster::{ClusterOptions, JetStreamStore};
use synx_domain::RoomId;
use synx_log::testing::{chats, room};
use synx_log::{EventStore, Log, LogOptions};
use tempfile::tempdir;

/// Pause between two looks at a condition.
const POLL: Duration = Duration::from_millis(2);
/// One at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn open(server: &NatsServer, node: &Path) -> JetStreamStore {
    JetStreamStore::open(server.options(node)).unwrap()
}

/// Appends to a room until it is told to stop; what was acknowledged.
async fn keep_appending(log: Log, room: RoomId, stop: Arc<AtomicUsize>) -> u64 {
    let mut head = 0;
    while stop.load(Ordering::Relaxed) == 0 {
        let appended =
            log.append(room, head, chats(2)).await.expect("a server that comes back is waited for");
        head = appended.last().unwrap().seq;
    }
    head
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_and_doubles_nothing() {
    let _alone = ALONE.lock().await;
    let (mut server, node) = (NatsServer::start(), tempdir().unwrap());
    let store = Arc::new(open(&server, node.path()));
    let log = Log::over(Arc::clone(&store) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
    let stop = Arc::new(AtomicUsize::new(0));
    let appenders: Vec<_> = (1..=4)
        .map(|number| tokio::spawn(keep_appending(log.clone(), room(number), Arc::clone(&stop))))
        .collect();
    for round in 1..=3 {
        while log.head(room(1)).unwrap() < round * 20 {
            tokio::time::sleep(POLL).await;
        }
        server.kill();
        server.restart();
    }
    let reached = log.head(room(1)).unwrap();
    while log.head(room(1)).unwrap() < reached + 20 {
        tokio::time::sleep(POLL).await;
    }
    stop.store(1, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for appender in appenders {
        acknowledged.push(appender.await.unwrap());
    }
    let heads = |log: &Log| log.rooms().unwrap().iter().map(|head| head.seq).collect::<Vec<_>>();
    assert_eq!(heads(&log), acknowledged);
    // What another node finds is what was acknowledged, and sound.
    let fresh = tempdir().unwrap();
    let other = Log::over(Arc::new(open(&server, fresh.path())), LogOptions::default()).unwrap();
    assert_eq!(other.rooms().unwrap(), log.rooms().unwrap());
    for report in other.verify(None).await.unwrap() {
        assert_eq!(report.first_bad, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_servers_each_may_be_killed_and_nothing_is_lost() {
    let _alone = ALONE.lock().await;
    let (mut servers, node) = (NatsServer::system(3, &ServerConfig::default()), tempdir().unwrap());
    let options = |node: &Path| ClusterOptions {
        servers: servers.iter().map(NatsServer::url).collect(),
        replicas: 3,
        ..servers[0].options(node)
    };
    let (here, there) = (options(node.path()), tempdir().unwrap());
    let there_options = options(there.path());
    let store = tokio::task::spawn_blocking(move || JetStreamStore::open(here)).await.unwrap().unwrap();
    let log = Log::over(Arc::new(store), LogOptions::default()).unwrap();
    let stop = Arc::new(AtomicUsize::new(0));
    let appender = tokio::spawn(keep_appending(log.clone(), room(1), Arc::clone(&stop)));
    for server in &mut servers {
        for step in 0..2 {
            let reached = log.head(room(1)).unwrap();
            while log.head(room(1)).unwrap() < reached + 40 {
                tokio::time::sleep(POLL).await;
            }
            if step == 0 { server.kill() } else { server.restart() }
        }
        // The next one is killed only when this one has caught up: two of three must be whole.
        let reached = log.head(room(1)).unwrap();
        while log.head(room(1)).unwrap() < reached + 200 {
            tokio::time::sleep(POLL).await;
        }
    }
    stop.store(1, Ordering::Relaxed);
    let acknowledged = appender.await.unwrap();
    let store =
        tokio::task::spawn_blocking(move || JetStreamStore::open(there_options)).await.unwrap().unwrap();
    let other = Log::over(Arc::new(store), LogOptions::default()).unwrap();
    assert_eq!(other.head(room(1)).unwrap(), acknowledged);
    assert_eq!(other.rooms().unwrap(), log.rooms().unwrap());
    assert_eq!(other.verify(Some(room(1))).await.unwrap()[0].first_bad, None);
}
