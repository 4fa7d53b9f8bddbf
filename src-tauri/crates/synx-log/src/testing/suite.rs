//! The cases of the suite: what any store must do. Each takes an empty one.

use super::{Written, chat, chats, created, new_event, room, user};
use crate::{AuditFilter, ChainFault, EventStore, Log, LogError, LogOptions};
use std::sync::Arc;
use synx_domain::{Envelope, Role, Room, RoomEvent, RoomId, RoomSnapshot, UserProfile};

fn open(store: &Arc<dyn EventStore>) -> Log {
    Log::over(Arc::clone(store), LogOptions::default()).unwrap()
}

async fn all(log: &Log, room: RoomId) -> Vec<Arc<Envelope>> {
    let mut events: Vec<Arc<Envelope>> = Vec::new();
    loop {
        let after = events.last().map_or(0, |envelope| envelope.seq);
        let page = log.read(room, after, 100).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// What was appended is there, as it was answered, also for the next who opens the store.
pub async fn appended_events_are_read_back(store: Arc<dyn EventStore>) {
    let log = open(&store);
    let mut appended = log.append(room(1), 0, vec![created()]).await.unwrap();
    appended.extend(log.append(room(1), 1, chats(3)).await.unwrap());
    log.append(room(2), 0, chats(1)).await.unwrap();
    assert_eq!(appended.iter().map(|envelope| envelope.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(all(&log, room(1)).await, appended);
    assert_eq!(log.read(room(1), 2, 1).await.unwrap(), appended[2..3]);
    assert_eq!((log.head(room(1)).unwrap(), log.head(room(3)).unwrap()), (4, 0));

    let again = open(&store);
    assert_eq!(again.rooms().unwrap(), log.rooms().unwrap());
    assert_eq!(all(&again, room(1)).await, appended);
    again.append(room(1), 4, chats(1)).await.unwrap();
    assert_eq!(all(&again, room(1)).await.len(), 5);
}

/// Two cannot append at the same place.
pub async fn a_stale_append_is_refused(store: Arc<dyn EventStore>) {
    let log = open(&store);
    log.append(room(1), 0, chats(2)).await.unwrap();
    for expected in [0, 1, 3] {
        let refused = log.append(room(1), expected, chats(1)).await.unwrap_err();
        assert_eq!(refused, LogError::Conflict { room: room(1), expected, actual: 2 });
    }
    assert_eq!(log.head(room(1)).unwrap(), 2);
}

/// An id is used once: across rooms, in one append, and by a late retry.
pub async fn a_used_event_id_is_refused(store: Arc<dyn EventStore>) {
    let log = open(&store);
    let first = chat("first");
    let duplicate = Err(LogError::DuplicateEvent { event_id: first.event_id });
    assert_eq!(log.append(room(1), 0, vec![first.clone(), first.clone()]).await, duplicate);
    log.append(room(1), 0, vec![first.clone()]).await.unwrap();
    log.append(room(1), 1, chats(3)).await.unwrap();
    assert_eq!(log.append(room(2), 0, vec![first.clone()]).await, duplicate);
    assert_eq!(log.append(room(1), 4, vec![chat("new"), first.clone()]).await, duplicate);
    assert_eq!((log.head(room(1)).unwrap(), log.head(room(2)).unwrap()), (4, 0));
    assert_eq!(open(&store).append(room(2), 0, vec![first]).await, duplicate);
}

/// Appends that share a commit stand or fall alone.
pub async fn one_refused_append_harms_no_other(store: Arc<dyn EventStore>) {
    let log = open(&store);
    let twice = chat("twice");
    let appends = (0..40_u64).map(|number| {
        let (log, twice) = (log.clone(), twice.clone());
        tokio::spawn(async move {
            let events = if number % 4 == 0 { vec![chat("mine"), twice] } else { chats(2) };
            log.append(room(u128::from(number) + 1), u64::from(number % 4 == 1), events).await
        })
    });
    let mut outcomes = Vec::new();
    for append in appends.collect::<Vec<_>>() {
        outcomes.push(append.await.unwrap());
    }
    let with_twice = outcomes.iter().step_by(4);
    assert_eq!(with_twice.filter(|outcome| outcome.is_ok()).count(), 1);
    for (number, outcome) in outcomes.iter().enumerate() {
        match number % 4 {
            0 => {}
            1 => assert!(matches!(outcome, Err(LogError::Conflict { actual: 0, .. }))),
            _ => assert_eq!(outcome.as_ref().unwrap().len(), 2),
        }
        let stored = all(&log, room(number as u128 + 1)).await;
        assert_eq!(stored, outcome.clone().unwrap_or_default());
    }
}

/// A read returns no more than asked for, and no more than a few megabytes.
pub async fn reads_are_bounded(store: Arc<dyn EventStore>) {
    let log = open(&store);
    let long = "x".repeat(1 << 20);
    for expected in 0..10 {
        log.append(room(1), expected, vec![chat(&long)]).await.unwrap();
    }
    assert_eq!(log.read(room(1), 3, 2).await.unwrap().len(), 2);
    let page = log.read(room(1), 0, usize::MAX).await.unwrap();
    assert!((1..8).contains(&page.len()), "{} events of a megabyte in one read", page.len());
    assert_eq!(all(&log, room(1)).await.len(), 10);
    assert!(log.read(room(1), u64::MAX, 1).await.unwrap().is_empty());
    assert!(matches!(
        log.append(room(1), 10, vec![chat(&"x".repeat(5 << 20))]).await,
        Err(LogError::TooLarge { unit: "bytes", .. })
    ));
}

/// The store itself refuses what its caller should have, and then holds nothing of that commit.
pub async fn all_are_stored_or_none(store: Arc<dyn EventStore>) {
    let log = open(&store);
    log.append(room(1), 0, chats(2)).await.unwrap();
    let stored = store.read(room(1), 0, 10, usize::MAX).unwrap();
    let mut fresh = stored[0].clone();
    (fresh.log_seq, fresh.seq) = (3, 3);
    fresh.event_id = chat("").event_id;
    let mut taken = fresh.clone();
    (taken.log_seq, taken.seq) = (4, 2);
    store.commit(&[fresh.clone(), taken]).unwrap_err();
    let mut known = fresh.clone();
    (known.log_seq, known.seq, known.event_id) = (4, 4, stored[1].event_id);
    store.commit(&[fresh.clone(), known]).unwrap_err();
    assert_eq!(store.read(room(1), 0, 10, usize::MAX).unwrap(), stored);
    assert!(!store.contains(fresh.event_id).unwrap());
    assert_eq!(store.head().unwrap().log_seq, 2);
}

/// Each follower gets each event once, in order, whenever it starts.
pub async fn cursors_follow_in_order(store: Arc<dyn EventStore>) {
    let log = open(&store);
    let follow = |after: u64| {
        let mut cursor = log.subscribe(room(1), after);
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.last() != Some(&300) {
                seen.extend(cursor.next().await.unwrap().iter().map(|envelope| envelope.seq));
            }
            seen
        })
    };
    let mut heads = log.heads(room(1));
    let followers = [follow(0), follow(120)];
    for expected in 0..150 {
        log.append(room(1), expected * 2, chats(2)).await.unwrap();
        log.append(room(2), expected, chats(1)).await.unwrap();
    }
    let late = follow(7);
    assert_eq!(*heads.wait_for(|head| *head == 300).await.unwrap(), 300);
    for (follower, first) in followers.into_iter().chain([late]).zip([1, 121, 8]) {
        assert_eq!(follower.await.unwrap(), (first..=300).collect::<Vec<u64>>());
    }
}

/// What is no longer in memory is read from the store.
pub async fn a_lagging_cursor_reads_the_store(store: Arc<dyn EventStore>) {
    let options = LogOptions { ring_events: 5, ..LogOptions::default() };
    let log = Log::over(Arc::clone(&store), options).unwrap();
    let mut cursor = log.subscribe(room(1), 0);
    for expected in 0..50 {
        log.append(room(1), expected, chats(1)).await.unwrap();
    }
    let mut seen: Vec<u64> = Vec::new();
    while seen.len() < 50 {
        seen.extend(cursor.next().await.unwrap().iter().map(|envelope| envelope.seq));
        assert_eq!(cursor.seq(), *seen.last().unwrap());
    }
    assert_eq!(seen, (1..=50).collect::<Vec<_>>());
}

/// A replay to any place gives the room as it was there.
pub async fn a_fold_equals_the_live_room(store: Arc<dyn EventStore>) {
    let log = open(&store);
    let joined = RoomEvent::UserJoined {
        user: user(2),
        profile: UserProfile { name: "Ben".to_owned(), ..UserProfile::default() },
        role: Role::Listener,
        invite: None,
    };
    let mut live = Room::default();
    let mut states = vec![live.clone()];
    for event in [created(), new_event(joined), chat("hello"), chat("bye")] {
        for envelope in log.append(room(1), live.seq, vec![event]).await.unwrap() {
            live.apply(&envelope);
        }
        states.push(live.clone());
    }
    assert_eq!(log.fold(room(1), None).await.unwrap(), live);
    log.save_snapshot(room(1), &RoomSnapshot::of(&states[3])).await.unwrap();
    for (seq, state) in (0..).zip(&states) {
        assert_eq!(log.fold(room(1), Some(seq)).await.unwrap(), *state);
    }
    let beyond = log.fold(room(1), Some(5)).await.unwrap_err();
    assert_eq!(beyond, LogError::BeyondHead { room: room(1), wanted: 5, head: 4 });
}

/// A snapshot saves the replay of what is before it, if it belongs to this history.
pub async fn snapshots_are_used_only_with_their_history(store: Arc<dyn EventStore>) {
    let log = open(&store);
    log.append(room(1), 0, vec![created()]).await.unwrap();
    log.append(room(1), 1, chats(5)).await.unwrap();
    let mut state = log.fold(room(1), None).await.unwrap();
    let snapshot = RoomSnapshot::of(&state);
    state.chat.clear();
    // A state that no replay gives shows whether the snapshot was used.
    log.save_snapshot(room(1), &RoomSnapshot::of(&state)).await.unwrap();
    assert_eq!(log.fold(room(1), None).await.unwrap(), state);
    let mut stored = store.snapshot(room(1), 6).unwrap().unwrap();
    assert!(store.snapshot(room(1), 5).unwrap().is_none());

    stored.digest[0] ^= 1;
    store.save_snapshot(&stored, 4).unwrap();
    assert_eq!(log.fold(room(1), None).await.unwrap(), snapshot.clone().into_room().unwrap());

    assert!(matches!(log.save_snapshot(room(2), &snapshot).await, Err(LogError::BeyondHead { .. })));
    log.append(room(2), 0, chats(6)).await.unwrap();
    assert!(matches!(log.save_snapshot(room(2), &snapshot).await, Err(LogError::BadSnapshot { .. })));
    for seq in 1..=6 {
        let state = log.fold(room(1), Some(seq)).await.unwrap();
        log.save_snapshot(room(1), &RoomSnapshot::of(&state)).await.unwrap();
    }
    assert!(store.snapshot(room(1), 2).unwrap().is_none(), "old snapshots are let go");
    assert_eq!(store.snapshot(room(1), 4).unwrap().unwrap().seq, 4);
}

/// History can be searched by each of its columns.
pub async fn audits_filter_and_page(store: Arc<dyn EventStore>) {
    let log = open(&store);
    log.append(room(1), 0, vec![created()]).await.unwrap();
    for number in 0..20_u64 {
        let mut event = chat("hm");
        (event.actor, event.occurred_at_ms) = (user(u128::from(number % 4)), number as i64);
        log.append(
            room(u128::from(number % 2) + 1),
            log.head(room(u128::from(number % 2) + 1)).unwrap(),
            vec![event],
        )
        .await
        .unwrap();
    }
    let found = async |filter: AuditFilter| log.audit(filter).await.unwrap().len();
    let any = AuditFilter::default;
    assert_eq!(found(any()).await, 21);
    assert_eq!(found(AuditFilter { room: Some(room(1)), ..any() }).await, 11);
    assert_eq!(found(AuditFilter { name: Some("room.created".to_owned()), ..any() }).await, 1);
    assert_eq!(found(AuditFilter { name: Some("no.such".to_owned()), ..any() }).await, 0);
    assert_eq!(found(AuditFilter { actor: Some(user(3)), ..any() }).await, 5);
    assert_eq!(found(AuditFilter { since_ms: Some(5), until_ms: Some(15), ..any() }).await, 10);
    let mixed = AuditFilter { actor: Some(user(2)), room: Some(room(1)), since_ms: Some(3), ..any() };
    assert_eq!(found(mixed).await, 4);
    let mut page = AuditFilter { limit: 8, ..any() };
    let mut seen = Vec::new();
    loop {
        let entries = log.audit(page.clone()).await.unwrap();
        let Some(last) = entries.last() else { break };
        page.after_seq = last.log_seq;
        seen.extend(entries.iter().map(|entry| entry.log_seq));
    }
    assert_eq!(seen, (1..=21).collect::<Vec<_>>());
}

/// The last event of a name is found in each room, whatever came after it and whatever other rooms have.
pub async fn the_latest_of_a_name_is_found(store: Arc<dyn EventStore>) {
    let log = open(&store);
    log.append(room(1), 0, vec![created()]).await.unwrap();
    log.append(room(1), 1, chats(3)).await.unwrap();
    log.append(room(2), 0, chats(1)).await.unwrap();
    log.append(room(1), 4, vec![created()]).await.unwrap();
    log.append(room(1), 5, chats(2)).await.unwrap();
    let place = async |number, name| {
        let found = log.latest(room(number), name).await.unwrap();
        found.map(|entry| (entry.room_id == room(number), entry.name == name, entry.seq))
    };
    assert_eq!(place(1, "room.created").await, Some((true, true, 5)));
    assert_eq!(place(1, "room.chat_message_posted").await, Some((true, true, 7)));
    assert_eq!(place(2, "room.chat_message_posted").await, Some((true, true, 1)));
    assert_eq!(place(2, "room.created").await, None);
    assert_eq!(place(3, "room.created").await, None);
}

/// What was written by the log is found to be sound, and equal logs have equal hashes.
pub async fn sound_chains_verify(store: Arc<dyn EventStore>) {
    let log = open(&store);
    for expected in 0..30 {
        for number in 1..=3 {
            log.append(room(number), expected, chats(1)).await.unwrap();
        }
    }
    let reports = log.verify(None).await.unwrap();
    let heads = log.rooms().unwrap();
    assert_eq!(reports.len(), 3);
    for (report, head) in reports.iter().zip(&heads) {
        assert_eq!((report.room_id, report.events, report.hash), (head.room_id, 30, head.hash));
        assert_eq!(report.first_bad, None);
    }
    assert_eq!(log.verify(Some(room(2))).await.unwrap(), reports[1..2]);
    // A row that no writer of ours made.
    let mut forged = store.read(room(1), 29, 1, usize::MAX).unwrap().remove(0);
    (forged.seq, forged.log_seq, forged.event_id) = (31, 91, chat("").event_id);
    match store.commit(&[forged]) {
        Ok(()) => {
            let bad = log.verify(None).await.unwrap()[0].first_bad.unwrap();
            assert_eq!((bad.seq, bad.fault), (31, ChainFault::Altered));
        }
        // One that others write to looks at what it takes.
        Err(refused) => {
            assert!(store.is_shared() && matches!(refused, LogError::Conflict { .. }), "{refused}");
            assert_eq!(log.verify(None).await.unwrap(), reports);
        }
    }
}

/// An export brings a log elsewhere, whole, with the same hashes, and only once.
pub async fn exports_are_taken_in_elsewhere(store: Arc<dyn EventStore>) {
    let log = open(&store);
    log.append(room(1), 0, vec![created()]).await.unwrap();
    log.append(room(1), 1, chats(1200)).await.unwrap();
    log.append(room(2), 0, chats(2)).await.unwrap();
    let file = Written::default();
    assert_eq!(log.export_jsonl(None, file.clone()).await.unwrap(), 1203);
    let text = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();

    let other = Log::in_memory();
    other.append(room(3), 0, chats(1)).await.unwrap();
    assert_eq!(other.import_jsonl(std::io::Cursor::new(text.clone())).await.unwrap(), 1203);
    assert_eq!(other.import_jsonl(std::io::Cursor::new(text.clone())).await.unwrap(), 0);
    assert_eq!(other.rooms().unwrap()[..2], log.rooms().unwrap());
    assert_eq!(all(&other, room(1)).await, all(&log, room(1)).await);

    let altered = text.replacen("\"600\"", "\"601\"", 1);
    let refused = Log::in_memory().import_jsonl(std::io::Cursor::new(altered)).await.unwrap_err();
    assert_eq!(refused, LogError::ForeignHistory { room: room(1), seq: 601 });
    let cut = text.lines().skip(1).collect::<Vec<_>>().join("\n");
    let refused = Log::in_memory().import_jsonl(std::io::Cursor::new(cut)).await.unwrap_err();
    assert_eq!(refused, LogError::ForeignHistory { room: room(1), seq: 2 });
    let refused = Log::in_memory().import_jsonl(std::io::Cursor::new("{}\n")).await.unwrap_err();
    assert!(matches!(refused, LogError::BadImport { line: 1, .. }));
}

/// After the end everybody is told, nobody waits.
pub async fn a_closed_log_says_so(store: Arc<dyn EventStore>) {
    let log = open(&store);
    log.append(room(1), 0, chats(1)).await.unwrap();
    let mut cursor = log.subscribe(room(1), 1);
    let waiting = tokio::spawn(async move { cursor.next().await });
    log.clone().close();
    assert_eq!(waiting.await.unwrap(), Err(LogError::Closed));
    assert_eq!(log.append(room(1), 1, chats(1)).await, Err(LogError::Closed));
    assert_eq!(log.head(room(1)), Err(LogError::Closed));
    assert_eq!(log.read(room(1), 0, 1).await, Err(LogError::Closed));
    assert!(log.heads(room(1)).changed().await.is_err());
}

/// What does not fit into the queue is refused, not kept.
pub async fn a_full_queue_refuses_at_once(store: Arc<dyn EventStore>) {
    let options = LogOptions { queue_events: 10, queue_bytes: 1000, ..LogOptions::default() };
    let log = Log::over(Arc::clone(&store), options).unwrap();
    assert_eq!(log.append(room(1), 0, chats(11)).await, Err(LogError::Overloaded));
    let long = "x".repeat(1000);
    assert_eq!(log.append(room(1), 0, vec![chat(&long)]).await, Err(LogError::Overloaded));
    assert_eq!(log.append(room(1), 0, chats(10)).await.unwrap().len(), 10);
}
