//! A room that goes from one log to another is the same room there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use synx_log::testing::{chat, chats, created, room};
use synx_log::{Log, LogError, LogOptions};

fn open(folder: &Path, name: &str) -> Log {
    Log::open(&folder.join(name), LogOptions::default()).unwrap()
}

#[tokio::test]
async fn a_room_is_taken_over_whole_with_its_hashes_and_goes_on_there() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (open(folder.path(), "here.db"), open(folder.path(), "there.db"));
    there.append(room(1), 0, vec![created()]).await.unwrap();
    there.append(room(1), 1, chats(2500)).await.unwrap();
    there.append(room(2), 0, chats(3)).await.unwrap();
    let report = here.take_over(room(1), &there).await.unwrap();
    assert_eq!((report.events, report.first_bad), (2501, None));
    let [only] = &here.rooms().unwrap()[..] else { panic!() };
    assert_eq!(*only, there.rooms().unwrap()[0]);
    // Again is nothing new; what came meanwhile is.
    there.append(room(1), 2501, chats(2)).await.unwrap();
    assert_eq!(here.take_over(room(1), &there).await.unwrap().events, 2503);
    here.append(room(1), 2503, chats(1)).await.unwrap();
    assert_eq!(there.take_over(room(1), &here).await.unwrap().events, 2504);
}

#[tokio::test]
async fn large_events_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (open(folder.path(), "here.db"), open(folder.path(), "there.db"));
    for (expected, mebibytes) in [(0, 1), (1, 3), (2, 3), (3, 1)] {
        there.append(room(1), expected, vec![chat(&"x".repeat(mebibytes << 20))]).await.unwrap();
    }
    assert_eq!(here.take_over(room(1), &there).await.unwrap().events, 4);
}

#[tokio::test]
async fn another_history_and_a_damaged_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (open(folder.path(), "here.db"), open(folder.path(), "there.db"));
    there.append(room(1), 0, chats(3)).await.unwrap();
    here.append(room(1), 0, chats(1)).await.unwrap();
    let refused = here.take_over(room(1), &there).await.unwrap_err();
    assert!(matches!(refused, LogError::ForeignHistory { .. }), "{refused}");
    let refused = here.take_over(room(7), &there).await.unwrap_err();
    assert!(matches!(refused, LogError::Corrupt { .. }), "{refused}");
    // What is here goes on from what is there.
    let fresh = open(folder.path(), "fresh.db");
    fresh.take_over(room(1), &there).await.unwrap();
    fresh.append(room(1), 3, chats(1)).await.unwrap();
    let refused = fresh.take_over(room(1), &there).await.unwrap_err();
    assert_eq!(refused, LogError::ForeignHistory { room: room(1), seq: 4 });
    there.close();
    let file = rusqlite::Connection::open(folder.path().join("there.db")).unwrap();
    file.execute("UPDATE domain_events SET event_data = '{\"text\":\"never\"}' WHERE seq = 2", []).unwrap();
    drop(file);
    let refused = open(folder.path(), "new.db").take_over(room(1), &open(folder.path(), "there.db")).await;
    assert!(matches!(refused, Err(LogError::Corrupt { .. })), "{refused:?}");
}
