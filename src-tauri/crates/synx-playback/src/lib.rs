//! The playback engine: plays a track so that each sample is heard at its room time.
//!
//! A [`Plan`] says what is heard when, as a function of room time. The [`Engine`] makes it so: a feeder thread decodes
//! ahead into windows that can be read at any frame; the output thread asks for each block when it will leave the card
//! (a regression over the card's stamps), which room time that is (the clock estimate) and hence which position must be
//! heard, and reads the window there through a windowed-sinc interpolator whose rate a PI controller bends by at most
//! 500 ppm. Room playback and local playback are the same thing with another clock.
//!
//! Invariants: the audio thread's side (`renderer`) neither allocates, locks, logs nor blocks; what sounds depends on
//! plan, clock and card stamps alone, never on when a message arrived; a missing device or file stops sound, not time.
#![warn(missing_docs)]

mod calibration;
mod card_clock;
mod engine;
mod error;
mod feeder;
mod kernel;
mod monotonic;
mod output;
mod plan;
mod published;
#[cfg(test)]
mod quiet;
mod renderer;
#[cfg(test)]
mod seam;
mod servo;
mod shared;
#[cfg(test)]
mod simulated;
mod source;
mod status;
mod tap;
mod window;

pub use calibration::{Calibration, CalibrationError, Signal, microphones, signal_track};
pub use engine::{DeviceChoice, DeviceInfo, Engine, EngineConfig, devices, normalisation_gain_db};
pub use error::PlaybackError;
pub use monotonic::monotonic_us;
pub use plan::Plan;
pub use source::{AudioFile, FrameSource, TrackHandle};
pub use status::{EngineStatus, PlayState};
