//! Several logs over one store: one order, seen by all who follow, whoever appended.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use synx_domain::{Envelope, NewEvent, RoomId};
use synx_log::testing::{chat, chats, room};
use synx_log::{EventStore, Log, LogError, LogOptions, SharedStore};

fn logs(options: &LogOptions) -> [Log; 3] {
    let first = SharedStore::new();
    let [second, third] = [first.another(), first.another()];
    [first, second, third]
        .map(|store| Log::over(Arc::new(store) as Arc<dyn EventStore>, options.clone()).unwrap())
}

/// The first events of a room as somebody sees them who follows it.
async fn followed(log: &Log, room: RoomId, count: u64) -> Vec<Arc<Envelope>> {
    let mut cursor = log.subscribe(room, 0);
    let mut seen = Vec::new();
    while cursor.seq() < count {
        seen.extend(cursor.next().await.unwrap());
    }
    seen
}

/// Appends so many events one by one, each at the head as it is known here; how often somebody else was faster.
async fn append_all(log: Log, room: RoomId, count: usize) -> usize {
    let mut conflicts = 0;
    for number in 0..count {
        let event = chat(&number.to_string());
        loop {
            let head = log.head(room).unwrap();
            match log.append(room, head, vec![event.clone()]).await {
                Ok(_) => break,
                Err(LogError::Conflict { expected, actual, .. }) => {
                    assert!(actual > expected && log.head(room).unwrap() >= actual);
                    conflicts += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    conflicts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn all_logs_see_one_order_and_nothing_is_lost_or_doubled() {
    // So small a ring that followers are thrown back on the store now and then.
    let logs = logs(&LogOptions { ring_events: 3, ..LogOptions::default() });
    let followers = logs.clone().map(|log| tokio::spawn(async move { followed(&log, room(1), 300).await }));
    let appenders = logs.clone().map(|log| tokio::spawn(append_all(log, room(1), 100)));
    for appender in appenders {
        appender.await.unwrap();
    }
    let mut seen = Vec::new();
    for follower in followers {
        seen.push(follower.await.unwrap());
    }
    assert_eq!(seen[0].iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    let reports = logs[2].verify(None).await.unwrap();
    assert_eq!((reports[0].events, reports[0].first_bad), (300, None));
}

#[tokio::test]
async fn a_conflict_in_one_room_harms_no_other_in_the_same_commit() {
    let store = SharedStore::new();
    let over = |store| Log::over(Arc::new(store) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
    let (there, here) = (over(store.another()), over(store.deaf()));
    there.append(room(1), 0, chats(2)).await.unwrap();
    // This log believes that room 1 is empty.
    let appends = (1..=40_u128).map(|number| {
        let here = here.clone();
        tokio::spawn(async move { here.append(room(number), 0, chats(1)).await })
    });
    for (number, append) in (1..=40).zip(appends.collect::<Vec<_>>()) {
        let outcome = append.await.unwrap();
        match number {
            1 => assert_eq!(outcome, Err(LogError::Conflict { room: room(1), expected: 0, actual: 2 })),
            _ => assert_eq!(outcome.unwrap().len(), 1),
        }
    }
    assert_eq!(here.head(room(1)).unwrap(), 2);
    here.append(room(1), 2, chats(1)).await.unwrap();
    assert_eq!(followed(&there, room(1), 3).await, followed(&here, room(1), 3).await);
}

#[tokio::test]
async fn an_id_that_another_log_has_taken_harms_no_other_append_in_the_same_commit() {
    let store = SharedStore::new();
    let over = |store| Log::over(Arc::new(store) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
    let (there, here) = (over(store.another()), over(store.deaf()));
    // The id is above all that this log knows, so that only the store knows that it is in use.
    let (first, second, of_three, elsewhere) = (chats(1), chat("b"), chats(3), chats(1));
    let taken = there.append(room(9), 0, chats(1)).await.unwrap().remove(0);
    let of_two = vec![second, NewEvent { event_id: taken.event_id, ..chat("again") }];
    let (before, with_it, after, other) = tokio::join!(
        here.append(room(1), 0, first),
        here.append(room(1), 1, of_two),
        here.append(room(1), 3, of_three),
        here.append(room(2), 0, elsewhere),
    );
    assert_eq!(before.unwrap().len(), 1);
    assert_eq!(with_it, Err(LogError::DuplicateEvent { event_id: taken.event_id }));
    assert_eq!(after, Err(LogError::Conflict { room: room(1), expected: 3, actual: 1 }));
    assert_eq!(other.unwrap().len(), 1);
    here.append(room(1), 1, chats(1)).await.unwrap();
    assert!(here.verify(None).await.unwrap().iter().all(|report| report.first_bad.is_none()));
}
