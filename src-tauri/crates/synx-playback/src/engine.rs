//! The engine as its users see it: give it plans and the room's clock, ask it how it is. It owns two threads, the feeder
//! and the output; it decides nothing about what is to be played.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use synx_clock::ClockEstimate;

use crate::calibration::{self, Calibration, CalibrationError};
use crate::feeder::{Feeder, Order};
use crate::monotonic::monotonic_exact_us;
use crate::output::desk::{self, Desk};
use crate::output::pump::Pump;
use crate::plan::Plan;
use crate::renderer::Renderer;
use crate::shared::Shared;
use crate::{EngineStatus, PlaybackError, TrackHandle};

/// Where sound goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceChoice {
    /// What the system plays on by default.
    #[default]
    Default,
    /// A device by the name that [`devices`] gives, or on Linux any ALSA PCM (`alsa:NAME` means the same).
    Named(String),
    /// Nowhere, at the right time.
    Null,
}

impl DeviceChoice {
    /// Reads a name as given on a command line: `null`, `default`, or a device.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name.trim().strip_prefix("alsa:").unwrap_or(name.trim()) {
            "" | "default" => Self::Default,
            "null" => Self::Null,
            named => Self::Named(named.to_owned()),
        }
    }

    /// The name that [`from_name`](Self::from_name) reads back; settings are kept under it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Named(name) => name.clone(),
            Self::Null => "null".to_owned(),
        }
    }
}

/// A device that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// What [`DeviceChoice::Named`] takes.
    pub name: String,
    /// What to show.
    pub description: String,
}

/// The output devices of this machine. Asks the sound system: not for a time-critical thread.
#[must_use]
pub fn devices() -> Vec<DeviceInfo> {
    #[cfg(target_os = "linux")]
    let listed = crate::output::alsa::list();
    #[cfg(not(target_os = "linux"))]
    let listed = crate::output::cpal::list();
    listed.into_iter().map(|(name, description)| DeviceInfo { name, description }).collect()
}

/// How an engine starts.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Where sound goes.
    pub device: DeviceChoice,
    /// "Plays late by": how much later than it says the device is heard, in microseconds. Negative for earlier.
    pub latency_offset_us: i64,
    /// See [`Engine::set_volume`].
    pub volume: f32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { device: DeviceChoice::Default, latency_offset_us: 0, volume: 1.0 }
    }
}

/// Plays plans in room time. Stops when dropped.
pub struct Engine {
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    orders: Sender<Order>,
    loudness: Mutex<Loudness>,
    fault: Arc<Mutex<Option<String>>>,
    /// Taken by whoever publishes, so that one at a time does.
    newest: Mutex<u64>,
    clock_writer: Mutex<()>,
    threads: Vec<JoinHandle<()>>,
}

struct Loudness {
    volume: f32,
    muted: bool,
}

impl Engine {
    /// Starts the engine's threads. A device that cannot be opened is no error: the status says so, the timeline runs
    /// and the device is tried again every second.
    ///
    /// # Errors
    /// [`PlaybackError::Thread`] when the system has no thread to give.
    pub fn start(config: EngineConfig) -> Result<Self, PlaybackError> {
        let shared = Arc::new(Shared::new());
        let desk = Arc::new(Desk::new(config.device));
        let fault = Arc::new(Mutex::new(None));
        shared.gain.store(perceptual_gain(config.volume).to_bits(), Ordering::Relaxed);
        shared.latency_offset_us.store(config.latency_offset_us, Ordering::Relaxed);
        let (producer, consumer) = rtrb::RingBuffer::new(64);
        let (orders, received) = channel();
        let feeder = Feeder::new(shared.clone(), producer, fault.clone(), monotonic_exact_us);
        let feeding = spawn("synx-feeder", move || feeder.run(&received))?;
        let pump = Pump::new(shared.clone(), Renderer::new(shared.clone(), consumer));
        let desk_of_thread = desk.clone();
        let playing = spawn("synx-output", move || desk::run(&desk_of_thread, pump))?;
        Ok(Self {
            shared,
            desk,
            orders,
            loudness: Mutex::new(Loudness { volume: config.volume, muted: false }),
            fault,
            newest: Mutex::new(0),
            clock_writer: Mutex::new(()),
            threads: vec![feeding, playing],
        })
    }

    /// Opens a track; the same as [`TrackHandle::open`].
    ///
    /// # Errors
    /// [`PlaybackError::Undecodable`] with the decoder's reason.
    pub fn load(&self, path: &Path) -> Result<TrackHandle, PlaybackError> {
        TrackHandle::open(path)
    }

    /// Replaces what is to be played from the plan's anchor on. A plan older than the last is ignored.
    ///
    /// # Errors
    /// [`PlaybackError::Stopped`] after [`shutdown`](Self::shutdown).
    pub fn set_plan(&self, plan: Plan) -> Result<(), PlaybackError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if plan.revision < *newest {
            return Ok(());
        }
        *newest = plan.revision;
        self.orders.send(Order::Plan(Box::new(plan))).map_err(|_| PlaybackError::Stopped)
    }

    /// Publishes the room's clock. Until the first one nothing sounds.
    pub fn set_clock(&self, estimate: ClockEstimate) {
        let _one_at_a_time = self.clock_writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.publish_clock(&estimate);
    }

    /// Volume from 0 (silent) to 1 (full), perceptual: half is about half as loud.
    pub fn set_volume(&self, volume: f32) {
        self.change_loudness(|l| l.volume = volume.clamp(0.0, 1.0));
    }

    /// Silences the output without losing the volume.
    pub fn set_muted(&self, muted: bool) {
        self.change_loudness(|l| l.muted = muted);
    }

    fn change_loudness(&self, change: impl FnOnce(&mut Loudness)) {
        let mut loudness = self.loudness.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut loudness);
        let gain = if loudness.muted { 0.0 } else { perceptual_gain(loudness.volume) };
        self.shared.gain.store(gain.to_bits(), Ordering::Relaxed);
    }

    /// Changes "plays late by" while playing, in microseconds.
    pub fn set_latency_offset_us(&self, latency_offset_us: i64) {
        self.shared.latency_offset_us.store(latency_offset_us, Ordering::Relaxed);
    }

    /// Moves to another device.
    pub fn set_device(&self, device: DeviceChoice) {
        self.desk.choose(device);
    }

    /// The device that was chosen, whether it plays or not.
    #[must_use]
    pub fn device(&self) -> DeviceChoice {
        self.desk.choice()
    }

    /// Listens with a microphone, while [`Signal::Chirps`](crate::Signal::Chirps) plays, for how late the device really
    /// is. Takes nine seconds; blocks.
    ///
    /// # Errors
    /// When the microphone cannot be used, or the signal is not heard.
    pub fn calibrate(&self, microphone: &str) -> Result<Calibration, CalibrationError> {
        calibration::listen(microphone, || self.shared.read_clock())
    }

    /// How things are now. Cheap; may be called many times a second.
    #[must_use]
    pub fn status(&self) -> EngineStatus {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        crate::status::read(&self.shared, self.desk.report(), fault)
    }

    /// Stops sound and threads and waits for them. Also done on drop.
    pub fn shutdown(&mut self) {
        self.desk.stop();
        let _ = self.orders.send(Order::Stop);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shutdown();
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, PlaybackError> {
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(run)?)
}

/// Cubic, as in PulseAudio: a tenth is -60 dB, a half -18 dB, and the steps feel even.
fn perceptual_gain(volume: f32) -> f32 {
    volume.clamp(0.0, 1.0).powi(3)
}

/// The gain that brings a track of this loudness to the target, in decibels, without pushing its true peak over -1 dBTP
/// (EBU R 128's headroom for codecs and converters).
#[must_use]
pub fn normalisation_gain_db(integrated_lufs: f64, true_peak_dbtp: f64, target_lufs: f64) -> f32 {
    const CEILING_DBTP: f64 = -1.0;
    let wanted = target_lufs - integrated_lufs;
    if wanted.is_finite() { wanted.min(CEILING_DBTP - true_peak_dbtp) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_is_normalised_up_to_the_peak_ceiling() {
        assert!((normalisation_gain_db(-10.0, -0.2, -18.0) + 8.0).abs() < 1e-6);
        assert!((normalisation_gain_db(-30.0, -6.0, -14.0) - 5.0).abs() < 1e-6);
        assert!(normalisation_gain_db(f64::NEG_INFINITY, f64::NEG_INFINITY, -14.0).abs() < f32::EPSILON);
    }

    #[test]
    fn device_names_of_the_command_line_are_understood() {
        assert_eq!(DeviceChoice::from_name("null"), DeviceChoice::Null);
        assert_eq!(DeviceChoice::from_name("alsa:vcard_a"), DeviceChoice::Named("vcard_a".to_owned()));
        assert_eq!(
            DeviceChoice::from_name("hw:CARD=0,DEV=0"),
            DeviceChoice::Named("hw:CARD=0,DEV=0".to_owned())
        );
        assert_eq!(DeviceChoice::from_name(""), DeviceChoice::Default);
    }
}
