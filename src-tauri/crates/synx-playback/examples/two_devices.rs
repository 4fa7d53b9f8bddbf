//! Plays one file on two devices at once, each with an engine of its own, and prints both errors once a second:
//! `two_devices FILE DEVICE_A DEVICE_B SECONDS`. What the two cards really did is for a recording to show.

use std::path::Path;
use std::time::Duration;

use synx_clock::ClockEstimate;
use synx_playback::{DeviceChoice, Engine, EngineConfig, Plan, TrackHandle, monotonic_us};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, a, b, seconds] = args.as_slice() else {
        return Err("usage: two_devices FILE DEVICE_A DEVICE_B SECONDS".into());
    };
    let track = TrackHandle::open(Path::new(file))?;
    let at = monotonic_us() + 1_000_000;
    let plan = Plan { track: Some(track), playing: true, ..Plan::silence(1, at) };
    let mut engines = Vec::new();
    for name in [a, b] {
        let device = DeviceChoice::from_name(name);
        let engine = Engine::start(EngineConfig { device, ..EngineConfig::default() })?;
        engine.set_clock(ClockEstimate::identity());
        engine.set_plan(plan.clone())?;
        // Not both at once: the test rig's cards number their files as they are opened.
        while engine.status().device.is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        engines.push(engine);
    }
    for _ in 0..seconds.parse::<u32>()? {
        std::thread::sleep(Duration::from_secs(1));
        for engine in &engines {
            let s = engine.status();
            let error_us = s.error_us.unwrap_or(f64::NAN);
            print!(
                "{:?} {:.3} s, {error_us:+.1} us, {:+.2} ppm, {} xruns | ",
                s.state, s.position_s, s.ratio_ppm, s.xruns
            );
        }
        println!();
    }
    Ok(())
}
