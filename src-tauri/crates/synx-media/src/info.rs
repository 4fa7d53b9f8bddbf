//! What is known about a file without decoding it: tags and stream format.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::Accessor;
use serde::{Deserialize, Serialize};

use crate::{Decoder, MediaError};

/// Longer tag texts are cut: they are shown on one line and travel to every peer.
const MAX_TEXT_CHARS: usize = 300;

/// Tags and stream format of an audio file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackInfo {
    /// Title from the tags, or the file name without its extension.
    pub title: String,
    /// Performer from the tags.
    pub artist: Option<String>,
    /// Album from the tags.
    pub album: Option<String>,
    /// Year of the release from the tags.
    pub year: Option<u16>,
    /// Length in microseconds. An estimate for MP3 and AAC streams that do not state it; 0 where nothing is known.
    pub duration_us: u64,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// Channels as in the file.
    pub channels: usize,
    /// Short name of the codec, such as `mp3`, `flac` or `pcm_s16le`.
    pub codec: String,
    /// Short name of the container, such as `ogg`, `isomp4` or `wave`.
    pub container: String,
}

/// Reads tags and stream format; decodes one packet to be sure that the file plays.
///
/// # Errors
/// As [`Decoder::open`]. Damaged tags are no error: they count as absent.
pub fn probe(path: &Path) -> Result<TrackInfo, MediaError> {
    let decoder = Decoder::open(path)?;
    let tags = read_tags(path).unwrap_or_default();
    let sample_rate_hz = decoder.sample_rate_hz();
    let frames = decoder.frames().or(decoder.estimated_frames()).unwrap_or(0);
    let duration_us = u128::from(frames) * 1_000_000 / u128::from(sample_rate_hz);
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    Ok(TrackInfo {
        title: tags.title.or(stem.as_deref().and_then(clean)).unwrap_or_else(|| "Untitled".into()),
        artist: tags.artist,
        album: tags.album,
        year: tags.year,
        duration_us: u64::try_from(duration_us).unwrap_or(u64::MAX),
        sample_rate_hz,
        channels: decoder.channels(),
        codec: decoder.codec_name().into(),
        container: decoder.container().into(),
    })
}

#[derive(Default)]
struct Tags {
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
    year: Option<u16>,
}

fn read_tags(path: &Path) -> Option<Tags> {
    let options =
        ParseOptions::new().read_properties(false).read_cover_art(false).parsing_mode(ParsingMode::Relaxed);
    let read = || Probe::open(path).ok()?.options(options).guess_file_type().ok()?.read().ok();
    let file = catch_unwind(AssertUnwindSafe(read)).ok()??;
    // A file may have several tags, and the one that should count may say less than another.
    let tags = || file.primary_tag().into_iter().chain(file.tags());
    Some(Tags {
        title: tags().find_map(|tag| tag.title().as_deref().and_then(clean)),
        artist: tags().find_map(|tag| tag.artist().as_deref().and_then(clean)),
        album: tags().find_map(|tag| tag.album().as_deref().and_then(clean)),
        year: tags().find_map(|tag| tag.date().map(|date| date.year).filter(|year| *year > 0)),
    })
}

/// Drops control characters and outer blanks; `None` if nothing is left.
fn clean(text: &str) -> Option<String> {
    let printable: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect();
    let trimmed = printable.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
