//! The picture of a file, as small JPEGs of our own making.
//!
//! What a file holds is never handed on: it is decoded within limits, and what cannot be is no picture. Must never be called
//! in a process that cannot be lost: image decoders meet strangers' bytes here.

use std::fs::File;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageReader, Limits};
use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::TaggedFileExt;
use lofty::picture::{Picture, PictureType};
use lofty::probe::Probe;

use crate::MediaError;

/// Pixels along the longer edge, of the picture that is looked at.
const LARGE_PX: u32 = 640;
/// And of the one that stands in a row: 40 units on a screen with twice the pixels.
const SMALL_PX: u32 = 80;
/// Neither is to be seen to be compressed.
const QUALITY: u8 = 85;
/// Edge of the largest picture that is decoded: a scan of a record's sleeve at 600 dpi is 7400.
const DECODED_MOST_PX: u32 = 10_000;
/// Memory that decoding it may take.
const DECODED_MOST_BYTES: u64 = 512 << 20;
/// A picture file is cut here: what is longer is no photograph.
const FILE_MOST_BYTES: u64 = 64 << 20;

/// A picture in two sizes, as JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artwork {
    /// At most 640 pixels wide and tall.
    pub large: Vec<u8>,
    /// At most 80.
    pub small: Vec<u8>,
}

/// The front cover of a file or, where it has none, its first picture. A picture that cannot be decoded is none.
///
/// # Errors
/// When the file cannot be opened.
pub fn artwork(path: &Path) -> Result<Option<Artwork>, MediaError> {
    let probe = Probe::open(path).map_err(|error| MediaError::Io {
        path: path.to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    let options = ParseOptions::new().read_properties(false).parsing_mode(ParsingMode::Relaxed);
    let read = || {
        let file = probe.options(options).guess_file_type().ok()?.read().ok()?;
        let pictures = || file.tags().iter().flat_map(|tag| tag.pictures());
        let front = |picture: &&Picture| picture.pic_type() == PictureType::CoverFront;
        pictures().find(front).or_else(|| pictures().next()).and_then(|picture| drawn(picture.data()))
    };
    Ok(catch_unwind(AssertUnwindSafe(read)).ok().flatten())
}

/// A picture file as a small square: of what is longer the middle. Bare pixels, row by row from the top, each two bytes, the lower
/// first, of five bits of red, six of green and five of blue. What cannot be decoded is no picture.
///
/// # Errors
/// When the file cannot be read.
pub fn portrait(path: &Path, edge_px: u32) -> Result<Option<Vec<u8>>, MediaError> {
    let io = |source| MediaError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_MOST_BYTES).read_to_end(&mut bytes)).map_err(io)?;
    let read = || {
        let square = decoded(&bytes)?.resize_to_fill(edge_px, edge_px, FilterType::Triangle).to_rgb8();
        Some(square.pixels().flat_map(|pixel| packed(pixel.0)).collect())
    };
    Ok(catch_unwind(AssertUnwindSafe(read)).ok().flatten())
}

fn packed([red, green, blue]: [u8; 3]) -> [u8; 2] {
    (u16::from(red >> 3) << 11 | u16::from(green >> 2) << 5 | u16::from(blue >> 3)).to_le_bytes()
}

fn drawn(bytes: &[u8]) -> Option<Artwork> {
    let picture = decoded(bytes)?;
    Some(Artwork { large: jpeg(&picture, LARGE_PX)?, small: jpeg(&picture, SMALL_PX)? })
}

fn decoded(bytes: &[u8]) -> Option<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(DECODED_MOST_PX);
    limits.max_image_height = Some(DECODED_MOST_PX);
    limits.max_alloc = Some(DECODED_MOST_BYTES);
    reader.limits(limits);
    reader.decode().ok()
}

fn jpeg(picture: &DynamicImage, most_px: u32) -> Option<Vec<u8>> {
    let fits = picture.width() <= most_px && picture.height() <= most_px;
    let sized = if fits { picture.to_rgb8() } else { picture.thumbnail(most_px, most_px).to_rgb8() };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&sized).ok()?;
    Some(bytes)
}
