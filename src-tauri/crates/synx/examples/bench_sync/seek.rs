//! How long after a seek the new place is heard: from the order at the host to the first frame that leaves a peer's card.

use crate::Failure;
use crate::rig::{Outcome, Rig};
use crate::together::{Room, remove_recordings};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const NAME: &str = "seek";
pub const ABOUT: &str = "twenty seeks";

const SEEKS: usize = 20;
const RATE_HZ: u32 = 48_000;
/// The track: so long silence, then so long noise, so that a seek between them is heard.
const HALF_S: u32 = 60;
/// Longer than any lead, so that a seek has taken effect before the next.
const REST: Duration = Duration::from_millis(800);
/// Between dither and noise, of full scale.
const AUDIBLE: f32 = 0.01;

/// Seeks to and fro in a room of two peers. The times of all seeks on both cards: median and longest.
pub fn run(rig: &Rig) -> Result<Outcome, Failure> {
    let run = format!("synx_{NAME}");
    let folder = rig.folder(&run)?;
    let track = folder.join("half-silent.wav");
    write_track(&track)?;
    let mut room = Room::open(rig, &folder, &track, &[-50, 50])?;
    room.order(&json!({ "type": "playback_play" }))?;
    std::thread::sleep(5 * REST);
    let mut orders_us = Vec::new();
    for _ in 0..SEEKS {
        orders_us.push(now_us());
        room.order(&json!({ "type": "playback_seek", "position_s": HALF_S + 1 }))?;
        std::thread::sleep(REST);
        room.order(&json!({ "type": "playback_seek", "position_s": 1 }))?;
        std::thread::sleep(REST);
    }
    let cards = std::mem::take(&mut room.cards);
    drop(room);

    let mut seconds = Vec::new();
    for card in &cards {
        let heard_us = beginnings_us(card)?;
        for order_us in &orders_us {
            let heard =
                heard_us.iter().find(|heard_us| *heard_us > order_us).ok_or("a seek was not heard")?;
            seconds.push((heard - order_us) as f64 / 1e6);
        }
    }
    seconds.sort_by(f64::total_cmp);
    let said = json!({ "seek_median_s": seconds[seconds.len() / 2], "seek_max_s": seconds.last() });
    rig.keep(&run, &said, None)?;
    remove_recordings(&folder)?;
    rig.outcome(&run)?.ok_or_else(|| "nothing was kept".into())
}

/// The clock that the virtual cards write down.
fn now_us() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

/// 16 bit, mono: silence, then white noise from a fixed seed at a quarter of full scale.
fn write_track(path: &Path) -> Result<(), Failure> {
    let half = (HALF_S * RATE_HZ) as usize;
    let mut seed = 1_u32;
    let noise = (0..half).map(|_| {
        // Numerical Recipes' linear congruence; its upper bits are noise enough.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 16) as i16) / 4
    });
    let samples: Vec<u8> = std::iter::repeat_n(0, half).chain(noise).flat_map(i16::to_le_bytes).collect();
    let bytes = u32::try_from(samples.len())?;
    let mut wav = Vec::with_capacity(samples.len() + 44);
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend([16, 0, 0, 0, 1, 0, 1, 0]);
    wav.extend(RATE_HZ.to_le_bytes());
    wav.extend((2 * RATE_HZ).to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    wav.extend(samples);
    Ok(std::fs::write(path, wav)?)
}

/// The instants at which sound began on a card after at least a tenth of a second of silence, by what it wrote down.
fn beginnings_us(card: &Path) -> Result<Vec<i64>, Failure> {
    let mut found = Vec::new();
    for runs in logs(card)? {
        let text = std::fs::read_to_string(&runs)?;
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let head = rows.first().filter(|head| head.len() > 5).ok_or("a card's log has no head")?;
        if head[1] != "FLOAT_LE" {
            return Err(format!("the card plays {}, not FLOAT_LE", head[1]).into());
        }
        let (channels, rate_hz): (usize, f64) = (head[2].parse()?, head[3].parse()?);
        let (ppm, latency_us): (f64, f64) = (head[4].parse()?, head[5].parse()?);
        let frame_us = 1e6 / (rate_hz * (1.0 + ppm * 1e-6));
        let played = std::fs::read(runs.with_extension("raw"))?;
        let frames: Vec<f32> = played
            .chunks_exact(4 * channels)
            .map(|frame| f32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]))
            .collect();
        for start in rows.iter().enumerate().filter(|(_, row)| row.first() == Some(&"S")) {
            let (at, row) = start;
            let (begun_us, first): (f64, usize) =
                (row[1].parse::<f64>()? / 1e3 + latency_us, row[2].parse()?);
            let end = rows.get(at + 1).map_or(Ok(frames.len()), |next| next[2].parse())?;
            let mut quiet = usize::MAX / 2;
            for (i, frame) in frames.iter().take(end).skip(first).enumerate() {
                if frame.abs() < AUDIBLE {
                    quiet += 1;
                    continue;
                }
                if quiet > (rate_hz / 10.0) as usize {
                    found.push((begun_us + i as f64 * frame_us) as i64);
                }
                quiet = 0;
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn logs(card: &Path) -> Result<Vec<PathBuf>, Failure> {
    let name = card.file_name().and_then(|name| name.to_str()).ok_or("the card has no name")?;
    let folder = card.parent().ok_or("the card has no folder")?;
    let paths =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let is_log = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        file.starts_with(&format!("{name}.")) && file.ends_with(".seg")
    };
    Ok(paths.into_iter().filter(is_log).collect())
}
