//! cpal, for the systems where it is the only door to the card. Its callback takes what the pump has; its stamps are
//! durations between the callback and the sound, to which our own clock is added.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, FromSample, OutputCallbackInfo, SampleFormat, SizedSample};

use super::pump::Pump;
use crate::monotonic::monotonic_exact_us;

/// Two periods of this are queued: a stall of 50 ms fits into one.
const PERIOD_US: u64 = 60_000;
const LOOK_AROUND: Duration = Duration::from_millis(50);

/// The pump on loan to a callback; it comes back when cpal drops the callback.
struct Loan {
    pump: Option<Pump>,
    back: Sender<Pump>,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(pump) = self.pump.take() {
            let _ = self.back.send(pump);
        }
    }
}

/// Plays until `over` says so (`Ok`) or the device fails; gives the pump back either way. An empty name, or "default",
/// is the system's choice.
pub(crate) fn play(
    name: &str,
    pump: Pump,
    started: impl Fn(u32),
    over: impl Fn() -> bool,
) -> (Pump, Result<(), String>) {
    let (device, config) = match find(name) {
        Ok(found) => found,
        Err(reason) => return (pump, Err(reason)),
    };
    let (back, returned) = channel();
    let (failed, failure) = channel();
    let mut pump = pump;
    pump.attach(config.sample_rate());
    let loan = Loan { pump: Some(pump), back };
    let built = match config.sample_format() {
        SampleFormat::I16 => build::<i16>(&device, &config, loan, failed),
        SampleFormat::I32 => build::<i32>(&device, &config, loan, failed),
        SampleFormat::U16 => build::<u16>(&device, &config, loan, failed),
        _ => build::<f32>(&device, &config, loan, failed),
    };
    let outcome = built.and_then(|stream| {
        stream.play().map_err(|e| e.to_string())?;
        started(config.sample_rate());
        while !over() {
            if let Ok(reason) = failure.recv_timeout(LOOK_AROUND) {
                return Err(reason);
            }
        }
        Ok(())
    });
    // The stream is dropped by now, and with it the loan.
    match returned.recv() {
        Ok(pump) => (pump, outcome),
        Err(_) => unreachable!("the loan is given back whenever its callback is dropped"),
    }
}

fn find(name: &str) -> Result<(cpal::Device, cpal::SupportedStreamConfig), String> {
    let host = cpal::default_host();
    let device = if name.is_empty() || name == "default" {
        host.default_output_device()
    } else {
        host.output_devices().map_err(|e| e.to_string())?.find(|d| is_called(d, name))
    };
    let device = device.ok_or_else(|| "there is no such device".to_owned())?;
    let config = device.default_output_config().map_err(|e| e.to_string())?;
    Ok((device, config))
}

fn is_called(device: &cpal::Device, name: &str) -> bool {
    let by_id = device.id().is_ok_and(|id| id.id() == name);
    by_id || device.description().is_ok_and(|d| d.name() == name)
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    supported: &cpal::SupportedStreamConfig,
    mut loan: Loan,
    failed: Sender<String>,
) -> Result<cpal::Stream, String> {
    let channels = usize::from(supported.channels()).max(1);
    let period = (PERIOD_US * u64::from(supported.sample_rate()) / 1_000_000) as u32;
    let mut config = supported.config();
    config.buffer_size = BufferSize::Fixed(period);
    let rate_hz = f64::from(supported.sample_rate());
    let data = move |out: &mut [T], info: &OutputCallbackInfo| {
        let Some(pump) = &mut loan.pump else { return };
        let stamp = info.timestamp();
        let delay = stamp.playback.duration_since(stamp.callback);
        pump.observe(monotonic_exact_us(), delay.as_secs_f64() * rate_hz);
        let mut rest = out;
        while rest.len() >= channels {
            let frames = pump.next(rest.len() / channels);
            let (now, later) = rest.split_at_mut(frames.len() * channels);
            for (slot, frame) in now.chunks_exact_mut(channels).zip(frames) {
                spread(slot, frame);
            }
            rest = later;
        }
    };
    let error = move |e: cpal::Error| {
        if !matches!(e.kind(), cpal::ErrorKind::Xrun) {
            let _ = failed.send(e.to_string());
        }
    };
    device.build_output_stream(config, data, error, None).map_err(|e| e.to_string())
}

fn spread<T: SizedSample + FromSample<f32>>(slot: &mut [T], frame: &[f32; 2]) {
    match slot {
        [mono] => *mono = T::from_sample(f32::midpoint(frame[0], frame[1])),
        [left, right, rest @ ..] => {
            (*left, *right) = (T::from_sample(frame[0]), T::from_sample(frame[1]));
            rest.fill(T::EQUILIBRIUM);
        }
        [] => {}
    }
}

/// Output devices: name to open it by, and what to show.
#[cfg(not(target_os = "linux"))]
pub(crate) fn list() -> Vec<(String, String)> {
    let Ok(devices) = cpal::default_host().output_devices() else { return Vec::new() };
    devices
        .filter_map(|d| {
            let id = d.id().ok()?.id().to_owned();
            let described = d.description().map_or_else(|_| id.clone(), |d| d.name().to_owned());
            Some((id, described))
        })
        .collect()
}

/// On Linux this door is not used but can be tried, wherever a card exists.
#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    use crate::renderer::Renderer;
    use crate::shared::Shared;

    fn pump() -> Pump {
        let shared = Arc::new(Shared::new());
        let (_, cues) = rtrb::RingBuffer::new(1);
        Pump::new(shared.clone(), Renderer::new(shared, cues))
    }

    #[test]
    fn a_device_that_does_not_exist_is_refused_and_the_pump_comes_back() {
        let (_pump, outcome) = play("no such card", pump(), |_| {}, || true);
        assert!(outcome.is_err());
    }

    /// Needs a sound card: `SYNX_TEST_DEVICE` names it, as in `SYNX_TEST_DEVICE=vcard_a` on the rig.
    #[test]
    fn a_card_is_played_on_and_the_pump_comes_back() {
        let Ok(name) = std::env::var("SYNX_TEST_DEVICE") else { return };
        let (rate_hz, end) = (AtomicU32::new(0), Instant::now() + Duration::from_secs(2));
        let (mut pump, outcome) =
            play(&name, pump(), |hz| rate_hz.store(hz, Ordering::Relaxed), || Instant::now() > end);
        assert_eq!(outcome, Ok(()));
        assert!(rate_hz.load(Ordering::Relaxed) >= 8_000);
        assert!(pump.written() > u64::from(rate_hz.load(Ordering::Relaxed)), "{}", pump.written());
        assert_eq!(pump.next(64).len(), 64);
    }
}
