//! A node whose copy is new opens a long room from a snapshot that another has made, and from none that is not this room's.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_nats::jetstream::kv::Store;
use std::path::Path;
use std::sync::Arc;
use synx_cluster::JetStreamStore;
use synx_cluster::testing::{NatsServer, until};
use synx_domain::{Room, RoomId, RoomSnapshot};
use synx_log::testing::{chats, created, room};
use synx_log::{Log, LogOptions};
use tempfile::tempdir;

/// More events than a fold takes without a look at the bucket.
const EVENTS: u64 = 11_000;

async fn open(server: &NatsServer, node: &Path) -> Log {
    let options = server.options(node);
    let store = tokio::task::spawn_blocking(move || JetStreamStore::open(options).unwrap()).await.unwrap();
    Log::over(Arc::new(store), LogOptions::default()).unwrap()
}

/// A room as a node finds it whose copy is new.
async fn opened_anew(server: &NatsServer, room: RoomId) -> Room {
    let node = tempdir().unwrap();
    let log = open(server, node.path()).await;
    let found = log.fold(room, None).await.unwrap();
    log.close();
    found
}

async fn bucket(server: &NatsServer) -> Store {
    let with = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let context = async_nats::jetstream::new(with.connect(server.url()).await.unwrap());
    context.get_key_value("synx-snapshots").await.unwrap()
}

async fn fill(log: &Log, room: RoomId) -> Room {
    log.append(room, 0, vec![created()]).await.unwrap();
    while let head = log.head(room).unwrap()
        && head < EVENTS
    {
        log.append(room, head, chats(1000)).await.unwrap();
    }
    log.fold(room, Some(log.head(room).unwrap())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_copy_is_new_opens_a_room_from_the_snapshot_that_another_made() {
    let (server, first) = (NatsServer::start(), tempdir().unwrap());
    let log = open(&server, first.path()).await;
    let (true_room, other_room) = (fill(&log, room(1)).await, fill(&log, room(2)).await);
    assert_eq!(opened_anew(&server, room(2)).await, other_room);
    // A state that no replay gives shows whether the snapshot was used.
    let altered = Room { chat: Default::default(), ..true_room.clone() };
    log.save_snapshot(room(1), &RoomSnapshot::of(&altered)).await.unwrap();
    let (bucket, key) = (bucket(&server).await, room(1).to_string());
    until(async || bucket.get(&key).await.unwrap().is_some(), "it is not put").await;
    assert_eq!(opened_anew(&server, room(1)).await, altered);
    // It is used for no place before it.
    let before = log.fold(room(1), Some(true_room.seq - 1)).await.unwrap();
    assert_eq!(before.chat.back(), true_room.chat.get(true_room.chat.len() - 2));

    let good = bucket.get(&key).await.unwrap().unwrap();
    let mut damaged = good.to_vec();
    damaged[20] ^= 1;
    let mut cut = good.to_vec();
    cut.truncate(good.len() / 2);
    log.save_snapshot(room(2), &RoomSnapshot::of(&other_room)).await.unwrap();
    let second = room(2).to_string();
    until(async || bucket.get(&second).await.unwrap().is_some(), "it is not put").await;
    let foreign = bucket.get(&second).await.unwrap().unwrap();
    for bad in [damaged, cut, foreign.to_vec(), Vec::new()] {
        bucket.purge(&key).await.unwrap();
        bucket.put(&key, bad.into()).await.unwrap();
        assert_eq!(opened_anew(&server, room(1)).await, true_room);
    }
    // One that is good beside those that are not is found.
    bucket.purge(&key).await.unwrap();
    for value in [good, foreign, "x".into()] {
        bucket.put(&key, value).await.unwrap();
    }
    log.append(room(1), true_room.seq, chats(1)).await.unwrap();
    let mut found = opened_anew(&server, room(1)).await;
    assert_eq!((found.chat.len(), found.seq), (1, true_room.seq + 1));
    found.chat.clear();
    assert_eq!(found.members, altered.members);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_bucket_does_not_answer_a_room_is_opened_all_the_same() {
    let (mut server, first) = (NatsServer::start(), tempdir().unwrap());
    let log = open(&server, first.path()).await;
    let room_then = fill(&log, room(1)).await;
    server.kill();
    assert_eq!(log.fold(room(1), None).await.unwrap(), room_then);
    log.close();
}
