//! Which of a container's raw frames are music: the one place that knows about encoder delay and padding.
//!
//! "Raw" positions are the container's timestamps in frames, as Symphonia gives them with its own trimming switched off.

use std::fs::File;

use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::formats::well_known::{
    FORMAT_ID_ADTS, FORMAT_ID_CAF, FORMAT_ID_ISOMP4, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3,
};
use symphonia::core::formats::{FormatReader, Track};
use symphonia::core::meta::RawValue;

use crate::mp4;

/// More frames than a year of 192 kHz audio: a header that says so lies.
const MAX_CREDIBLE_FRAMES: u64 = 1 << 43;

/// The part of the raw timeline that is presented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trim {
    /// Raw position of the listener's frame 0.
    pub(crate) origin: i64,
    /// Number of frames presented, where the container knows.
    pub(crate) frames: Option<u64>,
    /// Cut the output at `frames`: set where the encoder padded the end, not where the count is only a header field.
    pub(crate) cut_at_end: bool,
}

/// Works out the trim of `track`. `ticks_are_frames` says that the track's time base is one frame.
pub(crate) fn trim_of(
    reader: &mut dyn FormatReader,
    track: &Track,
    params: &AudioCodecParameters,
    ticks_are_frames: bool,
    file: &File,
) -> Trim {
    let delay = i64::from(track.delay.unwrap_or(0));
    let raw_frames = track.num_frames.filter(|n| *n < MAX_CREDIBLE_FRAMES);
    match reader.format_info().format {
        FORMAT_ID_MP1 | FORMAT_ID_MP2 | FORMAT_ID_MP3 => mpeg(track, raw_frames),
        FORMAT_ID_ADTS => Trim::default(),
        FORMAT_ID_ISOMP4 => mp4_trim(reader, raw_frames, ticks_are_frames, file),
        FORMAT_ID_CAF => Trim { origin: 0, frames: raw_frames, cut_at_end: track.padding.is_some() },
        _ if params.codec == CODEC_ID_OPUS => {
            // Ogg Opus counts the pre-skip in its granule position (RFC 7845, 4.3).
            let frames = raw_frames.map(|n| n.saturating_sub(delay.unsigned_abs()));
            Trim { origin: delay, frames, cut_at_end: true }
        }
        _ if params.codec == CODEC_ID_VORBIS => vorbis(track, raw_frames, delay),
        _ => Trim { origin: 0, frames: raw_frames, cut_at_end: false },
    }
}

/// Only a LAME tag makes the count of an MPEG stream true; without one it is estimated from the bit rate.
fn mpeg(track: &Track, raw_frames: Option<u64>) -> Trim {
    let known = track.delay.is_some();
    Trim { origin: 0, frames: raw_frames.filter(|_| known), cut_at_end: known }
}

/// A stream cut out of a longer one starts after zero; one whose encoder trimmed its start begins before it.
fn vorbis(track: &Track, raw_frames: Option<u64>, delay: i64) -> Trim {
    let origin = track.start_ts.get().saturating_add(delay).max(0);
    let frames = raw_frames.map(|n| n.saturating_sub(origin.unsigned_abs()));
    Trim { origin, frames, cut_at_end: true }
}

fn mp4_trim(
    reader: &mut dyn FormatReader,
    raw_frames: Option<u64>,
    ticks_are_frames: bool,
    file: &File,
) -> Trim {
    if !ticks_are_frames {
        return Trim::default();
    }
    if let Some((delay, frames)) = itunes_gapless(reader) {
        return Trim { origin: delay, frames: Some(frames), cut_at_end: true };
    }
    let priming = mp4::audio_edit(file).ok().flatten().map_or(0, |edit| edit.media_time);
    match raw_frames {
        Some(n) if priming < n => {
            Trim { origin: priming.cast_signed(), frames: Some(n - priming), cut_at_end: true }
        }
        _ => Trim { origin: 0, frames: raw_frames, cut_at_end: false },
    }
}

/// Reads the `iTunSMPB` tag: "00000000 DELAY PADDING FRAMES …" in hexadecimal.
fn itunes_gapless(reader: &mut dyn FormatReader) -> Option<(i64, u64)> {
    let mut metadata = reader.metadata();
    let revision = metadata.skip_to_latest()?;
    let tag = revision.media.tags.iter().find(|t| t.raw.key.ends_with("iTunSMPB"))?;
    let RawValue::String(text) = &tag.raw.value else { return None };
    let mut fields = text.split_ascii_whitespace().skip(1);
    let delay = i64::from_str_radix(fields.next()?, 16).ok()?;
    let _padding = fields.next()?;
    let frames = u64::from_str_radix(fields.next()?, 16).ok()?;
    (delay < 1 << 20 && frames > 0 && frames < MAX_CREDIBLE_FRAMES).then_some((delay, frames))
}

/// Frames a decoder needs before the wanted one to produce the same samples as a straight decode.
pub(crate) fn preroll_frames(codec: AudioCodecId) -> i64 {
    use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
    match codec {
        // The bit reservoir reaches back 511 bytes (nine frames at the lowest bit rate), overlap and filter bank one more.
        CODEC_ID_MP3 => 12 * 1152,
        // One overlapping block; the second settles a window-shape change.
        CODEC_ID_AAC => 3 * 1024,
        // The largest block of the format.
        CODEC_ID_VORBIS => 2 * 8192,
        // RFC 7845, 4.6 asks for 80 ms; its predictors take longer to become inaudible.
        CODEC_ID_OPUS => 19_200,
        _ => 0,
    }
}
