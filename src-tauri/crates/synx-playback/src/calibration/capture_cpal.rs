//! Recording through cpal, where it is the only door to the microphone.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{FromSample, InputCallbackInfo, Sample, SampleFormat, SizedSample};

use super::microphone::Recording;
use crate::monotonic::monotonic_exact_us;

/// Waits for sound no longer than this.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a callback brings: one channel, and the local instant of its first frame; or why there is no more.
type Piece = Result<(Vec<f32>, f64), String>;

pub(super) fn record(name: &str, length: Duration) -> Result<Recording, String> {
    let host = cpal::default_host();
    let device = if name.is_empty() || name == "default" {
        host.default_input_device()
    } else {
        let mut devices = host.input_devices().map_err(|e| e.to_string())?;
        devices.find(|device| device.id().is_ok_and(|id| id.id() == name))
    };
    let device = device.ok_or_else(|| "there is no such microphone".to_owned())?;
    let config = device.default_input_config().map_err(|e| e.to_string())?;
    let (tell, told) = channel();
    let stream = match config.sample_format() {
        SampleFormat::I16 => build::<i16>(&device, &config, tell),
        SampleFormat::I32 => build::<i32>(&device, &config, tell),
        SampleFormat::U16 => build::<u16>(&device, &config, tell),
        _ => build::<f32>(&device, &config, tell),
    }?;
    stream.play().map_err(|e| e.to_string())?;
    let wanted = (length.as_secs_f64() * f64::from(config.sample_rate())) as usize;
    let (mut samples, mut stamps) = (Vec::with_capacity(wanted), Vec::new());
    let end = Instant::now() + length + PATIENCE;
    while samples.len() < wanted && Instant::now() < end {
        let (piece, captured_us) =
            told.recv_timeout(PATIENCE).map_err(|_| "it gives no sound".to_owned())??;
        stamps.push((samples.len() as u64, captured_us));
        samples.extend(piece);
    }
    Ok(Recording::new(samples, config.sample_rate(), stamps))
}

fn build<T: SizedSample>(
    device: &cpal::Device,
    supported: &cpal::SupportedStreamConfig,
    tell: Sender<Piece>,
) -> Result<cpal::Stream, String>
where
    f32: FromSample<T>,
{
    let channels = usize::from(supported.channels()).max(1);
    let failed = tell.clone();
    let data = move |input: &[T], info: &InputCallbackInfo| {
        let stamp = info.timestamp();
        let age = stamp.callback.duration_since(stamp.capture);
        let captured_us = monotonic_exact_us() - age.as_secs_f64() * 1e6;
        let mixed = input
            .chunks_exact(channels)
            .map(|frame| frame.iter().map(|sample| f32::from_sample(*sample)).sum::<f32>() / channels as f32);
        drop(tell.send(Ok((mixed.collect(), captured_us))));
    };
    let error = move |e: cpal::Error| drop(failed.send(Err(e.to_string())));
    device.build_input_stream(supported.config(), data, error, None).map_err(|e| e.to_string())
}

/// Microphones: name to open it by, and what to show.
#[cfg(not(target_os = "linux"))]
pub(super) fn list() -> Vec<(String, String)> {
    let Ok(devices) = cpal::default_host().input_devices() else { return Vec::new() };
    devices
        .filter_map(|device| {
            let id = device.id().ok()?.id().to_owned();
            let described = device.description().map_or_else(|_| id.clone(), |d| d.name().to_owned());
            Some((id, described))
        })
        .collect()
}

/// On Linux this door is not used but can be tried.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_microphone_that_does_not_exist_is_refused() {
        assert!(record("no such microphone", Duration::from_millis(100)).is_err());
    }
}
