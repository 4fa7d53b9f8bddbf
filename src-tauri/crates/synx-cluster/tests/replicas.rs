//! Three servers that each keep everything: what is asked for is what the servers say, and any one of them may be gone.
//! These have the machine to themselves, one at a time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Info;
use futures_util::future::join_all;
use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use synx_cluster::testing::{NatsServer, ServerConfig, until};
use synx_cluster::{
    Backplane, ClusterClock, ClusterError, ClusterOptions, JetStreamStore, NodeId, Objects, ServerFault,
};
use synx_domain::ContentHash;
use synx_log::testing::{chats, room};
use synx_log::{EventStore, Log, LogError, LogOptions};
use tempfile::tempdir;

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// How long an append waits on a busy machine for servers that look for a leader.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);
/// Of more than one message of the store.
static AUDIO: [u8; 400_000] = [7; 400_000];
const HASH: ContentHash = ContentHash::from_bytes([7; 32]);

fn now_us() -> i64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    i64::try_from(BEGUN.elapsed().as_micros()).unwrap()
}

fn options(servers: &[NatsServer], node: &Path) -> ClusterOptions {
    ClusterOptions {
        servers: servers.iter().map(NatsServer::url).collect(),
        replicas: 3,
        commit_timeout: COMMIT_TIMEOUT,
        ..servers[0].options(node)
    }
}

async fn try_open(options: ClusterOptions) -> Result<JetStreamStore, ClusterError> {
    tokio::task::spawn_blocking(move || JetStreamStore::open(options)).await.unwrap()
}

async fn open(options: ClusterOptions) -> Log {
    Log::over(Arc::new(try_open(options).await.unwrap()), LogOptions::default()).unwrap()
}

/// What the servers say of a stream, once they can.
async fn told(context: &Context, stream: &str) -> Option<Info> {
    Some(context.get_stream(stream).await.ok()?.cached_info().clone())
}

/// Waits until all three have all of a stream.
async fn until_whole(context: &Context, stream: &str) {
    let whole = async || {
        let Some(Info { config, cluster: Some(cluster), .. }) = told(context, stream).await else {
            return false;
        };
        assert_eq!(config.num_replicas, 3, "{stream}");
        let current = cluster.replicas.iter().filter(|peer| peer.current && !peer.offline).count();
        cluster.leader.is_some() && current == 2
    };
    until(whole, stream).await;
}

/// Waits until all three have all of everything that is kept.
async fn until_all_is_whole(context: &Context) {
    for stream in ["synx-log", "KV_synx-keys", "KV_synx-clock", "KV_synx-snapshots", "OBJ_synx-audio"] {
        until_whole(context, stream).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_of_three_servers_is_gone_everything_is_there_and_goes_on() {
    let _alone = ALONE.lock().await;
    let (mut servers, node) = (NatsServer::system(3, &ServerConfig::default()), tempdir().unwrap());
    let here = options(&servers, node.path());
    let log = open(here.clone()).await;
    let backplane = Backplane::connect(&here).await.unwrap();
    assert_eq!(backplane.shared_secret(vec![1]).await.unwrap(), [1]);
    Objects::open(&backplane).await.unwrap().put(HASH, Cursor::new(&AUDIO[..])).await.unwrap();
    let clock = ClusterClock::start(here.clone(), NodeId::new(), now_us).await.unwrap();
    tokio::time::timeout(COMMIT_TIMEOUT, clock.until_known()).await.expect("there is no clock");
    let with = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let all: Vec<_> = servers.iter().map(NatsServer::url).collect();
    let context = async_nats::jetstream::new(with.max_reconnects(None).connect(all).await.unwrap());
    let mut seq = 0;
    for gone in 0..3 {
        until_all_is_whole(&context).await;
        servers[gone].kill();
        seq = log.append(room(1), seq, chats(5)).await.unwrap().last().unwrap().seq;
        // Somebody who comes now finds all of it, and takes part.
        let newcomer = tempdir().unwrap();
        let there = options(&servers, newcomer.path());
        let other = open(there.clone()).await;
        assert_eq!(other.rooms().unwrap(), log.rooms().unwrap());
        seq = other.append(room(1), seq, chats(5)).await.unwrap().last().unwrap().seq;
        assert_eq!(other.verify(Some(room(1))).await.unwrap()[0].first_bad, None);
        until(async || log.head(room(1)).unwrap() == seq, "the first node lags").await;
        let backplane = Backplane::connect(&there).await.unwrap();
        assert_eq!(backplane.shared_secret(vec![2]).await.unwrap(), [1]);
        let (objects, mut audio) = (Objects::open(&backplane).await.unwrap(), Vec::new());
        let mut pieces = objects.get(HASH).await.unwrap().unwrap();
        while let Some(piece) = pieces.next().await.unwrap() {
            audio.extend(piece);
        }
        assert!(audio == AUDIO);
        other.close();
        servers[gone].restart();
    }
    until_all_is_whole(&context).await;
    assert_eq!(log.head(room(1)).unwrap(), 30);
}

/// Two of three are gone for good. Once the third has given up to be the leader it answers all the same, in between, and takes
/// itself for one that has everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_left_alone_is_not_the_end_of_the_stream() {
    let _alone = ALONE.lock().await;
    let (mut servers, node) = (NatsServer::system(3, &ServerConfig::default()), tempdir().unwrap());
    let commit_timeout = Duration::from_millis(500);
    let hasty = ClusterOptions { commit_timeout, ..options(&servers, node.path()) };
    let store = Arc::new(try_open(hasty).await.unwrap());
    let with = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let context = async_nats::jetstream::new(with.connect(servers[2].url()).await.unwrap());
    until_whole(&context, "synx-log").await;
    servers[0].kill();
    servers[1].kill();
    let misleads = async || {
        let Some(Info { cluster: Some(cluster), .. }) = told(&context, "synx-log").await else {
            return false;
        };
        cluster.leader.is_none() && cluster.replicas.iter().any(|peer| peer.current)
    };
    until(misleads, "the last server tells the truth now").await;
    let asked = store.clone();
    let end = tokio::task::spawn_blocking(move || asked.reach_end(room(1))).await.unwrap();
    assert!(end.is_err(), "there may be more than it knows");
    assert!(store.ready().is_err());
}

/// Appends to a room that others append to, one after the other.
async fn append_among_others(log: Log, times: usize) {
    for _ in 0..times {
        loop {
            let head = log.head(room(1)).unwrap();
            match log.append(room(1), head, chats(1)).await {
                Ok(_) => break,
                Err(LogError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_nodes_that_write_to_one_room_at_once_the_servers_refuse_who_was_overtaken() {
    const TIMES: usize = 60;
    let _alone = ALONE.lock().await;
    let servers = NatsServer::system(3, &ServerConfig::default());
    let nodes = [(); 3].map(|()| tempdir().unwrap());
    let logs = join_all(nodes.iter().map(|node| open(options(&servers, node.path())))).await;
    join_all(logs.iter().map(|log| append_among_others(log.clone(), TIMES))).await;
    let end = 3 * TIMES as u64;
    for log in &logs {
        until(async || log.head(room(1)).unwrap() == end, "a node lags").await;
        assert_eq!(log.verify(Some(room(1))).await.unwrap()[0].first_bad, None);
    }
    let with = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let context = async_nats::jetstream::new(with.connect(servers[0].url()).await.unwrap());
    let messages = context.get_stream("synx-log").await.unwrap().cached_info().state.messages;
    // What nobody wants is in the stream for ever. A few are there if a message is stored more slowly than anybody waits for it.
    assert!(messages <= end + end / 20, "{messages} messages for {end} events");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_not_begun_on_fewer_servers_than_it_is_to_be_kept_on() {
    let _alone = ALONE.lock().await;
    let (mut servers, node) = (NatsServer::system(3, &ServerConfig::default()), tempdir().unwrap());
    // Another cluster's log is: they are one system.
    let elsewhere = tempdir().unwrap();
    let other = ClusterOptions { name: "other".parse().unwrap(), ..options(&servers, elsewhere.path()) };
    open(other).await.close();
    servers[2].kill();
    let hasty = ClusterOptions { servers_timeout: Duration::ZERO, ..options(&servers, node.path()) };
    let error = try_open(hasty.clone()).await.err().expect("two are not three");
    assert_eq!(error.code(), "cluster_too_few_servers", "{error}");
    assert!(error.to_string().contains("start the others"), "{error}");
    // It is, once the third is back, also while it or their leader does not know so yet.
    servers[2].restart();
    NatsServer::until_one(&servers);
    let elsewhere = tempdir().unwrap();
    let third = ClusterOptions { name: "third".parse().unwrap(), ..options(&servers, elsewhere.path()) };
    open(third).await.close();
    servers[2].kill();
    servers[1].kill();
    let error = try_open(hasty).await.err().expect("one is not three");
    let few = ServerFault::TooFew { servers: 1, needed: 2, replicas: 3 };
    assert_eq!(error, ClusterError::UnsafeServer { faults: vec![few] });
    // One that is no part of a NATS cluster says so itself, if one does not mind the rest.
    let alone = NatsServer::start();
    let hasty = ClusterOptions { servers_timeout: Duration::ZERO, ..alone.options(node.path()) };
    let error = try_open(ClusterOptions { replicas: 3, accept_unsafe: true, ..hasty })
        .await
        .err()
        .expect("one is not three");
    assert_eq!(error.code(), "cluster_too_few_servers", "{error}");
}
