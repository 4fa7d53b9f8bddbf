//! A part of a track that is repeated.

use crate::{NOTHING, ask};
use synx_domain::{Command, LoopRegion, RoomEvent, SyncCause, Transport};
use synx_testkit::events::{BEN, LEAD_US, RoomLog, TRACK_US};

const SECOND_US: i64 = 1_000_000;
/// Seconds 10 to 14.
const REGION: LoopRegion = LoopRegion { begin_us: 10 * SECOND_US, end_us: 14 * SECOND_US };

fn set_loop(region: Option<LoopRegion>) -> Command {
    Command::SetLoop { region }
}

fn seek(position_us: i64) -> Command {
    Command::Seek { position_us }
}

/// Track 1 plays and is heard at `position_us` now.
fn playing_at(position_us: i64) -> RoomLog {
    let log = RoomLog::with_people().shared(1).shared(2).did(BEN, Command::Play { track: None });
    log.after_us(LEAD_US).did(BEN, seek(position_us)).after_us(LEAD_US)
}

fn transport(log: &RoomLog) -> Transport {
    log.room().transport.clone().expect("a transport")
}

/// Where the music is so long after a log's last change took effect.
fn position_after_us(log: &RoomLog, us: i64) -> i64 {
    let transport = transport(log);
    transport.position_us_at(transport.anchor.room_time_us + us)
}

#[test]
fn the_music_goes_round_and_the_position_never_leaves_the_region() {
    let log = playing_at(11 * SECOND_US).did(BEN, set_loop(Some(REGION)));
    assert_eq!(transport(&log).anchor.position_us, 11 * SECOND_US + LEAD_US);
    let left_us = REGION.end_us - transport(&log).anchor.position_us;
    assert_eq!(position_after_us(&log, left_us - 1), REGION.end_us - 1);
    assert_eq!(position_after_us(&log, left_us), REGION.begin_us);
    assert_eq!(position_after_us(&log, left_us + 9 * SECOND_US), 11 * SECOND_US);
}

#[test]
fn music_outside_of_a_new_loop_moves_to_its_beginning() {
    for start_us in [2 * SECOND_US, REGION.end_us, 20 * SECOND_US] {
        let log = playing_at(start_us).did(BEN, set_loop(Some(REGION)));
        assert_eq!(transport(&log).anchor.position_us, REGION.begin_us);
    }
}

#[test]
fn who_goes_behind_the_loop_leaves_it_and_who_goes_before_it_runs_into_it() {
    let looping = playing_at(11 * SECOND_US).did(BEN, set_loop(Some(REGION)));
    let before = looping.clone().after_us(LEAD_US).did(BEN, seek(8 * SECOND_US));
    assert_eq!(transport(&before).repeats(), Some(REGION));
    assert_eq!(position_after_us(&before, 7 * SECOND_US), 11 * SECOND_US);
    let behind = looping.after_us(LEAD_US).did(BEN, seek(15 * SECOND_US));
    assert_eq!(transport(&behind).loop_region, None);
}

#[test]
fn a_loop_outlasts_pause_and_restart_but_not_its_track() {
    let looping = playing_at(11 * SECOND_US).did(BEN, set_loop(Some(REGION))).after_us(LEAD_US);
    let paused = looping.clone().after_us(5 * SECOND_US).did(BEN, Command::Pause);
    assert_eq!(transport(&paused).loop_region, Some(REGION));
    let position_us = transport(&paused).anchor.position_us;
    assert!((REGION.begin_us..REGION.end_us).contains(&position_us), "{position_us}");
    let skipped = looping.did(BEN, Command::Skip { to: None });
    assert_eq!(transport(&skipped).loop_region, None);
}

#[test]
fn a_loop_has_no_end_to_announce() {
    let log = playing_at(11 * SECOND_US).did(BEN, set_loop(Some(REGION))).after_us(LEAD_US);
    let revision = transport(&log).revision;
    assert_eq!(ask(&log, BEN, Command::Advance { revision, awaits: false }), NOTHING);
    let mut after = log.did(BEN, set_loop(None)).after_us(LEAD_US);
    let revision = transport(&after).revision;
    let events = after.send(BEN, Command::Advance { revision, awaits: false }).expect("accepted");
    assert!(
        matches!(events[..], [RoomEvent::PlaybackSynced { cause: SyncCause::Advance, .. }]),
        "{events:?}"
    );
}

#[test]
fn a_loop_must_lie_in_the_track_and_be_long_enough_to_be_heard() {
    let log = playing_at(0);
    for (begin_us, end_us) in [
        (-1, SECOND_US),
        (0, TRACK_US + 1),
        (SECOND_US, SECOND_US + LoopRegion::SHORTEST_US - 1),
        (2 * SECOND_US, SECOND_US),
        (i64::MIN, i64::MAX),
    ] {
        let region = Some(LoopRegion { begin_us, end_us });
        assert_eq!(ask(&log, BEN, set_loop(region)), Err("invalid"), "{region:?}");
    }
    assert_eq!(ask(&log, BEN, set_loop(None)), NOTHING);
    assert_eq!(ask(&RoomLog::with_people(), BEN, set_loop(Some(REGION))), Err("nothing_to_play"));
}
