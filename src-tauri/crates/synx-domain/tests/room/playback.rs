//! The transport: what is heard at which instant of room time.

use crate::{NOTHING, ask};
use synx_domain::{Anchor, Command, LoopRegion, RoomEvent, SyncCause, Transport};
use synx_testkit::events::{BEN, CLEO, LEAD_US, RoomLog, TRACK_US, epoch, hash};

const SECOND_US: i64 = 1_000_000;

/// Tracks 1 and 2 in the queue, nothing loaded.
fn two() -> RoomLog {
    RoomLog::with_people().shared(1).shared(2)
}

/// Track 1 plays; its first sample is heard now.
fn playing() -> RoomLog {
    two().did(BEN, Command::Play { track: None }).after_us(LEAD_US)
}

/// The transport that a command leads to, in short: track, anchor relative to now plus lead, position, playing, cause.
type Heard = (u8, i64, i64, bool, SyncCause);

fn heard(log: &RoomLog, command: Command) -> Heard {
    let mut after = log.clone();
    let events = after.send(BEN, command).expect("accepted");
    let Some(RoomEvent::PlaybackSynced { transport, cause }) = events.last() else {
        panic!("no transport: {events:?}");
    };
    assert_eq!(transport.epoch, log.now().epoch);
    let due_us = log.now().room_time_us + LEAD_US;
    let Anchor { room_time_us, position_us } = transport.anchor;
    let track = transport.current.map_or(0, |current| current.track.as_bytes()[0]);
    (track, room_time_us - due_us, position_us, transport.playing, *cause)
}

fn transport(log: &RoomLog) -> Transport {
    log.room().transport.clone().expect("a transport")
}

fn advance(log: &RoomLog) -> Command {
    Command::Advance { revision: transport(log).revision, awaits: false }
}

#[test]
fn play_starts_the_head_of_the_queue_a_lead_ahead() {
    assert_eq!(heard(&two(), Command::Play { track: None }), (1, 0, 0, true, SyncCause::Play));
    assert_eq!(ask(&RoomLog::with_people(), BEN, Command::Play { track: None }), Err("nothing_to_play"));
}

#[test]
fn every_control_needs_the_right() {
    let log = playing();
    for command in [
        Command::Play { track: None },
        Command::Play { track: Some(hash(1)) },
        Command::Pause,
        Command::Seek { position_us: 0 },
        Command::SetLoop { region: None },
        Command::Skip { to: None },
    ] {
        assert_eq!(ask(&log, CLEO, command), Err("not_allowed"));
    }
}

#[test]
fn pause_holds_the_position_that_is_heard_when_it_takes_effect() {
    let log = playing().after_us(5 * SECOND_US);
    let held_us = 5 * SECOND_US + LEAD_US;
    assert_eq!(heard(&log, Command::Pause), (1, 0, held_us, false, SyncCause::Pause));
    assert_eq!(ask(&log, BEN, Command::Play { track: None }), NOTHING);

    let paused = log.did(BEN, Command::Pause).after_us(60 * SECOND_US);
    assert_eq!(ask(&paused, BEN, Command::Pause), NOTHING);
    assert_eq!(ask(&two(), BEN, Command::Pause), NOTHING);
    assert_eq!(heard(&paused, Command::Play { track: None }), (1, 0, held_us, true, SyncCause::Play));
}

#[test]
fn a_change_never_takes_effect_before_one_that_is_scheduled() {
    let log = two().did(BEN, Command::Play { track: None }).after_us(-LEAD_US / 2);
    assert_eq!(heard(&log, Command::Pause), (1, LEAD_US / 2, 0, false, SyncCause::Pause));
}

#[test]
fn pause_after_the_end_holds_the_end() {
    let log = playing().after_us(2 * TRACK_US);
    assert_eq!(heard(&log, Command::Pause), (1, 0, TRACK_US, false, SyncCause::Pause));
}

#[test]
fn seek_stays_within_the_track_and_keeps_playing_or_not() {
    let seek = |position_us| Command::Seek { position_us };
    let paused = playing().did(BEN, Command::Pause);
    assert_eq!(heard(&playing(), seek(SECOND_US)), (1, 0, SECOND_US, true, SyncCause::Seek));
    assert!(!heard(&paused, seek(SECOND_US)).3);
    assert_eq!(heard(&playing(), seek(i64::MIN)).2, 0);
    assert_eq!(heard(&playing(), seek(i64::MAX)).2, TRACK_US);
    assert_eq!(ask(&two(), BEN, seek(0)), Err("nothing_to_play"));
}

#[test]
fn skip_goes_to_the_next_or_the_named_entry() {
    let log = playing();
    let [first, second] = [0, 1].map(|index| log.room().queue.items()[index].id);
    assert_eq!(heard(&two(), Command::Skip { to: None }), (1, 0, 0, true, SyncCause::Skip));
    assert_eq!(heard(&log, Command::Skip { to: None }), (2, 0, 0, true, SyncCause::Skip));
    assert_eq!(heard(&log, Command::Skip { to: Some(first) }), (1, 0, 0, true, SyncCause::Skip));

    let last = log.clone().did(BEN, Command::Skip { to: Some(second) });
    assert_eq!(ask(&last, BEN, Command::Skip { to: None }), Err("nothing_to_play"));
    let unknown = Command::Skip { to: Some(last.last_command()) };
    assert_eq!(ask(&last, BEN, unknown), Err("no_such_queue_item"));
    assert_eq!(ask(&RoomLog::with_people(), BEN, Command::Skip { to: None }), Err("nothing_to_play"));
}

#[test]
fn a_named_track_plays_from_its_entry_or_is_added() {
    let named = |n| Command::Play { track: Some(hash(n)) };
    assert_eq!(heard(&playing(), named(2)), (2, 0, 0, true, SyncCause::Play));
    assert_eq!(ask(&playing(), BEN, named(9)), Err("no_such_track"));

    let log = two();
    let id = log.room().queue.items()[1].id;
    let log = log.did(BEN, Command::Dequeue { id }).did(BEN, named(2));
    let added = log.room().queue.items()[1].clone();
    assert_eq!((added.id, added.track), (log.last_command(), hash(2)));
    assert_eq!(transport(&log).current.unwrap().item, added.id);
}

#[test]
fn the_next_track_follows_at_the_exact_end() {
    let log = playing().after_us(3 * SECOND_US);
    let start_us = transport(&log).anchor.room_time_us;
    let log = log.clone().did(BEN, advance(&log));
    let (next, anchor) = (transport(&log), transport(&log).anchor);
    assert_eq!((next.current.unwrap().track, next.playing), (hash(2), true));
    assert_eq!((anchor.room_time_us, anchor.position_us), (start_us + TRACK_US, 0));
    assert_eq!(next.position_us_at(start_us + TRACK_US + 7), 7);
}

#[test]
fn an_advance_counts_from_where_a_seek_went() {
    let log = playing().did(BEN, Command::Seek { position_us: TRACK_US - SECOND_US });
    let start_us = transport(&log).anchor.room_time_us;
    let log = log.clone().did(BEN, advance(&log));
    assert_eq!(transport(&log).anchor.room_time_us, start_us + SECOND_US);
}

#[test]
fn the_last_track_ends_at_its_end_and_play_goes_on_from_there() {
    let log = playing().did(BEN, Command::Skip { to: None });
    let ended = log.clone().did(BEN, advance(&log)).after_us(2 * TRACK_US);
    let last = transport(&ended);
    assert_eq!((last.playing, last.anchor.position_us), (false, TRACK_US));
    assert!(matches!(
        ended.envelopes().last().unwrap().event,
        RoomEvent::PlaybackSynced { cause: SyncCause::QueueEnded, .. }
    ));

    assert_eq!(heard(&ended, Command::Play { track: None }), (2, 0, 0, true, SyncCause::Play));
    let more = ended.shared(3);
    assert_eq!(heard(&more, Command::Play { track: None }), (3, 0, 0, true, SyncCause::Play));
}

#[test]
fn an_advance_that_looked_at_an_older_transport_changes_nothing() {
    let log = playing();
    let stale = advance(&log);
    for log in [
        two(),
        log.clone().did(BEN, Command::Seek { position_us: 0 }),
        log.clone().did(BEN, Command::Pause),
        log.restarted(2),
    ] {
        assert_eq!(ask(&log, BEN, stale.clone()), NOTHING);
    }
    let paused = playing().did(BEN, Command::Pause);
    assert_eq!(ask(&paused, BEN, advance(&paused)), NOTHING);
}

/// The host came back while somebody heard the music go on.
fn resume(elapsed_us: i64) -> Command {
    Command::ResumeAfterRestart { heard_us: Some(elapsed_us), known_us: SECOND_US }
}

#[test]
fn a_restart_carries_the_music_over() {
    let restarted = playing().restarted(2);
    let cause = SyncCause::HostRestarted;
    assert_eq!(heard(&restarted, resume(90 * SECOND_US)), (1, 0, 90 * SECOND_US, true, cause));
    let sought = playing().did(BEN, Command::Seek { position_us: SECOND_US }).restarted(2);
    assert_eq!(heard(&sought, resume(-5)), (1, 0, SECOND_US, true, cause));
    // The track ended meanwhile: the next one starts, unless the host was away for long.
    assert_eq!(heard(&restarted, resume(TRACK_US + SECOND_US)), (2, 0, 0, true, cause));
    assert_eq!(heard(&restarted, resume(TRACK_US + 61 * SECOND_US)), (1, 0, SECOND_US, false, cause));
    assert_eq!(heard(&restarted, resume(i64::MAX)), (1, 0, SECOND_US, false, cause));

    let last = playing().did(BEN, Command::Skip { to: None }).restarted(2);
    assert_eq!(heard(&last, resume(TRACK_US)), (2, 0, TRACK_US, false, cause));
}

#[test]
fn what_nobody_heard_stands_where_it_was_when_the_host_was_last_seen() {
    let unheard = |known_us| Command::ResumeAfterRestart { heard_us: None, known_us };
    let cause = SyncCause::HostRestarted;
    let sought = playing().did(BEN, Command::Seek { position_us: SECOND_US });
    let restarted = sought.clone().restarted(2);
    assert_eq!(heard(&restarted, unheard(5 * SECOND_US)), (1, 0, 6 * SECOND_US, false, cause));
    assert_eq!(heard(&restarted, unheard(-5)), (1, 0, SECOND_US, false, cause));
    assert_eq!(heard(&restarted, unheard(i64::MAX)), (1, 0, TRACK_US, false, cause));
    let region = Some(LoopRegion { begin_us: 0, end_us: 2 * SECOND_US });
    let looped = sought.did(BEN, Command::SetLoop { region }).restarted(2);
    assert_eq!(heard(&looped, unheard(2 * SECOND_US)).2, SECOND_US);
}

#[test]
fn a_restart_leaves_what_is_paused_or_carried_over_alone() {
    let paused = playing().did(BEN, Command::Pause).restarted(2);
    let unheard = Command::ResumeAfterRestart { heard_us: None, known_us: SECOND_US };
    for resume in [resume(SECOND_US), resume(10 * TRACK_US), unheard] {
        assert_eq!(heard(&paused, resume), (1, 0, LEAD_US, false, SyncCause::HostRestarted));
    }
    let resumed = paused.did(BEN, resume(SECOND_US));
    assert_eq!(transport(&resumed).epoch, epoch(2));
    assert_eq!(ask(&resumed, BEN, resume(SECOND_US)), NOTHING);
    assert_eq!(ask(&two().restarted(2), BEN, resume(SECOND_US)), NOTHING);
}

#[test]
fn room_time_of_an_earlier_epoch_holds_nothing_back() {
    let log = playing();
    let old_us = transport(&log).anchor.room_time_us;
    let log = log.restarted(2).after_us(old_us - LEAD_US - 1);
    assert_eq!(heard(&log, resume(0)).1, 0);
}

#[test]
fn pause_before_the_music_is_carried_over_holds_the_old_position() {
    let log = playing().did(BEN, Command::Seek { position_us: SECOND_US });
    let log = log.restarted(2).after_us(60 * SECOND_US);
    assert_eq!(heard(&log, Command::Pause), (1, 0, SECOND_US, false, SyncCause::Pause));
}

#[test]
fn numbers_at_their_limits_break_nothing() {
    let anchor = Anchor { room_time_us: 0, position_us: i64::MAX };
    let forged = Transport { revision: u64::MAX, anchor, ..transport(&playing()) };
    let log = playing().with(BEN, RoomEvent::PlaybackSynced { transport: forged, cause: SyncCause::Seek });
    assert_eq!(heard(&log, Command::Pause), (1, 0, TRACK_US, false, SyncCause::Pause));

    let log = log.clone().did(BEN, advance(&log));
    assert_eq!(transport(&log).anchor, Anchor { position_us: 0, ..anchor });
    assert_eq!(transport(&log).revision, u64::MAX);
}

#[test]
fn before_its_instant_a_transport_stands_at_its_anchor() {
    let transport = transport(&playing());
    let anchor = transport.anchor;
    assert_eq!(transport.position_us_at(i64::MIN), anchor.position_us);
    assert_eq!(transport.position_us_at(anchor.room_time_us + 3), anchor.position_us + 3);
    assert_eq!(transport.position_us_at(i64::MAX), i64::MAX - anchor.room_time_us);
    let paused = Transport { playing: false, ..transport };
    assert_eq!(paused.position_us_at(i64::MAX), anchor.position_us);
}
