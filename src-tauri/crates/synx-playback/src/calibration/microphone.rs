//! Recording with instants: which local time was each frame captured at? The same line under the stamps as for output,
//! since reading a stamp late makes a frame seem later here too.

use std::time::Duration;

use crate::DeviceInfo;
use crate::card_clock::CardClock;

/// Sound servers begin with what was recorded earlier, and with stamps that are wrong by a fifth of a second.
const SETTLING: Duration = Duration::from_millis(1_500);

/// One channel, and when each of its frames was captured.
pub(super) struct Recording {
    pub samples: Vec<f32>,
    pub rate_hz: u32,
    clock: CardClock,
}

impl Recording {
    /// `stamps` are frames and the local instants, in microseconds, at which they were captured, as far as was said. What
    /// was recorded while the microphone settled is left out.
    pub(super) fn new(
        mut samples: Vec<f32>,
        rate_hz: u32,
        stamps: impl IntoIterator<Item = (u64, f64)>,
    ) -> Self {
        let settling = (SETTLING.as_secs_f64() * f64::from(rate_hz)) as usize;
        samples.drain(..settling.min(samples.len()));
        let mut clock = CardClock::new(rate_hz);
        for (frame, at_us) in stamps {
            if let Some(frame) = frame.checked_sub(settling as u64) {
                clock.observe(frame, at_us, 0.0);
            }
        }
        Self { samples, rate_hz, clock }
    }

    pub(super) fn instant_us(&self, frame: f64) -> Option<f64> {
        let time = self.clock.block(frame.max(0.0) as u64)?;
        Some(time.first_us + frame.max(0.0).fract() / time.rate_hz * 1e6)
    }

    /// Frames in a second, by the local clock.
    pub(super) fn rate_hz(&self) -> f64 {
        self.clock.block(0).map_or(f64::from(self.rate_hz), |time| time.rate_hz)
    }
}

/// Microphones of this machine. Asks the sound system: not for a time-critical thread.
#[must_use]
pub fn microphones() -> Vec<DeviceInfo> {
    #[cfg(target_os = "linux")]
    let listed = super::capture_alsa::list();
    #[cfg(not(target_os = "linux"))]
    let listed = super::capture_cpal::list();
    listed.into_iter().map(|(name, description)| DeviceInfo { name, description }).collect()
}

/// Records for so long from a microphone by its name; "default" is the system's choice.
pub(super) fn record(name: &str, length: Duration) -> Result<Recording, String> {
    let length = length + SETTLING;
    #[cfg(target_os = "linux")]
    return super::capture_alsa::record(name, length);
    #[cfg(not(target_os = "linux"))]
    return super::capture_cpal::record(name, length);
}
