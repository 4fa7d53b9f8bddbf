//! Pictures in files: made small whatever they are, and none where they are broken or made to do harm.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use lofty::config::WriteOptions;
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::tag::{Tag, TagExt, TagType};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use synx_media::{artwork, portrait, probe};

const FILES: [(&str, TagType); 6] = [
    ("lame.mp3", TagType::Id3v2),
    ("flac.flac", TagType::VorbisComments),
    ("aac.m4a", TagType::Mp4Ilst),
    ("vorbis.ogg", TagType::VorbisComments),
    ("pcm.wav", TagType::Id3v2),
    ("pcm.aiff", TagType::Id3v2),
];

fn copy(folder: &Path, name: &str) -> PathBuf {
    let to = folder.join(name);
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name), &to).unwrap();
    to
}

fn drawn(wide: u32, tall: u32, colour: [u8; 3], format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(RgbImage::from_pixel(wide, tall, Rgb(colour)))
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

/// Puts pictures into a file, each with what it is said to be.
fn put(path: &Path, kind: TagType, pictures: &[(PictureType, &[u8])]) {
    let mut tag = Tag::new(kind);
    for (what, bytes) in pictures {
        // What it is said to be is not what counts.
        let picture = Picture::unchecked(bytes.to_vec()).pic_type(*what).mime_type(MimeType::Png).build();
        tag.push_picture(picture);
    }
    tag.save_to_path(path, WriteOptions::default()).unwrap();
}

fn of(name: &str, kind: TagType, pictures: &[(PictureType, &[u8])]) -> Option<(DynamicImage, DynamicImage)> {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path(), name);
    put(&path, kind, pictures);
    // Whatever becomes of its picture, the file is one that plays.
    assert!(probe(&path).unwrap().duration_us > 0);
    let found = artwork(&path).unwrap()?;
    let read = |bytes: &[u8]| image::load_from_memory_with_format(bytes, ImageFormat::Jpeg).unwrap();
    Some((read(&found.large), read(&found.small)))
}

#[test]
fn a_large_picture_of_any_kind_is_made_small_in_every_container() {
    let formats = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif];
    for format in formats {
        let cover = drawn(900, 600, [200, 30, 30], format);
        // One container is enough for all but one format.
        for (name, kind) in &FILES[..if format == ImageFormat::Png { FILES.len() } else { 1 }] {
            let (large, small) = of(name, *kind, &[(PictureType::CoverFront, &cover)]).expect(name);
            assert_eq!((large.width(), large.height()), (640, 427), "{name} {format:?}");
            assert_eq!((small.width(), small.height()), (80, 53), "{name} {format:?}");
            let middle = large.to_rgb8().get_pixel(320, 200).0;
            assert!(middle[0] > 180 && middle[1] < 60 && middle[2] < 60, "{name} {format:?}: {middle:?}");
        }
    }
}

#[test]
fn the_front_comes_before_all_others_and_a_small_one_stays_as_it_is() {
    let (back, front) =
        (drawn(50, 50, [0, 0, 250], ImageFormat::Png), drawn(40, 30, [0, 250, 0], ImageFormat::Png));
    let pictures = [(PictureType::CoverBack, &back[..]), (PictureType::CoverFront, &front[..])];
    let (large, small) = of("lame.mp3", TagType::Id3v2, &pictures).unwrap();
    assert_eq!([large.width(), large.height(), small.width(), small.height()], [40, 30, 40, 30]);
    let (other, _) = of("lame.mp3", TagType::Id3v2, &pictures[..1]).unwrap();
    assert!(other.to_rgb8().get_pixel(25, 25).0[2] > 200);
}

#[test]
fn what_is_broken_or_made_to_do_harm_is_no_picture() {
    let whole = drawn(300, 300, [9, 9, 9], ImageFormat::Png);
    let mut torn = whole.clone();
    torn[60..].fill(0xaa);
    // A few bytes that say they are four thousand million pixels.
    let mut vast = whole.clone();
    vast[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    // Larger than any cover: a tag that is refused for its size alone.
    let heap = vec![0x55; 20 << 20];
    for (what, bytes) in [
        ("torn", &torn[..]),
        ("vast", &vast),
        ("cut", &whole[..40]),
        ("empty", &[]),
        ("text", b"<svg/>"),
        ("heap", &heap),
    ] {
        // FLAC's own blocks end before the largest of these.
        for (name, kind) in [FILES[0], FILES[2], FILES[4], FILES[if what == "heap" { 0 } else { 1 }]] {
            assert!(of(name, kind, &[(PictureType::CoverFront, bytes)]).is_none(), "{what} in {name}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(artwork(&copy(folder.path(), "lame.mp3")).unwrap().is_none());
    assert_eq!(artwork(&folder.path().join("nowhere.mp3")).unwrap_err().code(), "media_io");
}

#[test]
fn a_portrait_is_the_middle_of_a_picture_in_bare_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.png");
    // Three stripes, of which a square holds the middle one.
    let stripes = RgbImage::from_fn(300, 100, |x, _| match x / 100 {
        1 => Rgb([255, 128, 8]),
        _ => Rgb([0, 0, 255]),
    });
    stripes.save_with_format(&path, ImageFormat::Png).unwrap();
    let pixels = portrait(&path, 40).unwrap().unwrap();
    let orange = (31_u16 << 11 | 32 << 5 | 1).to_le_bytes();
    assert_eq!(pixels.len(), 2 * 40 * 40);
    // At its edges a little of what is beside it shines through.
    assert!(pixels.chunks_exact(2 * 40).all(|row| row[2..2 * 39] == orange.repeat(38)));
    // Too small, too large for its memory, or none at all.
    fs::write(&path, drawn(1, 1, [255, 128, 8], ImageFormat::Gif)).unwrap();
    assert_eq!(portrait(&path, 40).unwrap().map(|pixels| pixels.len()), Some(3200));
    fs::write(&path, "no picture").unwrap();
    assert_eq!(portrait(&path, 40).unwrap(), None);
    assert_eq!(portrait(&folder.path().join("nothing"), 40).unwrap_err().code(), "media_io");
}
