//! The filter against simulated clocks and paths: minutes and hours in milliseconds, every run from a seed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use synx_clock::{ClockFilter, ProbeSchedule, Verdict};
use synx_testkit::{Delay, Link, SimClock};

/// Errors of the offset over time, as (true second, signed error, claimed uncertainty), all at one instant 2 s ahead of
/// the last probe, because sound is scheduled ahead.
struct Run {
    errors: Vec<(f64, f64, f64)>,
    jumps: u32,
}

impl Run {
    fn sorted_after(&self, from_s: f64) -> Vec<f64> {
        let mut e: Vec<f64> = self.errors.iter().filter(|e| e.0 > from_s).map(|e| e.1.abs()).collect();
        e.sort_by(f64::total_cmp);
        e
    }

    fn quantile_us(&self, from_s: f64, q: f64) -> f64 {
        let e = self.sorted_after(from_s);
        e[((e.len() - 1) as f64 * q) as usize]
    }

    fn coverage(&self, from_s: f64) -> f64 {
        let after: Vec<_> = self.errors.iter().filter(|e| e.0 > from_s).collect();
        after.iter().filter(|e| e.1.abs() <= e.2).count() as f64 / after.len() as f64
    }
}

struct Peer {
    clock: SimClock,
    filter: ClockFilter,
    schedule: ProbeSchedule,
}

impl Peer {
    fn new(clock: SimClock) -> Self {
        let schedule = ProbeSchedule::new(clock.read_us(0.0) as i64);
        Self { clock, filter: ClockFilter::new(), schedule }
    }
}

/// Runs one peer for `seconds`; `disturb` may change clocks at each probe.
fn run_with(
    mut peer: Peer,
    mut host: SimClock,
    mut link: Link,
    seconds: f64,
    mut disturb: impl FnMut(f64, &mut SimClock, &mut SimClock) -> bool,
) -> Run {
    let mut run = Run { errors: Vec::new(), jumps: 0 };
    let mut free_us = 0.0;
    while free_us < seconds * 1e6 {
        let true_us: f64 = peer.clock.true_us(peer.schedule.next_us() as f64).max(free_us);
        free_us = true_us + 1.0;
        let blocked = disturb(true_us, &mut peer.clock, &mut host);
        let local_us = peer.clock.read_us(true_us) as i64;
        peer.schedule.on_sent(local_us, peer.filter.estimate().as_ref());
        if blocked {
            continue;
        }
        let Some((probe, back_us)) = link.probe(true_us, &peer.clock, &host) else { continue };
        free_us = back_us;
        if peer.filter.add(probe) == Verdict::Jumped {
            run.jumps += 1;
            peer.schedule.restart(local_us);
        }
        let e = peer.filter.estimate().unwrap();
        let (ahead_local, ahead_true) = (e.at_local_us + 2e6, peer.clock.true_us(e.at_local_us + 2e6));
        let error_us = e.room_us(ahead_local) - host.read_us(ahead_true);
        run.errors.push((true_us / 1e6, error_us, e.uncertainty_at_us(ahead_local)));
    }
    run
}

fn run(peer_skew_ppm: f64, host_skew_ppm: f64, link: Link, seconds: f64) -> Run {
    let peer = Peer::new(SimClock::new(peer_skew_ppm, 7.7e9));
    run_with(peer, SimClock::new(host_skew_ppm, 1.0e12), link, seconds, |_, _, _| false)
}

fn stalling_proxy(seed: u64) -> Link {
    Link::new(Delay::Uniform(5e3, 35e3), seed).stalling(10e6, 100e3)
}

/// Over five seeds: nine clocks' worth of bounds on median, p95 and maximum after a minute.
fn check(name: &str, link: impl Fn(u64) -> Link, limits_us: [f64; 3]) {
    for seed in 0..5 {
        for (peer, host) in [(0.0, 0.0), (100.0, -50.0), (-100.0, 50.0)] {
            let r = run(peer, host, link(seed), 300.0);
            let got = [r.quantile_us(60.0, 0.5), r.quantile_us(60.0, 0.95), r.quantile_us(60.0, 1.0)];
            println!("{name} seed {seed} {peer:+}/{host:+} ppm: {got:.1?}, coverage {:.3}", r.coverage(0.0));
            assert!(
                got.iter().zip(limits_us).all(|(g, l)| *g <= l),
                "{name} seed {seed}: {got:?} > {limits_us:?}"
            );
            assert_eq!(r.jumps, 0, "{name}: a jump was seen where there was none");
        }
    }
}

#[test]
fn on_loopback_within_a_few_microseconds() {
    check("loopback", |s| Link::new(Delay::Uniform(20.0, 80.0), s), [3.0, 6.0, 10.0]);
}

#[test]
fn on_a_lan_within_ten_microseconds() {
    check("lan", |s| Link::new(Delay::Queue(300.0, 100.0), s), [4.0, 8.0, 15.0]);
}

#[test]
fn on_heavy_tailed_wifi_within_tens_of_microseconds() {
    check("wifi", |s| Link::new(Delay::HeavyTail(2e3, 2e3, 10e3), s), [15.0, 40.0, 70.0]);
}

#[test]
fn over_a_jittery_stalling_path_within_a_tenth_of_a_millisecond() {
    check("proxy", stalling_proxy, [90.0, 250.0, 400.0]);
}

#[test]
fn a_path_that_works_in_ticks_is_not_bent_by_what_slips_through() {
    let ticking = |seed| stalling_proxy(seed).ticking(1e3, 0.002);
    check("ticks", ticking, [90.0, 250.0, 400.0]);
}

#[test]
fn however_many_slip_through_ticks_both_directions_are_judged_alike() {
    for share in [0.002, 0.02, 0.05, 0.1] {
        for seed in 50..60 {
            let r = run(60.0, -40.0, stalling_proxy(seed).ticking(1e3, share), 200.0);
            let (worst_us, coverage) = (r.quantile_us(60.0, 1.0), r.coverage(60.0));
            assert!(worst_us < 100.0, "{share} slip through, seed {seed}: {worst_us}");
            assert!(coverage >= 0.95, "{share} slip through, seed {seed}: {coverage}");
            assert_eq!(r.jumps, 0, "{share} slip through, seed {seed}");
        }
    }
}

#[test]
fn the_few_probes_that_find_both_machines_idle_are_believed() {
    let busy = |seed| Link::new(Delay::Uniform(20.0, 40.0), seed).busy(0.02, [15.0, 90.0]);
    // Of the others alone the middle would be 37 us off.
    check("busy", busy, [8.0, 20.0, 40.0]);
}

#[test]
fn machines_that_fall_asleep_between_probes_wake_for_the_last_of_a_train() {
    let asleep = |seed| Link::new(Delay::Queue(50.0, 30.0), seed).sleeping([500.0, 200.0]);
    // Of first probes alone the middle would be 45 us off at least.
    check("asleep", asleep, [4.0, 8.0, 15.0]);
}

#[test]
fn a_join_over_a_jittery_path_is_never_five_milliseconds_off_after_the_burst() {
    for seed in 0..20 {
        let r = run(80.0, -50.0, stalling_proxy(seed), 10.0);
        assert!(r.quantile_us(0.4, 1.0) < 5e3, "seed {seed}: {}", r.quantile_us(0.4, 1.0));
    }
}

#[test]
fn the_claimed_uncertainty_is_honest() {
    type Path = fn(u64) -> Link;
    let paths: [(&str, Path); 4] = [
        ("lan", |seed| Link::new(Delay::Queue(300.0, 100.0), seed)),
        ("wifi", |seed| Link::new(Delay::HeavyTail(2e3, 2e3, 10e3), seed)),
        ("proxy", stalling_proxy),
        ("ticks", |seed| stalling_proxy(seed).ticking(1e3, 0.002)),
    ];
    for (name, path) in paths {
        let covered =
            (0..20).map(|seed| run(60.0, -40.0, path(seed), 120.0).coverage(0.4)).sum::<f64>() / 20.0;
        assert!(covered >= 0.95, "{name}: {covered}");
    }
}

#[test]
fn the_jitter_is_what_one_message_of_a_hundred_exceeds() {
    let host = SimClock::new(0.0, 1.0e12);
    let mut link = Link::new(Delay::Uniform(5e3, 35e3), 1);
    let clock = SimClock::new(30.0, 7.7e9);
    let mut filter = ClockFilter::new();
    for i in 0..256 {
        let probe = link.probe(f64::from(i) * 200e3, &clock, &host).unwrap().0;
        filter.add(probe);
    }
    let jitter_us = filter.estimate().unwrap().jitter_us;
    // 99 % of 30 ms, give or take what 256 draws allow.
    assert!((28e3..30.1e3).contains(&jitter_us), "{jitter_us}");
}

#[test]
fn five_minutes_without_probes_are_bridged_by_the_skew() {
    let peer = Peer::new(SimClock::new(90.0, 5e8));
    let host = SimClock::new(-40.0, 0.0);
    let r = run_with(peer, host, Link::new(Delay::Queue(300.0, 100.0), 3), 500.0, |t, _, _| {
        (120e6..420e6).contains(&t)
    });
    let back = r.errors.iter().find(|e| e.0 > 420.0).unwrap();
    assert!(back.1.abs() < 20.0, "{back:?}");
    assert_eq!(r.jumps, 0);
}

#[test]
fn a_suspended_peer_is_found_and_relearnt_within_a_second() {
    let mut jumped = false;
    let peer = Peer::new(SimClock::new(20.0, 5e8));
    let r = run_with(
        peer,
        SimClock::new(0.0, 0.0),
        Link::new(Delay::Queue(300.0, 100.0), 3),
        200.0,
        |t, peer, _| {
            if t > 100e6 && !jumped {
                jumped = true;
                peer.offset_us -= 30e6;
            }
            false
        },
    );
    assert_eq!(r.jumps, 1);
    let late: Vec<_> = r.errors.iter().filter(|e| e.0 > 101.0).collect();
    assert!(late.iter().all(|e| e.1.abs() < 60.0), "{late:?}");
}

#[test]
fn a_change_of_rate_is_followed() {
    let peer = Peer::new(SimClock::new(20.0, 5e8));
    let mut slewed = false;
    let r = run_with(
        peer,
        SimClock::new(0.0, 0.0),
        Link::new(Delay::Queue(300.0, 100.0), 3),
        400.0,
        |t, peer, _| {
            if t > 150e6 && !slewed {
                slewed = true;
                peer.slew_to(t, 60.0);
            }
            false
        },
    );
    let worst = r.quantile_us(150.0, 1.0);
    assert!(worst < 600.0, "while it changes: {worst}");
    assert!(r.quantile_us(200.0, 1.0) < 30.0, "afterwards: {}", r.quantile_us(200.0, 1.0));
}

#[test]
fn an_upload_that_slows_one_direction_for_a_minute_does_not_bend_the_clock() {
    for (seed, wait_us) in
        (0..8).flat_map(|seed| [200.0, 1_000.0, 5_000.0, 30_000.0].map(|wait| (seed, wait)))
    {
        let lan = Link::new(Delay::Queue(300.0, 100.0), seed).uploading(100e6..160e6, wait_us);
        let r = run(40.0, -30.0, lan, 260.0);
        let worst = r.quantile_us(60.0, 1.0);
        println!("seed {seed}, {wait_us} us: {worst:.1}");
        assert!(worst < 40.0, "seed {seed}, {wait_us} us: {worst:.1}");
        assert_eq!(r.jumps, 0);
    }
}

#[test]
fn lost_probes_cost_precision_only() {
    let r = run(50.0, -50.0, Link::new(Delay::Queue(300.0, 100.0), 9).losing(0.7), 300.0);
    assert!(r.quantile_us(60.0, 0.95) < 20.0, "{}", r.quantile_us(60.0, 0.95));
}
