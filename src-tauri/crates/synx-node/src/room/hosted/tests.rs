//! A room that grows, and one that two nodes serve.

use super::writer::SNAPSHOT_EVERY_EVENTS;
use super::*;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicU64, Ordering};
use synx_domain::{PlaybackControl, Role, RoomSettings, StorageLimits, UserProfile, Visibility};
use synx_log::{LogOptions, SharedStore};

/// A room that two nodes serve, and its host.
async fn on_two_nodes() -> ([HostedRoom; 2], UserId) {
    let store = SharedStore::new();
    let other = Log::over(Arc::new(store.another()), LogOptions::default()).unwrap();
    let (room, host) = open(Log::over(Arc::new(store), LogOptions::default()).unwrap()).await;
    let other = HostedRoom::open(other, room.id()).await.unwrap();
    // It hears of the room a moment after the other one made it.
    until_it_is_at(&other, room.with(|room| room.seq)).await;
    ([room, other], host)
}

/// Posts messages all at once; how each went.
async fn post_all(room: &HostedRoom, host: UserId) -> Vec<Result<u64, ExecuteError>> {
    let post = |number: usize| room.execute_as(host, Command::PostChatMessage { text: number.to_string() });
    join_all((0..60).map(post)).await
}

async fn until_it_is_at(room: &HostedRoom, seq: u64) {
    room.changes().wait_for(|head| *head >= seq).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_serve_a_room_have_one_order_and_one_state() {
    let (rooms, host) = on_two_nodes().await;
    let (one, other) = tokio::join!(post_all(&rooms[0], host), post_all(&rooms[1], host));
    let mut seqs: Vec<u64> = one.into_iter().chain(other).map(Result::unwrap).collect();
    seqs.sort_unstable();
    assert_eq!(seqs.len(), 120);
    assert!(seqs.is_sorted_by(|before, after| before < after), "{seqs:?}");
    let end = seqs[119];
    for room in &rooms {
        until_it_is_at(room, end).await;
    }
    assert_eq!(rooms[0].with(Room::clone), rooms[1].with(Room::clone));
    assert_eq!(rooms[0].log().fold(rooms[0].id(), None).await.unwrap(), rooms[0].with(Room::clone));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_node_says_is_taken_in_as_it_is_told_and_read_nowhere() {
    let store = SharedStore::new();
    let another = store.another();
    let reads = another.reads();
    let (room, host) = open(Log::over(Arc::new(store), LogOptions::default()).unwrap()).await;
    let log = Log::over(Arc::new(another), LogOptions::default()).unwrap();
    let other = HostedRoom::open(log, room.id()).await.unwrap();
    until_it_is_at(&other, room.with(|room| room.seq)).await;
    let before = reads.load(Ordering::Relaxed);
    // Not so many that a snapshot is kept, which needs a look at the store.
    for number in 0..SNAPSHOT_EVERY_EVENTS / 2 {
        let said = Command::PostChatMessage { text: number.to_string() };
        let seq = room.execute_as(host, said).await.unwrap();
        until_it_is_at(&other, seq).await;
    }
    assert_eq!(reads.load(Ordering::Relaxed) - before, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_carried_out_however_often_another_node_is_faster() {
    const FASTER: u64 = 100;
    let store = SharedStore::new();
    let (room, host) = open(Log::over(Arc::new(store.another()), LogOptions::default()).unwrap()).await;
    let (id, room) = (room.id(), Arc::new(room));
    let say = |text: String| Command::PostChatMessage { text };
    let (rival, runtime, left) =
        (Arc::clone(&room), tokio::runtime::Handle::current(), AtomicU64::new(FASTER));
    let slow = store.overtaken_by(move || {
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            runtime.block_on(rival.execute_as(host, say("first".to_owned()))).unwrap();
        }
    });
    let slow = HostedRoom::open(Log::over(Arc::new(slow), LogOptions::default()).unwrap(), id).await.unwrap();
    let before = room.with(|room| room.seq);
    // Whoever comes meanwhile is done with it.
    let seqs = join_all((0..5).map(|number| slow.execute_as(host, say(number.to_string())))).await;
    let seqs: Vec<u64> = seqs.into_iter().map(Result::unwrap).collect();
    assert!(seqs.is_sorted() && seqs[0] > before + FASTER, "{seqs:?}");
    until_it_is_at(&room, seqs[4]).await;
    assert_eq!(room.with(Room::clone), slow.with(Room::clone));
    assert_eq!(room.with(|room| room.chat.len() as u64), FASTER + 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_sent_to_both_nodes_is_carried_out_once() {
    let (rooms, host) = on_two_nodes().await;
    for number in 0..30 {
        let command = CommandEnvelope {
            id: CommandId::from_uuid(Uuid::now_v7()),
            actor: host,
            command: Command::PostChatMessage { text: number.to_string() },
        };
        let (one, other) = tokio::join!(rooms[0].execute(command.clone()), rooms[1].execute(command.clone()));
        let seq = one.unwrap();
        assert_eq!(other.unwrap(), seq);
        until_it_is_at(&rooms[1], seq).await;
        assert_eq!(rooms[1].execute(command).await.unwrap(), seq);
    }
    assert_eq!(rooms[1].with(|room| room.chat.len()), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_refused_because_a_node_is_behind() {
    let store = SharedStore::new();
    // It is told of nothing: what others append it finds out by asking.
    let behind = Log::over(Arc::new(store.another().deaf()), LogOptions::default()).unwrap();
    let (room, host) = open(Log::over(Arc::new(store), LogOptions::default()).unwrap()).await;
    let behind = HostedRoom::open(behind, room.id()).await.unwrap();
    let ben = UserId::from_uuid(Uuid::now_v7());
    let profile = UserProfile { name: "Ben".to_owned(), ..UserProfile::default() };
    room.execute_as(ben, Command::Join { profile, role: Role::Listener, invite: None }).await.unwrap();

    let say = || Command::PostChatMessage { text: "I am here".to_owned() };
    behind.execute_as(ben, say()).await.unwrap();
    room.execute_as(host, Command::RemoveMember { user: ben, may_return: false }).await.unwrap();
    // What he may do no longer he may not do there either; and what was done is done, not done twice.
    let refused = behind.execute_as(ben, say()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Rejected(Rejection::NotAMember)), "{refused}");
    room.execute_as(host, Command::LiftBan { user: ben }).await.unwrap();
    let before = room.with(|room| room.seq);
    assert_eq!(behind.execute_as(host, Command::LiftBan { user: ben }).await.unwrap(), before);
}

/// The room in this log, and its host.
async fn open(log: Log) -> (HostedRoom, UserId) {
    let room = HostedRoom::open(log, RoomId::from_uuid(Uuid::now_v7())).await.unwrap();
    let host = UserId::from_uuid(Uuid::now_v7());
    let settings = RoomSettings {
        name: "Friday".to_owned(),
        visibility: Visibility::Private,
        max_participants: 8,
        genres: Vec::new(),
        playback_control: PlaybackControl::Djs,
        storage: StorageLimits::default(),
        wait_for_all: false,
        archive_after_days: 0,
    };
    let profile = UserProfile { name: "Ana".to_owned(), ..UserProfile::default() };
    room.execute_as(host, Command::CreateRoom { profile, settings }).await.unwrap();
    (room, host)
}

#[tokio::test]
async fn a_room_that_grows_keeps_snapshots_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let (room, host) = open(Log::open(&path, LogOptions::default()).unwrap()).await;
    for number in 0..=SNAPSHOT_EVERY_EVENTS {
        let text = number.to_string();
        room.execute_as(host, Command::PostChatMessage { text }).await.unwrap();
    }
    let file = rusqlite::Connection::open(&path).unwrap();
    let latest = || {
        let sql = "SELECT max(aggregate_version) FROM snapshots";
        file.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap()
    };
    while latest().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(latest(), i64::try_from(SNAPSHOT_EVERY_EVENTS).ok());
}

#[tokio::test]
async fn commands_that_are_too_much_together_are_written_apart() {
    let folder = tempfile::tempdir().unwrap();
    let options = LogOptions { append_bytes: 4096, ..LogOptions::default() };
    let (room, host) = open(Log::open(&folder.path().join("log.db"), options).unwrap()).await;

    let text = "a long message ".repeat(60);
    let posts = (0..20).map(|_| room.execute_as(host, Command::PostChatMessage { text: text.clone() }));
    let outcomes = join_all(posts).await;
    let mut seqs: Vec<u64> = outcomes.into_iter().map(Result::unwrap).collect();
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!((seqs.len(), room.with(|room| room.chat.len())), (20, 20));
}
