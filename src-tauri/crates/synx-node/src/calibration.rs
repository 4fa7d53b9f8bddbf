//! Finding out by how much a device plays late: clicks for the ear, a chirp for a microphone.
//!
//! The signal takes the place of the music on this machine alone; nobody else in a room hears or sees it.

use crate::bridge::{CalibrationView, DeviceView};
use crate::error::NodeError;
use crate::node::Inner;
use std::sync::Arc;
use std::time::Duration;
use synx_playback::{Signal, TrackHandle, microphones, signal_track};
use tokio::sync::watch;

/// From the order to play the signal to the first one that is heard whole: lead, decoding and one second.
const BEGINS_WITHIN: Duration = Duration::from_millis(1_200);

impl Inner {
    /// Clicks at each whole second of room time in place of the music, or the music again.
    ///
    /// # Errors
    /// None that can be expected.
    pub fn set_clicks(&self, on: bool) -> Result<(), NodeError> {
        let clicks = if on { Some(signal_track(Signal::Clicks)?) } else { None };
        self.signal.send_replace(clicks);
        Ok(())
    }

    /// The microphones of this machine. Asks the sound system, which may take a moment.
    ///
    /// # Errors
    /// When the instance is closing.
    pub async fn microphones(&self) -> Result<Vec<DeviceView>, NodeError> {
        let listed = tokio::task::spawn_blocking(microphones).await.map_err(|_| NodeError::Closing)?;
        let view = |device: synx_playback::DeviceInfo| DeviceView {
            default: device.name == "default",
            chosen: false,
            id: device.name,
            name: device.description,
        };
        Ok(listed.into_iter().map(view).collect())
    }

    /// Plays chirps for some seconds and listens for them.
    ///
    /// # Errors
    /// When the microphone cannot be used, or the chirps are not heard.
    pub async fn calibrate(&self, microphone: Option<String>) -> Result<CalibrationView, NodeError> {
        let device = self.engine.device().name();
        let offset_us = self.settings().values().latency_offset_us.get(&device).copied().unwrap_or(0);
        let heard = {
            let _playing = Playing::begin(&self.signal)?;
            tokio::time::sleep(BEGINS_WITHIN).await;
            let engine = Arc::clone(&self.engine);
            let microphone = microphone.unwrap_or_else(|| "default".to_owned());
            let listening = tokio::task::spawn_blocking(move || engine.calibrate(&microphone));
            listening.await.map_err(|_| NodeError::Closing)??
        };
        Ok(CalibrationView {
            late_by_ms: heard.late_by_us / 1e3,
            spread_ms: heard.spread_us / 1e3,
            heard: heard.heard,
            played: heard.played,
            offset_ms: (offset_us as f64 + heard.late_by_us) / 1e3,
            device,
        })
    }
}

/// The chirps, for as long as somebody listens: what sounded before comes back even when the caller goes away.
struct Playing<'a> {
    signal: &'a watch::Sender<Option<TrackHandle>>,
    before: Option<TrackHandle>,
}

impl<'a> Playing<'a> {
    fn begin(signal: &'a watch::Sender<Option<TrackHandle>>) -> Result<Self, NodeError> {
        let before = signal.send_replace(Some(signal_track(Signal::Chirps)?));
        Ok(Self { signal, before })
    }
}

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        self.signal.send_replace(self.before.take());
    }
}
