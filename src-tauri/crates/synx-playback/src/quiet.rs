//! Proof of the audio thread's first rule: nothing is allocated or freed while blocks are rendered, whatever happens to
//! the plan meanwhile.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use synx_clock::ClockEstimate;

use crate::Plan;
use crate::feeder::Feeder;
use crate::output::pump::Pump;
use crate::renderer::Renderer;
use crate::shared::{Shared, Snapshot, Sounding};
use crate::simulated::track;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn rendering_allocates_nothing_through_start_seek_reanchor_loop_gapless_and_pause() {
    let shared = Arc::new(Shared::new());
    let (producer, consumer) = rtrb::RingBuffer::new(64);
    let mut feeder = Feeder::new(shared.clone(), producer, Arc::new(Mutex::new(None)), || 0.0);
    let mut pump = Pump::new(shared.clone(), Renderer::new(shared.clone(), consumer));
    pump.attach(8_000);
    let (first, second) = (track(), track());
    let mut revision = 0;
    let mut plan = |feeder: &mut Feeder, at_us: i64, change: &dyn Fn(&mut Plan)| {
        revision += 1;
        let mut plan = Plan { track: Some(first.clone()), playing: true, ..Plan::silence(revision, at_us) };
        change(&mut plan);
        feeder.apply(&plan);
    };
    let mut now_us = 0.0;
    let mut played = 0;
    for turn in 0..2_000 {
        match turn {
            100 => plan(&mut feeder, 1_200_000, &|_| {}),
            300 => plan(&mut feeder, 3_200_000, &|p| p.anchor_position_us = 60_000_000),
            500 => plan(&mut feeder, 5_200_000, &|p| p.loop_region = Some((0, 300_000))),
            800 => plan(&mut feeder, 9_000_000, &|p| {
                p.track = Some(second.clone());
                p.gapless = true;
            }),
            1_200 => plan(&mut feeder, 12_200_000, &|p| p.playing = false),
            1_400 => plan(&mut feeder, 14_200_000, &|_| {}),
            _ => {}
        }
        // A clock that jumps by 50 ms once makes the renderer re-anchor.
        let offset_us = if turn > 1_600 { 50_000.0 } else { 0.0 };
        shared.publish_clock(&ClockEstimate { offset_us, ..ClockEstimate::identity() });
        feeder.turn();
        assert_no_alloc(|| {
            pump.observe(now_us, 600.0);
            pump.next(80);
        });
        now_us += 10_000.0;
        let snapshot = shared.snapshot.read().map(Snapshot::from_words);
        played += u32::from(snapshot.is_some_and(|s| s.sounding == Sounding::Playing));
    }
    let last = shared.snapshot.read().map(Snapshot::from_words).unwrap();
    assert!(played > 1_500, "it did play: {played} turns");
    assert_eq!(last.reanchors, 1, "and did re-anchor");
    assert_eq!(shared.xruns.load(Ordering::Relaxed), 0);
}
