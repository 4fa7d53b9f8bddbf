//! Recording through ALSA, as output does: the position is read together with our own clock.

use std::time::{Duration, Instant};

use alsa::pcm::{Access, Format, HwParams, PCM};
use alsa::{Direction, ValueOr};

use super::microphone::Recording;
use crate::monotonic::monotonic_exact_us;

const RATE_HZ: u32 = 48_000;
/// Room for what is recorded while the thread waits.
const BUFFER_US: u32 = 500_000;
/// Waits for sound no longer than this: a microphone that gives nothing is no microphone.
const PATIENCE: Duration = Duration::from_secs(3);
const NAP: Duration = Duration::from_millis(10);

pub(super) fn record(name: &str, length: Duration) -> Result<Recording, String> {
    let _quiet = alsa::Output::local_error_handler();
    captured(name, length).map_err(|error| error.to_string())
}

fn captured(name: &str, length: Duration) -> Result<Recording, alsa::Error> {
    let pcm = PCM::new(name, Direction::Capture, true)?;
    let (rate_hz, channels) = set_up(&pcm)?;
    pcm.start()?;
    let wanted = (length.as_secs_f64() * f64::from(rate_hz)) as usize;
    let (mut samples, mut stamps) = (Vec::with_capacity(wanted), Vec::new());
    let mut chunk = vec![0i16; 4_096 * channels];
    let mut end = Instant::now() + PATIENCE;
    while samples.len() < wanted && Instant::now() < end {
        let (available, delay) = pcm.avail_delay()?;
        let asked_us = monotonic_exact_us();
        if available <= 0 {
            std::thread::sleep(NAP);
            continue;
        }
        // So many frames were captured since the one that is read next.
        stamps.push((samples.len() as u64, asked_us - delay as f64 * 1e6 / f64::from(rate_hz)));
        let frames = match pcm.io_i16()?.readi(&mut chunk) {
            Ok(frames) => frames,
            Err(error) if error.errno() == EAGAIN => continue,
            Err(error) => return Err(error),
        };
        let mixed = chunk[..frames * channels].chunks_exact(channels).map(|frame| {
            frame.iter().map(|sample| f32::from(*sample) / 32_768.0).sum::<f32>() / channels as f32
        });
        samples.extend(mixed);
        end = Instant::now() + PATIENCE;
    }
    Ok(Recording::new(samples, rate_hz, stamps))
}

const EAGAIN: i32 = 11;

fn set_up(pcm: &PCM) -> Result<(u32, usize), alsa::Error> {
    let hw = HwParams::any(pcm)?;
    hw.set_access(Access::RWInterleaved)?;
    hw.set_format(Format::s16())?;
    let channels = hw.set_channels_near(1)?;
    let rate_hz = hw.set_rate_near(RATE_HZ, ValueOr::Nearest)?;
    let frames = i64::from(BUFFER_US) * i64::from(rate_hz) / 1_000_000;
    hw.set_buffer_size_near(frames)?;
    pcm.hw_params(&hw)?;
    Ok((rate_hz, (channels as usize).max(1)))
}

/// Capture PCMs that ALSA lists: name and first line of the description.
pub(super) fn list() -> Vec<(String, String)> {
    crate::output::alsa::list_in(Direction::Capture)
}
