//! Ten thousand files as people have them: several containers, each with tags and a content of its own.

use lofty::config::WriteOptions;
use lofty::tag::items::Timestamp;
use lofty::tag::{Accessor, Tag, TagExt, TagType};
use std::fs;
use std::path::{Path, PathBuf};

/// Of ten files: where from, and the tag that its container has.
const MIX: [(&str, TagType); 10] = [
    ("../../../assets/demo/tide-line.mp3", TagType::Id3v2),
    ("../../../assets/demo/tide-line.mp3", TagType::Id3v2),
    ("../../../assets/demo/tide-line.mp3", TagType::Id3v2),
    ("../../../assets/demo/tide-line.mp3", TagType::Id3v2),
    ("../../../assets/demo/paper-lantern.flac", TagType::VorbisComments),
    ("../../../assets/demo/paper-lantern.flac", TagType::VorbisComments),
    ("../synx-media/tests/samples/aac.m4a", TagType::Mp4Ilst),
    ("../synx-media/tests/samples/vorbis.ogg", TagType::VorbisComments),
    ("../synx-media/tests/samples/pcm.wav", TagType::Id3v2),
    ("../synx-media/tests/samples/pcm.aiff", TagType::Id3v2),
];
/// Files of an album, which have a folder to themselves.
const ALBUM: u32 = 12;

/// What was made.
pub struct Music {
    pub folder: PathBuf,
    pub bytes: u64,
}

/// Makes `count` files under `folder`.
pub fn made(folder: &Path, count: u32) -> Music {
    let mut bytes = 0;
    for number in 0..count {
        let (from, kind) = MIX[(number % 10) as usize];
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
        let extension = from.extension().unwrap().to_str().unwrap();
        let (album, artist) = (number / ALBUM, number / ALBUM / 5);
        let place = folder.join(format!("Artist {artist}")).join(format!("Album {album}"));
        fs::create_dir_all(&place).unwrap();
        let path = place.join(format!("{:02} – Track {number}.{extension}", number % ALBUM));
        fs::copy(&from, &path).unwrap();
        let mut tag = Tag::new(kind);
        tag.set_title(format!("Track {number}"));
        tag.set_artist(format!("Artist {artist}"));
        tag.set_album(format!("Album {album}"));
        tag.set_date(Timestamp { year: 1960 + (number % 65) as u16, ..Timestamp::default() });
        tag.save_to_path(&path, WriteOptions::default()).unwrap();
        bytes += fs::metadata(&path).unwrap().len();
    }
    Music { folder: folder.to_owned(), bytes }
}
