//! The whole engine on the null output and the real clock: files in, states and positions out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use synx_clock::ClockEstimate;
use synx_playback::{
    AudioFile, DeviceChoice, Engine, EngineConfig, EngineStatus, Plan, PlayState, TrackHandle, monotonic_us,
};

/// A WAV file of a quiet ramp.
fn wav(folder: &Path, name: &str, seconds: f64, rate_hz: u32) -> PathBuf {
    let frames = (seconds * f64::from(rate_hz)) as u32;
    let data: Vec<u8> = (0..frames).flat_map(|i| ((i % 1000) as i16).to_le_bytes()).collect();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(36 + data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    for word in [16u32.to_le_bytes(), [1, 0, 1, 0], rate_hz.to_le_bytes(), (rate_hz * 2).to_le_bytes()] {
        bytes.extend_from_slice(&word);
    }
    bytes.extend_from_slice(&[2, 0, 16, 0]);
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&(data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&data);
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn engine() -> Engine {
    let engine =
        Engine::start(EngineConfig { device: DeviceChoice::Null, ..EngineConfig::default() }).unwrap();
    engine.set_clock(ClockEstimate::identity());
    engine
}

fn plan(revision: u64, track: &TrackHandle, at_us: i64, position_us: i64) -> Plan {
    Plan {
        track: Some(track.clone()),
        anchor_position_us: position_us,
        playing: true,
        ..Plan::silence(revision, at_us)
    }
}

fn wait_for(engine: &Engine, what: &str, is: impl Fn(&EngineStatus) -> bool) -> EngineStatus {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let status = engine.status();
        if is(&status) {
            return status;
        }
        assert!(Instant::now() < end, "{what} did not come: {status:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_plan_is_heard_at_its_room_time_seeks_pauses_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let track = engine.load(&wav(folder.path(), "a.wav", 4.0, 44_100)).unwrap();
    assert_eq!(track.duration_us(), Some(4_000_000));

    let at = monotonic_us() + 200_000;
    engine.set_plan(plan(1, &track, at, 500_000)).unwrap();
    let playing = wait_for(&engine, "playing", |s| s.state == PlayState::Playing && s.error_us.is_some());
    let expected_s = 0.5 + (monotonic_us() - at) as f64 * 1e-6;
    assert!((playing.position_s - expected_s).abs() < 0.12, "{playing:?} at {expected_s}");
    wait_for(&engine, "in sync", |s| s.error_us.is_some_and(|e| e.abs() < 20.0));
    assert_eq!(engine.status().reanchors, 0);

    let seek_at = monotonic_us() + 150_000;
    engine.set_plan(plan(2, &track, seek_at, 2_000_000)).unwrap();
    wait_for(&engine, "the seek", |s| s.revision == 2 && s.position_s >= 2.0);

    let pause = Plan { playing: false, ..plan(3, &track, monotonic_us() + 100_000, 2_345_000) };
    engine.set_plan(pause).unwrap();
    let paused = wait_for(&engine, "the pause", |s| s.state == PlayState::Paused);
    assert!((paused.position_s - 2.345).abs() < 1e-4, "{paused:?}");

    engine.set_plan(plan(2, &track, monotonic_us(), 0)).unwrap();
    engine.set_plan(plan(4, &track, monotonic_us() + 100_000, 3_900_000)).unwrap();
    wait_for(&engine, "the end", |s| s.state == PlayState::Ended && s.revision == 4);
}

#[test]
fn a_late_join_lands_in_the_running_music() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let track = engine.load(&wav(folder.path(), "a.wav", 60.0, 48_000)).unwrap();
    let before = Instant::now();
    engine.set_plan(plan(7, &track, monotonic_us() - 30_000_000, 0)).unwrap();
    let joined = wait_for(&engine, "playing", |s| s.state == PlayState::Playing && s.revision == 7);
    assert!(joined.position_s > 29.9, "{joined:?}");
    assert!(before.elapsed() < Duration::from_millis(500), "{:?}", before.elapsed());
}

#[test]
fn the_next_track_follows_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let first = engine.load(&wav(folder.path(), "a.wav", 0.5, 48_000)).unwrap();
    let second = engine.load(&wav(folder.path(), "b.wav", 2.0, 44_100)).unwrap();
    let at = monotonic_us() + 150_000;
    engine.set_plan(plan(1, &first, at, 0)).unwrap();
    wait_for(&engine, "the first", |s| s.track == Some(first.id()) && s.state == PlayState::Playing);
    engine.set_plan(Plan { gapless: true, ..plan(2, &second, at + 500_000, 0) }).unwrap();
    let second = Some(second.id());
    let status = wait_for(&engine, "the second", |s| s.track == second && s.state == PlayState::Playing);
    assert_eq!(status.reanchors, 0);
    assert!(status.error_us.unwrap().abs() < 100.0, "{status:?}");
}

#[test]
fn a_track_that_is_still_coming_plays_as_far_as_it_is_here_and_on_when_more_comes() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let whole = wav(folder.path(), "a.wav", 10.0, 48_000);
    let (part, bytes) = (folder.path().join("a.part"), std::fs::read(&whole).unwrap());
    std::fs::write(&part, &bytes[..20]).unwrap();
    let (growing, complete) = (part.clone(), whole.clone());
    let locate = move || match growing.exists() {
        true => Some(AudioFile::Growing(growing.clone())),
        false => Some(AudioFile::Whole(complete.clone())),
    };
    TrackHandle::open_growing(&part, locate.clone()).expect_err("of twenty bytes nothing can be played");

    // Half a second of it is here, and the room is two seconds into it when the next second comes.
    std::fs::write(&part, &bytes[..48_000]).unwrap();
    let track = TrackHandle::open_growing(&part, locate).unwrap();
    engine.set_plan(plan(1, &track, monotonic_us() + 100_000, 0)).unwrap();
    wait_for(&engine, "the first half second", |s| s.state == PlayState::Playing);
    wait_for(&engine, "dry", |s| s.state == PlayState::Buffering && s.position_s > 2.0);
    std::fs::write(&part, &bytes[..480_000]).unwrap();
    let back = wait_for(&engine, "the next seconds", |s| s.state == PlayState::Playing);
    assert!((2.0..4.0).contains(&back.position_s) && back.reanchors == 0, "{back:?}");

    engine.set_plan(plan(2, &track, monotonic_us() + 100_000, 9_000_000)).unwrap();
    wait_for(&engine, "dry again", |s| s.revision == 2 && s.state == PlayState::Buffering);
    std::fs::remove_file(&part).unwrap();
    wait_for(&engine, "the rest", |s| s.revision == 2 && s.state == PlayState::Playing);
    wait_for(&engine, "the end", |s| s.state == PlayState::Ended);
}

#[test]
fn a_loop_stays_in_its_region() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let track = engine.load(&wav(folder.path(), "a.wav", 3.0, 48_000)).unwrap();
    let looped = Plan {
        loop_region: Some((1_000_000, 1_200_000)),
        ..plan(1, &track, monotonic_us() + 100_000, 900_000)
    };
    engine.set_plan(looped).unwrap();
    wait_for(&engine, "playing", |s| s.state == PlayState::Playing);
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        let status = engine.status();
        assert!((0.8..1.31).contains(&status.position_s), "{status:?}");
        assert_ne!(status.state, PlayState::Ended);
    }
}

#[test]
fn a_missing_device_stops_sound_but_not_time() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    engine.set_device(DeviceChoice::Named("there_is_no_such_card".to_owned()));
    let track = engine.load(&wav(folder.path(), "a.wav", 5.0, 48_000)).unwrap();
    engine.set_plan(plan(1, &track, monotonic_us() - 1_000_000, 0)).unwrap();
    let status = wait_for(&engine, "no device", |s| s.state == PlayState::NoDevice && s.position_s > 1.0);
    assert!(status.device_trouble.is_some() && status.error_us.is_none(), "{status:?}");
    engine.set_device(DeviceChoice::Null);
    wait_for(&engine, "the return", |s| s.state == PlayState::Playing && s.error_us.is_some());
}

#[test]
fn a_file_that_vanishes_is_reported_and_the_engine_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let path = wav(folder.path(), "a.wav", 1.0, 48_000);
    let track = engine.load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    engine.set_plan(plan(1, &track, monotonic_us(), 0)).unwrap();
    let status = wait_for(&engine, "the fault", |s| s.track_trouble.is_some());
    assert!(status.track_trouble.unwrap().contains("a.wav"));
    let other = engine.load(&wav(folder.path(), "b.wav", 5.0, 48_000)).unwrap();
    engine.set_plan(plan(2, &other, monotonic_us(), 0)).unwrap();
    wait_for(&engine, "another track", |s| s.state == PlayState::Playing && s.track_trouble.is_none());
}
