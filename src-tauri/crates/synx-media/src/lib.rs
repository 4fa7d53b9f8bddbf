//! Audio files as the rest of the program sees them: samples at exact positions, tags, loudness, waveform.
//!
//! [`Decoder`] is the only owner of encoder-delay trimming: frame 0 is the first frame a listener should hear, the
//! same on every peer. Everything here treats files as hostile: no panic, hang or unbounded memory may escape, whatever
//! the bytes are. It must never touch the network, an audio device or a clock.
#![warn(missing_docs)]

mod artwork;
mod decoder;
mod error;
mod info;
mod loudness;
mod mono;
mod mp4;
mod peaks;
mod source;
mod trim;

pub use artwork::{Artwork, artwork, portrait};
pub use decoder::Decoder;
pub use error::MediaError;
pub use info::{TrackInfo, probe};
pub use loudness::{Loudness, LoudnessMeter};
pub use mono::mix_to_mono;
pub use peaks::{PeakBin, PeakLevel, Peaks, PeaksBuilder};
