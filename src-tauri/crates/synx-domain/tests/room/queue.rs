//! What plays next, and who may change it.

use crate::{NOTHING, ask};
use synx_domain::{
    Command, LeaveReason, PlaybackControl, QueueChange, QueueItemId, RoomEvent, SettingsChange, SyncCause,
};
use synx_testkit::events::{ADA, BEN, CLEO, RoomLog, command_id, hash};

/// Tracks 1 to 3 in the queue.
fn three() -> RoomLog {
    RoomLog::with_people().shared(1).shared(2).shared(3)
}

fn order(log: &RoomLog) -> Vec<u8> {
    log.room().queue.items().iter().map(|item| item.track.as_bytes()[0]).collect()
}

fn nth(log: &RoomLog, index: usize) -> QueueItemId {
    log.room().queue.items()[index].id
}

fn enqueue(n: u8, index: Option<usize>) -> Command {
    Command::Enqueue { track: hash(n), index }
}

#[test]
fn everybody_adds_at_the_end_and_only_djs_jump_the_queue() {
    let log = three();
    assert_eq!(order(&log.clone().did(CLEO, enqueue(1, None))), [1, 2, 3, 1]);
    assert_eq!(ask(&log, CLEO, enqueue(1, Some(0))), Err("not_allowed"));
    assert_eq!(order(&log.clone().did(BEN, enqueue(3, Some(1)))), [1, 3, 2, 3]);
    assert_eq!(order(&log.clone().did(BEN, enqueue(1, Some(usize::MAX)))), [1, 2, 3, 1]);
    assert_eq!(ask(&log, BEN, enqueue(9, None)), Err("no_such_track"));
}

#[test]
fn an_entry_moves_to_where_it_is_counted_without_it() {
    let log = three();
    let moved = |from, index| {
        let id = nth(&log, from);
        order(&log.clone().did(BEN, Command::MoveInQueue { id, index }))
    };
    assert_eq!(moved(0, 2), [2, 3, 1]);
    assert_eq!(moved(2, 0), [3, 1, 2]);
    assert_eq!(moved(0, 1), [2, 1, 3]);
    assert_eq!(moved(0, usize::MAX), [2, 3, 1]);

    let stay = Command::MoveInQueue { id: nth(&log, 1), index: 1 };
    assert_eq!(ask(&log, BEN, stay.clone()), NOTHING);
    assert_eq!(ask(&log, CLEO, stay), Err("not_allowed"));
    let unknown = Command::MoveInQueue { id: command_id(999), index: 0 };
    assert_eq!(ask(&log, BEN, unknown), Err("no_such_queue_item"));
}

#[test]
fn ones_own_entry_may_be_taken_back_and_djs_take_any() {
    let log = three().did(CLEO, enqueue(1, None));
    let (adas, cleos) = (nth(&log, 0), nth(&log, 3));
    let removed = |id| Ok(vec![RoomEvent::QueueChanged(QueueChange::Removed { id })]);
    assert_eq!(ask(&log, CLEO, Command::Dequeue { id: cleos }), removed(cleos));
    assert_eq!(ask(&log, CLEO, Command::Dequeue { id: adas }), Err("not_allowed"));
    assert_eq!(ask(&log, BEN, Command::Dequeue { id: adas }), removed(adas));
    assert_eq!(ask(&log, BEN, Command::Dequeue { id: command_id(999) }), Err("no_such_queue_item"));
    assert_eq!(order(&log.did(ADA, Command::Dequeue { id: adas })), [2, 3, 1]);
}

#[test]
fn a_listener_cannot_stop_the_music_by_taking_back_what_plays() {
    let log = three().did(CLEO, enqueue(1, None));
    let id = nth(&log, 3);
    let log = log.did(BEN, Command::Skip { to: Some(id) });
    assert_eq!(ask(&log, CLEO, Command::Dequeue { id }), Err("not_allowed"));
    assert!(ask(&log, BEN, Command::Dequeue { id }).is_ok());
}

#[test]
fn the_next_one_takes_the_place_of_a_loaded_entry_that_is_removed() {
    let play = || three().did(BEN, Command::Play { track: None });
    let remove_first = |log: RoomLog| {
        let id = nth(&log, 0);
        log.did(BEN, Command::Dequeue { id })
    };
    for (log, playing) in [(play(), true), (play().did(BEN, Command::Pause), false)] {
        let log = remove_first(log);
        let transport = log.room().transport.clone().unwrap();
        assert_eq!((transport.current.unwrap().item, transport.playing), (nth(&log, 0), playing));
        assert_eq!(transport.anchor.position_us, 0);
        let last = &log.envelopes().last().unwrap().event;
        assert!(matches!(last, RoomEvent::PlaybackSynced { cause: SyncCause::Skip, .. }));
    }
    let emptied = remove_first(remove_first(remove_first(play())));
    let transport = emptied.room().transport.clone().unwrap();
    assert_eq!((transport.current, transport.playing), (None, false));
}

#[test]
fn the_settings_say_who_controls() {
    let allowed = |rule| {
        let change = SettingsChange { playback_control: Some(rule), ..Default::default() };
        let log = three().did(ADA, Command::UpdateSettings { change });
        [ADA, BEN, CLEO].map(|user| ask(&log, user, Command::Play { track: None }).is_ok())
    };
    assert_eq!(allowed(PlaybackControl::Host), [true, false, false]);
    // The room's setting already, so `did` above changes nothing.
    assert_eq!(allowed(PlaybackControl::Djs), [true, true, false]);
    assert_eq!(allowed(PlaybackControl::Everyone), [true, true, true]);
}

#[test]
fn what_somebody_added_stays_when_they_leave() {
    let log = three().did(CLEO, enqueue(2, None)).did(CLEO, Command::Leave { reason: LeaveReason::Left });
    assert_eq!(order(&log), [1, 2, 3, 2]);
}
