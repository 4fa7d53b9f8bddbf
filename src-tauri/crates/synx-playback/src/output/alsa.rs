//! ALSA, spoken to directly. cpal gives a stream two periods of buffer and stamps relative to an instant of its own; here
//! the queue is as long as a stall of the machine demands and no longer, it is filled when we choose, its position is
//! read together with our own clock, and every PCM can be opened by its name, listed or not.

use std::time::Duration;

use alsa::pcm::{Access, Format, Frames, HwParams, PCM};
use alsa::{Direction, ValueOr};

use super::{Card, CardFault, PREFILL_US, QUEUE_US, Queue};
use crate::monotonic::monotonic_exact_us;

const RATE_HZ: u32 = 48_000;
/// Interrupts of the card; with our own timing they only move its position.
const PERIOD_US: u32 = 10_000;
const PACKED_24: Format = if cfg!(target_endian = "little") { Format::S243LE } else { Format::S243BE };
/// Some sound servers fail a query now and then and answer the next one.
const PATIENCE: u32 = 50;

pub(crate) struct AlsaCard {
    pcm: PCM,
    rate_hz: u32,
    buffer_frames: usize,
    channels: usize,
    encoding: Encoding,
    bytes: Vec<u8>,
    failures: u32,
    dither: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Float,
    Int32,
    /// 24 bits in the lower three bytes of four, as PCI cards have them.
    Int24,
    /// 24 bits in three bytes, as USB cards have them.
    Int24Packed,
    Int16,
}

impl AlsaCard {
    pub(crate) fn open(name: &str) -> Result<Self, String> {
        // What ALSA would print on standard error belongs in our own message.
        let _quiet = alsa::Output::local_error_handler();
        let pcm = PCM::new(name, Direction::Playback, true).map_err(|e| e.to_string())?;
        let (rate_hz, channels, encoding) = set_hardware(&pcm).map_err(|e| e.to_string())?;
        let (buffer_frames, _) = pcm.get_params().map_err(|e| e.to_string())?;
        set_software(&pcm).map_err(|e| e.to_string())?;
        Ok(Self {
            pcm,
            rate_hz,
            buffer_frames: buffer_frames as usize,
            channels,
            encoding,
            bytes: Vec::with_capacity(1 << 16),
            failures: 0,
            dither: 1,
        })
    }

    fn fault(&mut self, error: &alsa::Error) -> Result<(), CardFault> {
        const EPIPE: i32 = 32;
        const ESTRPIPE: i32 = 86;
        match error.errno() {
            EPIPE | ESTRPIPE => Err(CardFault::Xrun),
            _ if self.failures < PATIENCE => {
                self.failures += 1;
                Ok(())
            }
            _ => Err(CardFault::Gone(error.to_string())),
        }
    }

    fn send(&self, bytes: &[u8]) -> Result<usize, alsa::Error> {
        self.pcm.io_bytes().writei(bytes)
    }
}

fn set_hardware(pcm: &PCM) -> Result<(u32, usize, Encoding), alsa::Error> {
    let hw = HwParams::any(pcm)?;
    hw.set_access(Access::RWInterleaved)?;
    let choices = [
        (Format::float(), Encoding::Float),
        (Format::s32(), Encoding::Int32),
        (Format::s24(), Encoding::Int24),
        (PACKED_24, Encoding::Int24Packed),
        (Format::s16(), Encoding::Int16),
    ];
    let mut refused = Ok(());
    let mut encoding = None;
    for (format, candidate) in choices {
        match hw.set_format(format) {
            Ok(()) => {
                encoding = Some(candidate);
                break;
            }
            Err(error) => refused = Err(error),
        }
    }
    let channels = hw.set_channels_near(2)?;
    let rate_hz = hw.set_rate_near(RATE_HZ, ValueOr::Nearest)?;
    let frames = |us: u32| (u64::from(us) * u64::from(rate_hz) / 1_000_000) as Frames;
    hw.set_period_size_near(frames(PERIOD_US), ValueOr::Nearest)?;
    hw.set_buffer_size_near(frames(QUEUE_US + PERIOD_US))?;
    refused.or(if encoding.is_some() { Ok(()) } else { refused })?;
    pcm.hw_params(&hw)?;
    Ok((rate_hz, channels as usize, encoding.unwrap_or(Encoding::Int16)))
}

/// Started by us alone: the first frame's instant is then ours to choose.
fn set_software(pcm: &PCM) -> Result<(), alsa::Error> {
    let sw = pcm.sw_params_current()?;
    sw.set_start_threshold(sw.get_boundary()?)?;
    pcm.sw_params(&sw)
}

impl Card for AlsaCard {
    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn start(&mut self) -> Result<(), CardFault> {
        let gone = |e: alsa::Error| CardFault::Gone(e.to_string());
        self.pcm.drop().ok();
        self.pcm.prepare().map_err(gone)?;
        let frames = (u64::from(PREFILL_US) * u64::from(self.rate_hz) / 1_000_000) as usize;
        self.write(&vec![[0.0; 2]; frames])?;
        self.pcm.start().map_err(gone)
    }

    fn queue(&mut self) -> Result<Option<Queue>, CardFault> {
        match self.pcm.avail_delay() {
            Ok((avail, delay)) => {
                self.failures = 0;
                let asked_us = monotonic_exact_us();
                let writable = avail.max(0) as usize;
                let queued = self.buffer_frames.saturating_sub(writable);
                Ok(Some(Queue { writable, queued, delay_frames: delay as f64, asked_us }))
            }
            Err(error) => self.fault(&error).map(|()| None),
        }
    }

    fn write(&mut self, frames: &[[f32; 2]]) -> Result<(), CardFault> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        for frame in frames {
            for channel in 0..self.channels {
                encode(
                    to_channel(frame, channel, self.channels),
                    self.encoding,
                    &mut self.dither,
                    &mut bytes,
                );
            }
        }
        let width = bytes.len() / frames.len().max(1);
        let mut done = 0;
        let mut outcome = Ok(());
        while done < bytes.len() && outcome.is_ok() {
            match self.send(&bytes[done..]) {
                Ok(0) => break,
                Ok(written) => done += written * width,
                Err(error) => outcome = self.fault(&error),
            }
        }
        self.bytes = bytes;
        outcome
    }

    fn wait(&mut self, us: u32) {
        std::thread::sleep(Duration::from_micros(u64::from(us)));
    }
}

/// Stereo on a card of any width: mono gets the mean, channels beyond the second stay silent.
fn to_channel(frame: &[f32; 2], channel: usize, channels: usize) -> f32 {
    match (channels, channel) {
        (1, _) => f32::midpoint(frame[0], frame[1]),
        (_, 0 | 1) => frame[channel],
        _ => 0.0,
    }
}

fn encode(sample: f32, encoding: Encoding, dither: &mut u32, bytes: &mut Vec<u8>) {
    match encoding {
        Encoding::Float => bytes.extend_from_slice(&sample.to_ne_bytes()),
        Encoding::Int32 => bytes.extend_from_slice(&scaled(sample, 32).to_ne_bytes()),
        Encoding::Int24 => bytes.extend_from_slice(&scaled(sample, 24).to_ne_bytes()),
        Encoding::Int24Packed => {
            let word = scaled(sample, 24);
            match cfg!(target_endian = "little") {
                true => bytes.extend_from_slice(&word.to_le_bytes()[..3]),
                false => bytes.extend_from_slice(&word.to_be_bytes()[1..]),
            }
        }
        Encoding::Int16 => {
            // Triangular dither of one step keeps quiet passages free of distortion; digital silence stays silent.
            let noise = if sample == 0.0 { 0.0 } else { uniform(dither) - uniform(dither) };
            let scaled = (sample * 32_767.0 + noise).round().clamp(-32_768.0, 32_767.0) as i16;
            bytes.extend_from_slice(&scaled.to_ne_bytes());
        }
    }
}

/// A sample as a signed integer of so many bits. `f32` has 24 bits itself: there is nothing to dither.
fn scaled(sample: f32, bits: u32) -> i32 {
    let full = f64::from(i32::MAX >> (32 - bits));
    (f64::from(sample) * full).round().clamp(-full, full) as i32
}

/// Xorshift (Marsaglia 2003): noise for dither, from 0 to 1.
fn uniform(state: &mut u32) -> f32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    (*state >> 8) as f32 / (1 << 24) as f32
}

/// Playback PCMs that ALSA lists: name and first line of the description.
pub(crate) fn list() -> Vec<(String, String)> {
    list_in(Direction::Playback)
}

/// The PCMs of one direction.
pub(crate) fn list_in(direction: Direction) -> Vec<(String, String)> {
    let Ok(hints) = alsa::device_name::HintIter::new_str(None, "pcm") else { return Vec::new() };
    hints
        .filter(|hint| hint.direction.is_none_or(|of| of == direction))
        .filter_map(|hint| {
            let name = hint.name?;
            let described = hint.desc.as_deref().and_then(|d| d.lines().next()).unwrap_or(&name).to_owned();
            (name != "null").then_some((name, described))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(sample: f32, encoding: Encoding) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(sample, encoding, &mut 1, &mut bytes);
        bytes
    }

    #[test]
    fn samples_keep_their_value_in_every_encoding() {
        for sample in [0.0, 1.0, -1.0, 0.5, -0.25, 1.0 / 8_388_608.0, -1.0 / 8_388_608.0] {
            let word = |bytes: &[u8]| {
                let mut four = [0; 4];
                four[4 - bytes.len()..].copy_from_slice(bytes);
                f64::from(i32::from_le_bytes(four)) / 2f64.powi(31)
            };
            let exact = f64::from(sample);
            assert!((word(&encoded(sample, Encoding::Int32)) - exact).abs() < 1e-9, "{sample}");
            let packed = encoded(sample, Encoding::Int24Packed);
            assert_eq!(packed.len(), 3);
            assert!((word(&packed) - exact).abs() < 1.3e-7, "{sample}");
            let padded = encoded(sample, Encoding::Int24);
            assert_eq!((&padded[..3], padded.len()), (&packed[..], 4));
            assert!((word(&encoded(sample, Encoding::Int16)) - exact).abs() < 7e-5, "{sample}");
            assert_eq!(encoded(sample, Encoding::Float), sample.to_ne_bytes());
        }
    }
}
