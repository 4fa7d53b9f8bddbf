//! Servers that are killed while a log is written, or audio is on its way. These have the machine to themselves: beside the others of this crate three
//! servers on two cores did not always come to a leader.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use futures_util::TryStreamExt;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use synx_cluster::testing::{NatsServer, ServerConfig, until};
use synx_cluster::{Backplane, ClusterError, ClusterOptions, JetStreamStore, Objects, Pieces};
use synx_domain::{ContentHash, RoomId};
use synx_log::testing::{chats, room};
use synx_log::{EventStore, Log, LogOptions};
use tempfile::tempdir;
use tokio::task::JoinHandle;

/// How long an append waits for servers that come back. Whether it outlasts their loss is asked here, not how soon a busy disk
/// lets them find a leader.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);
const HASH: ContentHash = ContentHash::from_bytes([7; 32]);
/// One at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn open(server: &NatsServer, node: &Path) -> JetStreamStore {
    JetStreamStore::open(patient(server.options(node))).unwrap()
}

fn patient(options: ClusterOptions) -> ClusterOptions {
    ClusterOptions { commit_timeout: COMMIT_TIMEOUT, ..options }
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

/// Waits until the first room has come so far, which it only can while somebody appends.
async fn until_at(log: &Log, seq: u64, appender: &JoinHandle<u64>) {
    let is_there = async || {
        assert!(!appender.is_finished(), "an append failed");
        log.head(room(1)).unwrap() >= seq
    };
    until(is_there, "the room does not grow").await;
}

/// Waits until so much more is in the first room.
async fn until_grown(log: &Log, by: u64, appender: &JoinHandle<u64>) {
    until_at(log, log.head(room(1)).unwrap() + by, appender).await;
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
        until_at(&log, round * 20, &appenders[0]).await;
        server.kill();
        server.restart();
    }
    until_grown(&log, 20, &appenders[0]).await;
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
        ..patient(servers[0].options(node))
    };
    let (here, there) = (options(node.path()), tempdir().unwrap());
    let there_options = options(there.path());
    let store = tokio::task::spawn_blocking(move || JetStreamStore::open(here)).await.unwrap().unwrap();
    let log = Log::over(Arc::new(store), LogOptions::default()).unwrap();
    let stop = Arc::new(AtomicUsize::new(0));
    let appender = tokio::spawn(keep_appending(log.clone(), room(1), Arc::clone(&stop)));
    for server in &mut servers {
        for step in 0..2 {
            until_grown(&log, 40, &appender).await;
            if step == 0 { server.kill() } else { server.restart() }
        }
        // The next one is killed only when this one has caught up: two of three must be whole.
        until_grown(&log, 200, &appender).await;
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

/// Bytes of which no two places look alike: far more than a server sends before it is asked for more.
fn audio() -> Vec<u8> {
    (0..6_000_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// What is here already, and what comes behind it.
async fn rest(pieces: &mut Pieces, mut here: Vec<u8>) -> Vec<u8> {
    while let Some(piece) = pieces.next().await.unwrap() {
        here.extend(piece);
    }
    here
}

async fn objects(options: ClusterOptions) -> Objects {
    Objects::open(&Backplane::connect(&options).await.unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn audio_that_is_on_its_way_when_the_server_is_killed_arrives_whole() {
    let _alone = ALONE.lock().await;
    let (mut server, node) = (NatsServer::start(), tempdir().unwrap());
    let objects = objects(patient(server.options(node.path()))).await;
    let with = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let context = async_nats::jetstream::new(with.connect(server.url()).await.unwrap());
    let bucket = context.get_stream("OBJ_synx-audio").await.unwrap();
    let putting = {
        let objects = objects.clone();
        tokio::spawn(async move { objects.put(HASH, Cursor::new(audio())).await })
    };
    until(async || bucket.get_info().await.unwrap().state.messages >= 8, "nothing is stored").await;
    server.kill();
    server.restart();
    putting.await.unwrap().unwrap();
    let mut pieces = objects.get(HASH).await.unwrap().unwrap();
    let here = pieces.next().await.unwrap().unwrap().to_vec();
    server.kill();
    server.restart();
    let here = rest(&mut pieces, here).await;
    assert!(here == audio(), "{} bytes, or others", here.len());
}

/// A file, of which the first piece is here, that comes from another server than the one that its reader is connected to and would
/// see break; and which.
async fn from_afar(servers: &[NatsServer], node: &Path) -> (Pieces, Bytes, usize) {
    loop {
        for near in servers {
            let options = ClusterOptions { replicas: 3, ..patient(near.options(node)) };
            let mut pieces = objects(options).await.get(HASH).await.unwrap().unwrap();
            let here = pieces.next().await.unwrap().unwrap();
            let with = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
            let client = with.connect(near.url()).await.unwrap();
            let near = client.server_info().server_name;
            let bucket = async_nats::jetstream::new(client).get_stream("OBJ_synx-audio").await.unwrap();
            let readers: Vec<_> = bucket.consumers().try_collect().await.unwrap();
            let reader = readers.into_iter().max_by_key(|reader| reader.created).unwrap();
            let far = reader.cluster.unwrap().leader.unwrap();
            if far != near {
                return (pieces, here, far.trim_start_matches('n').parse::<usize>().unwrap() - 1);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn audio_that_comes_from_a_server_that_is_gone_for_good_comes_from_another() {
    let _alone = ALONE.lock().await;
    let (mut servers, node) = (NatsServer::system(3, &ServerConfig::default()), tempdir().unwrap());
    let options = ClusterOptions { replicas: 3, ..patient(servers[0].options(node.path())) };
    objects(options).await.put(HASH, Cursor::new(audio())).await.unwrap();
    let (mut pieces, here, far) = from_afar(&servers, node.path()).await;
    servers[far].kill();
    let here = rest(&mut pieces, here.to_vec()).await;
    assert!(here == audio(), "{} bytes, or others", here.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn audio_is_not_waited_for_without_end() {
    let _alone = ALONE.lock().await;
    let (mut server, node) = (NatsServer::start(), tempdir().unwrap());
    let commit_timeout = Duration::from_secs(3);
    let objects = objects(ClusterOptions { commit_timeout, ..server.options(node.path()) }).await;
    objects.put(HASH, Cursor::new(audio())).await.unwrap();
    let mut pieces = objects.get(HASH).await.unwrap().unwrap();
    pieces.next().await.unwrap();
    server.kill();
    let broken_off = async {
        while pieces.next().await?.is_some() {}
        Ok::<_, ClusterError>(())
    };
    let end = Duration::from_secs(60);
    let error = tokio::time::timeout(end, broken_off).await.expect("it is waited for").unwrap_err();
    assert_eq!(error.code(), "cluster_server", "{error}");
    for outcome in [objects.get(HASH).await.map(drop), objects.put(HASH, Cursor::new(audio())).await] {
        assert_eq!(outcome.unwrap_err().code(), "cluster_server");
    }
}
