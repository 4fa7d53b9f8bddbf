//! What servers and their streams may be like, and what happens when they are not, are killed or lie.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_nats::HeaderMap;
use futures_util::StreamExt;
use std::path::Path;
use std::sync::Arc;
use synx_cluster::testing::{NatsServer, ServerConfig, until};
use synx_cluster::{ClusterError, ClusterOptions, JetStreamStore, ServerFault};
use synx_domain::{Envelope, RoomId};
use synx_log::testing::{chats, room};
use synx_log::{AuditFilter, EventStore, Log, LogError, LogOptions, MemoryStore, Record};
use tempfile::tempdir;

fn open(server: &NatsServer, node: &Path) -> JetStreamStore {
    JetStreamStore::open(server.options(node)).unwrap()
}

fn refused(options: ClusterOptions) -> ClusterError {
    match JetStreamStore::open(options) {
        Ok(_) => panic!("the log was opened"),
        Err(error) => error,
    }
}

fn faults(config: &ServerConfig) -> Vec<ServerFault> {
    let (server, node) = (NatsServer::with(config), tempdir().unwrap());
    match refused(server.options(node.path())) {
        ClusterError::UnsafeServer { faults } => faults,
        other => panic!("{other}"),
    }
}

/// Records as a log makes them: of each room so many, in turn.
async fn records(rooms: &[RoomId], each: usize) -> Vec<Record> {
    let store = Arc::new(MemoryStore::new());
    let log = Log::over(Arc::clone(&store) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
    for expected in 0..each as u64 {
        for room in rooms {
            log.append(*room, expected, chats(1)).await.unwrap();
        }
    }
    store.audit(&AuditFilter { limit: usize::MAX, ..AuditFilter::default() }).unwrap()
}

fn history(store: &JetStreamStore) -> Vec<Record> {
    store.audit(&AuditFilter { limit: usize::MAX, ..AuditFilter::default() }).unwrap()
}

/// Waits until a store has so many events.
async fn until_it_has(store: &JetStreamStore, events: u64) {
    until(async || store.head().unwrap().log_seq >= events, "events are missing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_could_lose_events_are_refused_unless_told_otherwise() {
    let late = ServerConfig { sync_always: false, ..ServerConfig::default() };
    assert_eq!(faults(&late), [ServerFault::SyncsLate { server: "n1".to_owned() }]);
    let silent = ServerConfig { tells: false, ..ServerConfig::default() };
    assert_eq!(faults(&silent), [ServerFault::Unverifiable]);
    let small = ServerConfig { max_payload: "1MB", ..ServerConfig::default() };
    assert_eq!(faults(&small), [ServerFault::SmallMessages { max_payload: 1 << 20 }]);
    for config in [late, silent] {
        let (server, node) = (NatsServer::with(&config), tempdir().unwrap());
        let options = ClusterOptions { accept_unsafe: true, ..server.options(node.path()) };
        JetStreamStore::open(options).unwrap();
    }
}

/// Two nodes that append to the same rooms at the same moment, again and again: one of them loses each time. Where its message lies
/// it knows then, and so what lies before it.
#[tokio::test(flavor = "multi_thread")]
async fn who_loses_a_race_does_not_ask_where_the_stream_ends() {
    const RACES: u64 = 40;
    let (server, nodes) = (NatsServer::start(), [tempdir().unwrap(), tempdir().unwrap()]);
    let stores = nodes.each_ref().map(|node| Arc::new(open(&server, node.path())));
    let with = async_nats::ConnectOptions::with_user_and_password("synx".to_owned(), "let-me-in".to_owned());
    let client = with.connect(server.address()).await.unwrap();
    let mut asked = client.subscribe("$JS.API.STREAM.INFO.>").await.unwrap();
    client.flush().await.unwrap();
    let begun = std::time::Instant::now();
    let mut lost = 0;
    for race in 0..RACES {
        // Of several rooms at once the servers do not see that somebody was faster.
        let rooms = [room(2 * u128::from(race) + 1), room(2 * u128::from(race) + 2)];
        let commits = stores.each_ref().map(|store| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let records = records(&rooms, 1).await;
                tokio::task::spawn_blocking(move || store.commit(&records)).await.unwrap()
            })
        });
        for commit in commits {
            match commit.await.unwrap() {
                Ok(()) => {}
                Err(LogError::Conflict { .. }) => lost += 1,
                Err(error) => panic!("{error}"),
            }
        }
        let events = 2 * (race + 1);
        for store in &stores {
            until_it_has(store, events).await;
        }
    }
    client.flush().await.unwrap();
    let seconds = begun.elapsed().as_secs() + 1;
    let mut asked_for = 0;
    while tokio::time::timeout(std::time::Duration::from_millis(200), asked.next()).await.is_ok() {
        asked_for += 1;
    }
    // Each node looks once a second anyway.
    assert_eq!(lost, RACES);
    assert!(asked_for <= 2 * seconds + 2, "{asked_for} times within {seconds} s, after {lost} lost races");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_reached_or_does_not_let_us_in_is_named_without_the_password() {
    let (mut server, node) = (NatsServer::start(), tempdir().unwrap());
    let mut options = server.options(node.path());
    options.servers = vec![server.url().replace("let-me-in", "s3cret")];
    let error = refused(options);
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("authorization") && !error.to_string().contains("s3cret"), "{error}");
    server.kill();
    let error = refused(server.options(node.path()));
    assert_eq!(error.code(), "cluster_unreachable", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_behind_or_gone_is_fetched() {
    let (server, first, second) = (NatsServer::start(), tempdir().unwrap(), tempdir().unwrap());
    let records = records(&[room(1), room(2)], 300).await;
    let store = open(&server, first.path());
    store.commit(&records[..100]).unwrap();
    drop(open(&server, second.path()));
    // More messages than are fetched at once.
    records[100..].chunks(1).for_each(|record| store.commit(record).unwrap());
    let whole = history(&store);
    assert_eq!(whole.len(), 600);
    assert_eq!(history(&open(&server, second.path())), whole);
    assert_eq!(history(&open(&server, tempdir().unwrap().path())), whole);
    drop(store);
    assert_eq!(history(&open(&server, first.path())), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_gone_is_not_made_anew_over_its_events() {
    let (mut server, node) = (NatsServer::start(), tempdir().unwrap());
    let records = records(&[room(1)], 3).await;
    open(&server, node.path()).commit(&records).unwrap();
    server.wipe();
    let error = refused(server.options(node.path()));
    assert!(matches!(error, ClusterError::StreamLost { events: 3, .. }), "{error}");
    open(&server, tempdir().unwrap().path()).commit(&records[..2]).unwrap();
    let error = refused(server.options(node.path()));
    assert!(matches!(error, ClusterError::ForeignCopy { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_another_stream_is_refused() {
    let (here, there) = (NatsServer::start(), NatsServer::start());
    let (node, other) = (tempdir().unwrap(), tempdir().unwrap());
    open(&here, node.path()).commit(&records(&[room(1)], 3).await).unwrap();
    open(&there, other.path()).commit(&records(&[room(2)], 5).await).unwrap();
    let error = refused(there.options(node.path()));
    assert!(matches!(error, ClusterError::ForeignCopy { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_forgets_is_refused() {
    let (server, node) = (NatsServer::start(), tempdir().unwrap());
    let client = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let context = async_nats::jetstream::new(client.connect(server.url()).await.unwrap());
    let forgetful = async_nats::jetstream::stream::Config {
        name: "synx-log".to_owned(),
        subjects: vec!["synx.log.*".to_owned()],
        max_messages: 10,
        ..Default::default()
    };
    context.create_stream(forgetful).await.unwrap();
    let ClusterError::UnfitStream { problems, .. } = refused(server.options(node.path())) else { panic!() };
    assert!(problems.iter().any(|problem| problem.contains("limits")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("deleted")), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_append_at_one_place_one_does_and_both_see_it() {
    let server = NatsServer::start();
    let nodes = [tempdir().unwrap(), tempdir().unwrap()];
    let stores = nodes.each_ref().map(|node| Arc::new(open(&server, node.path())));
    for round in 0..20_u128 {
        let mut attempts = Vec::new();
        for store in &stores {
            let (store, mine) = (Arc::clone(store), records(&[room(round), room(1000 + round)], 2).await);
            attempts.push(tokio::task::spawn_blocking(move || store.commit(&mine)));
        }
        let mut outcomes = Vec::new();
        for attempt in attempts {
            outcomes.push(attempt.await.unwrap());
        }
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let refused = outcomes.into_iter().find_map(Result::err).unwrap();
        assert!(matches!(refused, LogError::Conflict { expected: 0, actual: 2, .. }), "{refused}");
    }
    for store in &stores {
        until_it_has(store, 80).await;
    }
    assert_eq!(history(&stores[0]), history(&stores[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_many_rooms_is_stored_whole_or_not() {
    let server = NatsServer::start();
    let nodes = [tempdir().unwrap(), tempdir().unwrap()];
    let [one, other] = nodes.each_ref().map(|node| open(&server, node.path()));
    let rooms: Vec<RoomId> = (1..=300).map(room).collect();
    one.commit(&records(&rooms, 1).await).unwrap();
    assert_eq!(history(&one).len(), 300);
    // The other node does not know of room 401 yet.
    other.commit(&records(&[room(401)], 1).await).unwrap();
    let refused = one.commit(&records(&[room(400), room(401), room(402)], 1).await).unwrap_err();
    assert!(matches!(refused, LogError::Conflict { .. }), "{refused}");
    until_it_has(&other, 301).await;
    assert_eq!(one.head().unwrap().rooms, other.head().unwrap().rooms);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_no_node_has_sent_are_passed_over_by_all() {
    let (server, node) = (NatsServer::start(), tempdir().unwrap());
    let store = open(&server, node.path());
    let records = records(&[room(1)], 4).await;
    store.commit(&records[..2]).unwrap();
    let client = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let client = client.connect(server.url()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let mut repeated = Vec::new();
    records[1].write_json_line(&mut repeated).unwrap();
    let mut forged = Vec::new();
    Record { hash: records[0].hash, ..records[2].clone() }.write_json_line(&mut forged).unwrap();
    let subject = format!("synx.log.{}", room(1));
    for (subject, payload) in [
        (subject.clone(), b"no event".to_vec()),
        (format!("synx.log.{}", room(8)), b"no event".to_vec()),
        ("synx.log.no-room".to_owned(), b"{}".to_vec()),
        (format!("synx.log.{}", room(9)), Vec::new()),
        ("synx.log.rooms".to_owned(), forged.clone()),
        ("synx.log.rooms".to_owned(), b"{}".to_vec()),
        (subject.clone(), repeated),
        (subject, forged),
    ] {
        context.publish_with_headers(subject, HeaderMap::new(), payload.into()).await.unwrap().await.unwrap();
    }
    store.commit(&records[2..]).unwrap();
    store.commit(&self::records(&[room(9)], 1).await).unwrap();
    let whole = history(&store);
    assert_eq!(whole[..4].iter().map(|record| record.hash).collect::<Vec<_>>(), hashes(&records));
    assert_eq!(history(&open(&server, tempdir().unwrap().path())), whole);
    drop(store);
    let store = open(&server, node.path());
    assert_eq!(history(&store), whole);
    // A room of which there are only such messages, which this copy does not remember.
    store.commit(&self::records(&[room(8)], 1).await).unwrap();
}

fn hashes(records: &[Record]) -> Vec<synx_log::ChainHash> {
    records.iter().map(|record| record.hash).collect()
}

/// Appends so many events one by one, each at the head as it is known here.
async fn append_all(log: Log, room: RoomId, count: usize) -> Vec<Arc<Envelope>> {
    let mut mine = Vec::new();
    while mine.len() < count {
        let head = log.head(room).unwrap();
        match log.append(room, head, chats(1)).await {
            Ok(events) => mine.extend(events),
            Err(LogError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    mine
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_commits_share_many_rooms_lose_and_double_nothing() {
    let server = NatsServer::start();
    let nodes = [tempdir().unwrap(), tempdir().unwrap()];
    let logs = nodes
        .each_ref()
        .map(|node| Log::over(Arc::new(open(&server, node.path())), LogOptions::default()).unwrap());
    let rooms: Vec<RoomId> = (1..=40).map(room).collect();
    let everywhere = rooms.iter().flat_map(|room| logs.clone().map(|log| (*room, log)));
    let appenders: Vec<_> = everywhere.map(|(room, log)| tokio::spawn(append_all(log, room, 10))).collect();
    let mut appended = Vec::new();
    for appender in appenders {
        appended.extend(appender.await.unwrap());
    }
    appended.sort_by_key(|event| (event.room_id, event.seq));
    let fresh = tempdir().unwrap();
    let other = Log::over(Arc::new(open(&server, fresh.path())), LogOptions::default()).unwrap();
    let mut kept = Vec::new();
    for room in rooms {
        kept.extend(other.read(room, 0, 100).await.unwrap());
    }
    assert_eq!(kept, appended);
    for log in &logs {
        until(async || log.rooms().unwrap() == other.rooms().unwrap(), "a log lags").await;
    }
    assert!(other.verify(None).await.unwrap().iter().all(|report| report.first_bad.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_append_to_one_room_and_see_one_order() {
    let server = NatsServer::start();
    let nodes = [tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap()];
    let logs = nodes
        .each_ref()
        .map(|node| Log::over(Arc::new(open(&server, node.path())), LogOptions::default()).unwrap());
    let appenders = logs.clone().map(|log| tokio::spawn(append_all(log, room(1), 30)));
    let mut appended = Vec::new();
    for appender in appenders {
        appended.extend(appender.await.unwrap());
    }
    appended.sort_by_key(|event| event.seq);
    for log in &logs {
        let (mut cursor, mut seen) = (log.subscribe(room(1), 0), Vec::new());
        while seen.len() < 90 {
            seen.extend(cursor.next().await.unwrap());
        }
        assert_eq!(seen, appended);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_goes_from_a_file_to_the_cluster_and_back_as_the_same_room() {
    let (server, node) = (NatsServer::start(), tempdir().unwrap());
    let file = |name| Log::open(&node.path().join(name), LogOptions::default()).unwrap();
    let (from, back) = (file("log.db"), file("back.db"));
    from.append(room(1), 0, chats(1500)).await.unwrap();
    let cluster = Log::over(Arc::new(open(&server, node.path())), LogOptions::default()).unwrap();
    let there = cluster.take_over(room(1), &from).await.unwrap();
    cluster.append(room(1), 1500, chats(1)).await.unwrap();
    let here = back.take_over(room(1), &cluster).await.unwrap();
    assert_eq!((there.events, here.events), (1500, 1501));
    assert_eq!(from.take_over(room(1), &back).await.unwrap(), here);
    assert_eq!(from.rooms().unwrap(), cluster.rooms().unwrap());
}
