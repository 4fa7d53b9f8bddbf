//! Hours of drift in seconds: the real clock filter, feeder, servo and renderer on simulated cards, clocks and paths.

mod world;

use std::sync::atomic::Ordering;

use synx_testkit::{Delay, Link, SimClock};

use crate::servo::MAX_PPM;
use crate::shared::Sounding;
use world::{World, spread};

pub(crate) use world::{Phasor, track};

fn loopback(seed: u64) -> Link {
    Link::new(Delay::Uniform(20.0, 80.0), seed)
}

fn jittery(seed: u64) -> Link {
    Link::new(Delay::Uniform(5e3, 35e3), seed).stalling(10e6, 100e3)
}

/// A world that plays from true second 2 on; returns it with the room time of the start.
fn playing(card_ppm: f64, peer_ppm: f64, host_ppm: f64, link: Link, seed: u64) -> (World, f64) {
    let host = SimClock::new(host_ppm, 4e9);
    let mut world = World::new(card_ppm, SimClock::new(peer_ppm, 1e12), host, link, seed);
    world.run_until(1.0);
    let at = host.read_us(2e6);
    world.play(1, &track(), at, 0);
    (world, at)
}

fn check(name: &str, link: impl Fn(u64) -> Link, seconds: f64, limits_us: [f64; 3]) {
    for (seed, (card, peer, host)) in
        [(-100.0, 0.0, 50.0), (100.0, 50.0, -50.0), (0.0, 0.0, 0.0)].iter().enumerate()
    {
        let (mut world, at) = playing(*card, *peer, *host, link(seed as u64), seed as u64);
        world.run_until(seconds);
        let got = spread(&world.errors_us(60.0, at));
        println!("{name}: card {card:+} peer {peer:+} host {host:+} ppm: {got:.1?} us");
        assert!(got.iter().zip(limits_us).all(|(g, l)| *g <= l), "{name}: {got:?} over {limits_us:?}");
        assert_eq!(world.snapshot().reanchors, 0);
        assert!(world.most_ppm <= MAX_PPM, "{}", world.most_ppm);
        assert_eq!(world.shared.xruns.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn an_hour_on_loopback_stays_within_microseconds() {
    check("loopback", loopback, 3600.0, [3.0, 6.0, 10.0]);
}

#[test]
fn a_jittery_path_stays_within_a_tenth_of_a_millisecond() {
    check("20+-15 ms with stalls", jittery, 600.0, [100.0, 250.0, 400.0]);
}

#[test]
fn a_card_that_moves_in_steps_of_five_milliseconds_is_kept_within_a_tenth_of_one() {
    let (mut world, at) = playing(50.0, 0.0, 0.0, loopback(1), 1);
    world.card.granularity_us = 5_000.0;
    world.run_until(120.0);
    let got = spread(&world.errors_us(30.0, at));
    assert!(got[1] < 90.0, "{got:?}");
}

#[test]
fn a_card_that_plays_a_quarter_second_late_is_kept_filled_and_together() {
    let (mut world, at) = playing(50.0, 0.0, 0.0, loopback(6), 6);
    world.card.behind_us = 250_000.0;
    world.card.stalls = (5..30).map(|s| (f64::from(s) * 1e6, 50_000.0)).collect();
    world.run_until(60.0);
    assert_eq!(world.shared.xruns.load(Ordering::Relaxed), 0);
    let got = spread(&world.errors_us(20.0, at));
    assert!(got[2] < 50.0, "{got:?}");
}

#[test]
fn stalls_of_fifty_milliseconds_make_no_gap_and_no_error() {
    let (mut world, at) = playing(50.0, -30.0, 20.0, loopback(2), 2);
    world.card.stalls = (3..60).map(|s| (f64::from(s) * 1e6 + 3_137.0 * f64::from(s), 50_000.0)).collect();
    world.run_until(62.0);
    assert_eq!(world.shared.xruns.load(Ordering::Relaxed), 0);
    let got = spread(&world.errors_us(5.0, at));
    assert!(got[2] < 20.0, "{got:?}");
}

#[test]
fn samples_that_do_not_come_in_time_are_one_gap_and_a_start_is_none() {
    let (mut world, _) = playing(50.0, -30.0, 20.0, loopback(7), 7);
    world.run_until(10.0);
    assert_eq!((world.snapshot().sounding, world.snapshot().gaps), (Sounding::Playing, 0));
    world.fed = false;
    world.run_until(120.0);
    assert_eq!((world.snapshot().sounding, world.snapshot().gaps), (Sounding::Buffering, 1));
    world.fed = true;
    world.run_until(130.0);
    assert_eq!((world.snapshot().sounding, world.snapshot().gaps), (Sounding::Playing, 1));
}

#[test]
fn after_a_stop_of_two_seconds_it_is_back_in_a_tenth_and_stays() {
    let (mut world, at) = playing(-80.0, 20.0, -20.0, loopback(3), 3);
    world.card.stalls = vec![(20e6, 2e6)];
    world.run_until(60.0);
    assert_eq!(world.shared.xruns.load(Ordering::Relaxed), 1);
    let back = world.errors_us(22.0, at);
    assert!(back[0].0 < 22.1, "audible at {}", back[0].0);
    let worst = spread(&back);
    assert!(worst[2] < 100.0, "{worst:?}");
    assert!(world.snapshot().reanchors <= 1);
}

#[test]
fn a_start_is_heard_at_its_sample_and_a_seek_at_its_own() {
    let (mut world, at) = playing(70.0, 0.0, 0.0, loopback(4), 4);
    world.run_until(6.0);
    let first = world.errors_us(0.0, at)[0];
    assert!((2.0..2.02).contains(&first.0), "{first:?}");
    assert!(spread(&world.errors_us(2.0, at))[2] < 100.0);
    // Half a turn of the phasor away: 64 ms.
    let seek_at = world.host.read_us(7e6);
    world.play(2, &track(), seek_at, 5_064_000);
    world.run_until(9.0);
    let before: Vec<_> = world.errors_us(6.1, at).into_iter().filter(|e| e.0 < 7.0).collect();
    assert!(spread(&before)[2] < 50.0);
    let after = spread(&world.errors_us(7.02, seek_at - 5_064_000.0));
    assert!(after[2] < 50.0, "{after:?}");
}

#[test]
fn a_suspended_peer_finds_the_music_again() {
    let (mut world, at) = playing(30.0, 10.0, 0.0, loopback(5), 5);
    world.run_until(30.0);
    // The monotonic clock stood still for a minute of true time, and so did the card.
    world.card.local.offset_us -= 60e6;
    world.card.stalls = vec![(30e6, 60e6)];
    world.run_until(110.0);
    let late = world.errors_us(95.0, at);
    assert!(late.len() > 500 && spread(&late)[2] < 50.0, "{} {:?}", late.len(), spread(&late));
    assert_eq!(world.snapshot().sounding, Sounding::Playing);
}
