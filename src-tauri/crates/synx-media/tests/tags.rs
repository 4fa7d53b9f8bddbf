//! Tags and cover pictures in every container, under names as people have them: read where they are whole, left out where
//! they are not, and never in the way of the sound.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lofty::config::WriteOptions;
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::probe::Probe;
use lofty::tag::items::Timestamp;
use lofty::tag::{Accessor, Tag, TagExt, TagType};
use std::fs;
use std::path::{Path, PathBuf};
use synx_media::{Decoder, probe};

const TAGGED: [&str; 8] =
    ["lame.mp3", "flac.flac", "aac.m4a", "alac.m4a", "vorbis.ogg", "opus.ogg", "pcm.wav", "pcm.aiff"];
const TITLE: &str = "🎉 שלום, Überraschung  №7";
/// Larger than any cover: a scan of a whole booklet.
const ARTWORK_BYTES: usize = 9 << 20;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

/// A copy under a name of 255 bytes, the most that file systems take.
fn awkward_copy(folder: &Path, name: &str) -> PathBuf {
    let (stem, extension) = name.rsplit_once('.').unwrap();
    let start = format!("  {stem} 🪩 שיר ");
    let rest = 255 - start.len() - 1 - extension.len();
    let to = folder.join(format!("{start}{}{}.{extension}", "ä".repeat(rest / 2), "x".repeat(rest % 2)));
    assert_eq!(to.file_name().unwrap().len(), 255);
    fs::copy(sample(name), &to).unwrap();
    to
}

fn write_tag(path: &Path, artwork_bytes: usize) {
    let mut file = Probe::open(path).unwrap().guess_file_type().unwrap().read().unwrap();
    let mut tag = Tag::new(file.primary_tag_type());
    tag.set_title(TITLE.to_owned());
    tag.set_artist("  Mira\u{7} Holm ".to_owned());
    tag.set_album("x".repeat(5_000));
    tag.set_date(Timestamp { year: 1998, ..Timestamp::default() });
    if artwork_bytes > 0 {
        let noise = (0..artwork_bytes as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let cover =
            Picture::unchecked(noise).pic_type(PictureType::CoverFront).mime_type(MimeType::Png).build();
        tag.push_picture(cover);
    }
    file.insert_tag(tag);
    file.save_to_path(path, WriteOptions::default()).unwrap();
}

fn sound(path: &Path) -> Vec<f32> {
    let mut decoder = Decoder::open(path).unwrap();
    let mut all = Vec::new();
    let mut block = vec![0.0; 1_000 * decoder.channels()];
    loop {
        let frames = decoder.read(&mut block).unwrap();
        if frames == 0 {
            return all;
        }
        all.extend_from_slice(&block[..frames * decoder.channels()]);
    }
}

#[test]
fn tags_are_read_in_every_container_and_change_no_sample() {
    let folder = tempfile::tempdir().unwrap();
    for name in TAGGED {
        let path = awkward_copy(folder.path(), name);
        let before = sound(&path);
        for artwork_bytes in [0, ARTWORK_BYTES] {
            write_tag(&path, artwork_bytes);
            assert!(fs::metadata(&path).unwrap().len() as usize > artwork_bytes, "{name}");
            let info = probe(&path).unwrap();
            let said = (info.title.as_str(), info.artist.as_deref(), info.year);
            assert_eq!(said, (TITLE, Some("Mira Holm"), Some(1998)), "{name}");
            assert_eq!(info.album.map(|album| album.len()), Some(300), "{name}");
            assert!(sound(&path) == before, "{name}: the sound changed with its tags");
        }
    }
}

#[test]
fn broken_tags_count_as_none_and_the_file_plays() {
    let folder = tempfile::tempdir().unwrap();
    // In Ogg a checksum covers tags and sound alike: there it is the stream that is broken.
    for name in TAGGED.into_iter().filter(|name| !name.ends_with("ogg")) {
        let path = awkward_copy(folder.path(), name);
        write_tag(&path, 0);
        let mut bytes = fs::read(&path).unwrap();
        // The words themselves: what is around them stays, so that the container is whole.
        let words = find(&bytes, b"Mira").or_else(|| find(&bytes, &utf16("Mira"))).expect(name);
        bytes[words..words + 4].fill(0xff);
        fs::write(&path, &bytes).unwrap();
        let info = probe(&path).unwrap();
        assert!(!info.title.is_empty() && info.title.chars().all(|c| !c.is_control()), "{name}: {info:?}");
        assert!(!sound(&path).is_empty(), "{name}");
    }
}

#[test]
fn a_name_is_the_title_where_no_tag_is_and_an_empty_tag_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = awkward_copy(folder.path(), "pcm.wav");
    assert!(probe(&path).unwrap().title.starts_with("pcm 🪩 שיר ää"));
    let mut info = Tag::new(TagType::RiffInfo);
    info.set_title("From the other tag".to_owned());
    info.save_to_path(&path, WriteOptions::default()).unwrap();
    let mut id3 = Tag::new(TagType::Id3v2);
    id3.set_artist("Mira Holm".to_owned());
    id3.save_to_path(&path, WriteOptions::default()).unwrap();
    let info = probe(&path).unwrap();
    assert_eq!((info.title.as_str(), info.artist.as_deref()), ("From the other tag", Some("Mira Holm")));
}

#[test]
fn cue_points_at_the_very_end_and_beyond_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = awkward_copy(folder.path(), "pcm.wav");
    let before = sound(&path);
    let mut bytes = fs::read(&path).unwrap();
    let frames = before.len() as u32;
    let mut cue = b"cue ".to_vec();
    cue.extend((4_u32 + 3 * 24).to_le_bytes());
    cue.extend(3_u32.to_le_bytes());
    for (id, at) in [(1_u32, frames - 1), (2, frames), (3, u32::MAX)] {
        cue.extend(id.to_le_bytes());
        cue.extend(at.to_le_bytes());
        cue.extend(b"data\0\0\0\0\0\0\0\0");
        cue.extend(at.to_le_bytes());
    }
    bytes.extend(&cue);
    let riff_bytes = (bytes.len() - 8) as u32;
    bytes[4..8].copy_from_slice(&riff_bytes.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    assert_eq!(probe(&path).unwrap().container, "wave");
    assert!(sound(&path) == before);
}

fn find(bytes: &[u8], words: &[u8]) -> Option<usize> {
    bytes.windows(words.len()).position(|window| window == words)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
