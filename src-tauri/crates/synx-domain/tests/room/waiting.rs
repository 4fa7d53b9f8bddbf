//! A room that waits for everybody: another track stands at its beginning until it is released.

use crate::{NOTHING, ask};
use synx_domain::{Command, LoopRegion, RoomEvent, SettingsChange, SyncCause, Transport};
use synx_testkit::events::{ADA, BEN, LEAD_US, RoomLog, TRACK_US, epoch, hash};

const SECOND_US: i64 = 1_000_000;

fn waits(wait_for_all: bool) -> Command {
    let change = SettingsChange { wait_for_all: Some(wait_for_all), ..SettingsChange::default() };
    Command::UpdateSettings { change }
}

/// Tracks 1 to 3 in the queue of a room that waits, nothing loaded.
fn three() -> RoomLog {
    RoomLog::with_people().shared(1).shared(2).shared(3).did(ADA, waits(true))
}

const PLAY: Command = Command::Play { track: None };

/// Track 1 is awaited from now on.
fn awaiting() -> RoomLog {
    three().did(BEN, PLAY).after_us(LEAD_US)
}

/// Track 1 plays; its first sample is heard now.
fn playing() -> RoomLog {
    released(awaiting()).after_us(LEAD_US)
}

fn transport(log: &RoomLog) -> Transport {
    log.room().transport.clone().expect("a transport")
}

fn release(log: &RoomLog) -> Command {
    Command::Release { revision: transport(log).revision }
}

fn released(log: RoomLog) -> RoomLog {
    let release = release(&log);
    log.did(ADA, release)
}

fn advanced(log: RoomLog, awaits: bool) -> RoomLog {
    let revision = transport(&log).revision;
    log.did(ADA, Command::Advance { revision, awaits })
}

/// Track, position, playing, awaiting.
fn state(log: &RoomLog) -> (u8, i64, bool, bool) {
    let transport = transport(log);
    let track = transport.current.map_or(0, |current| current.track.as_bytes()[0]);
    (track, transport.anchor.position_us, transport.playing, transport.awaits)
}

fn cause(log: &RoomLog) -> SyncCause {
    match log.envelopes().last().map(|envelope| &envelope.event) {
        Some(RoomEvent::PlaybackSynced { cause, .. }) => *cause,
        other => panic!("no transport: {other:?}"),
    }
}

#[test]
fn another_track_stands_at_its_beginning_until_it_is_released() {
    let second = playing().room().queue.items()[1].id;
    for log in [
        awaiting(),
        three().did(BEN, Command::Skip { to: None }),
        three().did(BEN, Command::Play { track: Some(hash(1)) }),
    ] {
        assert_eq!(state(&log), (1, 0, false, true));
    }
    for command in [
        Command::Skip { to: None },
        Command::Skip { to: Some(second) },
        Command::Play { track: Some(hash(2)) },
        Command::Dequeue { id: transport(&playing()).current.unwrap().item },
    ] {
        assert_eq!(state(&playing().did(BEN, command.clone())), (2, 0, false, true), "{command:?}");
    }
}

#[test]
fn a_release_starts_it_a_lead_ahead() {
    let log = awaiting().after_us(7 * SECOND_US);
    let due_us = log.now().room_time_us + LEAD_US;
    let log = released(log);
    assert_eq!((state(&log), cause(&log)), ((1, 0, true, false), SyncCause::Released));
    assert_eq!(transport(&log).anchor.room_time_us, due_us);
}

#[test]
fn a_release_that_looked_at_an_older_transport_changes_nothing() {
    let stale = release(&awaiting());
    for log in [
        playing(),
        awaiting().did(BEN, Command::Skip { to: None }),
        awaiting().did(BEN, Command::Pause),
        awaiting().restarted(2),
    ] {
        assert_eq!(ask(&log, ADA, stale.clone()), NOTHING);
    }
    assert_eq!(ask(&playing(), ADA, release(&playing())), NOTHING, "it plays already");
}

#[test]
fn what_is_heard_already_waits_for_nobody() {
    let paused = playing().after_us(SECOND_US).did(BEN, Command::Pause);
    assert_eq!(state(&paused.did(BEN, PLAY)), (1, SECOND_US + LEAD_US, true, false));
    let first = transport(&playing()).current.unwrap().item;
    for command in [
        Command::Seek { position_us: SECOND_US },
        Command::Skip { to: Some(first) },
        Command::Play { track: Some(hash(1)) },
    ] {
        assert!(transport(&playing().did(BEN, command.clone())).playing, "{command:?}");
    }
}

#[test]
fn a_room_that_does_not_wait_plays_at_once() {
    let log = three().did(ADA, waits(false)).did(BEN, PLAY);
    assert_eq!(state(&log), (1, 0, true, false));
}

#[test]
fn who_is_in_control_starts_without_the_rest() {
    let log = awaiting().did(BEN, PLAY);
    assert_eq!((state(&log), cause(&log)), ((1, 0, true, false), SyncCause::Play));
}

#[test]
fn a_pause_ends_the_waiting() {
    assert_eq!(state(&awaiting().did(BEN, Command::Pause)), (1, 0, false, false));
}

#[test]
fn a_seek_or_a_loop_moves_what_is_awaited() {
    let sought = awaiting().did(BEN, Command::Seek { position_us: 9 * SECOND_US });
    assert_eq!(state(&sought), (1, 9 * SECOND_US, false, true));
    let region = LoopRegion { begin_us: 10 * SECOND_US, end_us: 14 * SECOND_US };
    let looped = sought.did(BEN, Command::SetLoop { region: Some(region) });
    assert_eq!(state(&looped), (1, 10 * SECOND_US, false, true));
    let released = released(looped);
    assert_eq!(state(&released), (1, 10 * SECOND_US, true, false));
    assert_eq!(transport(&released).loop_region, Some(region));
}

#[test]
fn another_track_can_be_chosen_while_one_is_awaited() {
    assert_eq!(state(&awaiting().did(BEN, Command::Skip { to: None })), (2, 0, false, true));
    let first = transport(&awaiting()).current.unwrap().item;
    assert_eq!(state(&awaiting().did(BEN, Command::Skip { to: Some(first) })), (1, 0, false, true));
    assert_eq!(state(&awaiting().did(BEN, Command::Dequeue { id: first })), (2, 0, false, true));
}

#[test]
fn the_next_track_follows_without_a_gap_unless_somebody_lacks_it() {
    assert_eq!(state(&advanced(playing(), false)), (2, 0, true, false));
    let end_us = transport(&playing()).anchor.room_time_us + TRACK_US;
    let held = advanced(playing(), true);
    assert_eq!((state(&held), cause(&held)), ((2, 0, false, true), SyncCause::Advance));
    assert_eq!(transport(&held).anchor.room_time_us, end_us);
    // Nobody waits where the room does not.
    assert_eq!(state(&advanced(playing().did(ADA, waits(false)), true)), (2, 0, true, false));
}

#[test]
fn what_is_released_before_the_track_before_has_ended_begins_at_its_end() {
    let held = advanced(playing().after_us(TRACK_US - 700_000), true);
    let end_us = transport(&held).anchor.room_time_us;
    assert_eq!(transport(&released(held.clone())).anchor.room_time_us, end_us);
    assert_eq!(transport(&held.clone().did(BEN, PLAY)).anchor.room_time_us, end_us);
    let late = held.after_us(5 * SECOND_US);
    let due_us = late.now().room_time_us + LEAD_US;
    assert_eq!(transport(&released(late)).anchor.room_time_us, due_us);
}

#[test]
fn what_is_awaited_has_no_end() {
    let revision = transport(&awaiting()).revision;
    assert_eq!(ask(&awaiting(), ADA, Command::Advance { revision, awaits: true }), NOTHING);
}

#[test]
fn a_host_that_starts_again_goes_on_waiting() {
    let resume = |heard_us| Command::ResumeAfterRestart { heard_us, known_us: 0 };
    let log = awaiting().restarted(2).did(ADA, resume(Some(90 * SECOND_US)));
    assert_eq!(state(&log), (1, 0, false, true));
    assert_eq!(transport(&log).epoch, epoch(2));
    assert!(transport(&released(log)).playing);
    // Another track than the one that played meanwhile has to be awaited again.
    let log = playing().restarted(2).did(ADA, resume(Some(TRACK_US + SECOND_US)));
    assert_eq!(state(&log), (2, 0, false, true));
    // Nobody is there to be waited for.
    let log = awaiting().restarted(2).did(ADA, resume(None));
    assert_eq!(state(&log), (1, 0, false, false));
}
