//! The wall clock is for people: when it jumps, order, chain and uniqueness are what they were.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use synx_domain::{EventId, NewEvent};
use synx_log::testing::{chat, room};
use synx_log::{AuditFilter, Log, LogError, LogOptions, Old};
use uuid::{ContextV7, Timestamp, Uuid};

const DAY_S: u64 = 86_400;

/// Something said when the clock showed this day: its time and its id are the clock's.
fn said_on(day: u64) -> NewEvent {
    let mut event = chat("late again");
    event.occurred_at_ms = (day * DAY_S * 1000) as i64;
    event.event_id = EventId::from_uuid(Uuid::new_v7(Timestamp::from_unix(ContextV7::new(), day * DAY_S, 0)));
    event
}

#[tokio::test]
async fn a_clock_that_jumps_changes_neither_order_nor_proof() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = Log::open(&path, LogOptions::default()).unwrap();
    // Set right, a month ahead, back by a year, right again.
    let days = [20_000, 20_001, 20_031, 19_666, 19_667, 20_002];
    for (head, day) in (0..).zip(days) {
        let fresh = log.append(room(1), head, vec![said_on(day)]).await.unwrap();
        assert_eq!(fresh[0].seq, head + 1);
    }
    log.close();
    let log = Log::open(&path, LogOptions::default()).unwrap();
    let read = log.read(room(1), 0, 100).await.unwrap();
    let times: Vec<u64> = read.iter().map(|envelope| envelope.occurred_at_ms as u64 / 1000 / DAY_S).collect();
    assert_eq!(times, days, "in the order in which it happened");
    assert!(log.verify(None).await.unwrap()[0].first_bad.is_none());
    // An id from before the jump is still known.
    let mut again = said_on(19_666);
    again.event_id = read[3].event_id;
    let refused = log.append(room(1), 6, vec![again]).await;
    assert_eq!(refused, Err(LogError::DuplicateEvent { event_id: read[3].event_id }));
    // Who asks by time gets what the clock said, in log order.
    let since_ms = Some((20_002 * DAY_S * 1000) as i64);
    let found = log.audit(AuditFilter { since_ms, ..AuditFilter::default() }).await.unwrap();
    assert_eq!(found.iter().map(|record| record.seq).collect::<Vec<_>>(), [3, 6]);
}

#[tokio::test]
async fn what_is_old_ends_where_the_clock_was_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = Log::open(&path, LogOptions::default()).unwrap();
    let days = [20_000, 20_001, 20_500, 20_002, 20_003];
    log.append(room(1), 0, days.map(said_on).to_vec()).await.unwrap();
    let before_ms = (20_100 * DAY_S * 1000) as i64;
    let old = Old { through_seq: u64::MAX, before_ms, whole_segments: false };
    assert_eq!(log.archive(room(1), old).await.unwrap(), 2, "the archive has no holes");
    log.close();
    let log = Log::open(&path, LogOptions::default()).unwrap();
    assert_eq!(log.read(room(1), 0, 9).await.unwrap().len(), 2);
    assert_eq!(log.read(room(1), 2, 9).await.unwrap().len(), 3);
    assert!(log.verify(None).await.unwrap()[0].first_bad.is_none());
}
