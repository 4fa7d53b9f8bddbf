//! A library of made-up tracks, for measuring how fast it answers. Nothing of the program uses it.

use super::search::{Lists, Wanted};
use super::store::{Found, LibraryStore, StoredTrack, new_track};
use crate::error::NodeError;
use std::path::Path;
use synx_analysis::{Key, KeyEstimate, Mode, Tempo};
use synx_domain::{ContentHash, TrackMeta};

const WORDS: &[&str] = &[
    "paper",
    "lantern",
    "tide",
    "line",
    "slow",
    "satellite",
    "glass",
    "arcade",
    "river",
    "of",
    "light",
    "the",
    "night",
    "live",
    "remix",
    "blue",
    "golden",
    "winter",
    "café",
    "señor",
    "über",
    "morning",
    "chorus",
    "harbour",
    "northwater",
    "mira",
    "holm",
    "oval",
    "rooms",
    "estuary",
    "signal",
    "echo",
    "dust",
    "velvet",
    "atlas",
    "cobalt",
    "ember",
    "quiet",
];
const BATCH: usize = 2_000;
const DAY_MS: i64 = 86_400_000;

/// A library without its files.
pub struct Shelf {
    store: LibraryStore,
    lists: Lists,
}

impl Shelf {
    /// A part of a list, as a window asks for it; how many rows it has.
    ///
    /// # Errors
    /// As [`super::Library::list`].
    pub fn page(&self, wanted: &Wanted, from: u32, count: u32) -> Result<usize, NodeError> {
        let listed = self.lists.list(&self.store, wanted)?;
        Ok(listed.rows(&self.store, from as usize, count as usize)?.len())
    }

    /// The same, with no list kept from before.
    ///
    /// # Errors
    /// As [`super::Library::list`].
    pub fn page_anew(&self, wanted: &Wanted, from: u32, count: u32) -> Result<usize, NodeError> {
        self.lists.forget();
        self.page(wanted, from, count)
    }

    /// Learns what tracks are called, as the program does by itself when it starts and when that changes.
    ///
    /// # Errors
    /// When the library cannot be read.
    pub fn learn_words(&self) -> Result<(), NodeError> {
        self.lists.learn_words(&self.store)
    }
}

/// A library in `folder` with so many tracks.
///
/// # Errors
/// When it cannot be written.
pub fn filled(folder: &Path, tracks: u32) -> Result<Shelf, NodeError> {
    let store = LibraryStore::open(&folder.join("library.db"))?;
    let mut random = Random(1);
    let now_ms = crate::wall_clock_ms();
    let all: Vec<StoredTrack> = (0..tracks).map(|number| made_up(number, now_ms, &mut random)).collect();
    all.chunks(BATCH).try_for_each(|batch| store.put_all(batch))?;
    store.put_all_found(all.iter().map(|track| (track.meta.hash, found(&mut random))))?;
    Ok(Shelf { store, lists: Lists::default() })
}

/// A generator that gives the same library at every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// Words as they are in use: few often, and many that stand in one title alone.
    fn words(&mut self, count: u64) -> String {
        let mut words = Vec::new();
        for _ in 0..count {
            let common = self.below(3) > 0;
            let number = self.below(60_000);
            words.push(match common {
                true => WORDS[self.below(WORDS.len() as u64) as usize].to_owned(),
                false => syllables(number),
            });
        }
        words.join(" ")
    }
}

fn syllables(mut number: u64) -> String {
    let mut word = String::new();
    for _ in 0..3 {
        word.push(char::from(b"bdfgklmnprstvz"[(number % 14) as usize]));
        word.push(char::from(b"aeiou"[(number / 14 % 5) as usize]));
        number /= 70;
    }
    word
}

fn made_up(number: u32, now_ms: i64, random: &mut Random) -> StoredTrack {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    hash[4..12].copy_from_slice(&random.below(u64::MAX).to_be_bytes());
    let (title_words, artist) = (1 + random.below(4), random.below(5_000));
    let title = random.words(title_words);
    let meta = TrackMeta {
        hash: ContentHash::from_bytes(hash),
        file_name: format!("{number:06} {title}.flac"),
        size_bytes: 8_000_000,
        duration_us: i64::try_from(60 + random.below(500)).unwrap_or(60) * 1_000_000,
        sample_rate_hz: 44_100,
        channels: 2,
        title,
        artist: (random.below(20) > 0).then(|| Random(artist * 7_919 + 1).words(2)),
        album: Some(Random(artist * 104_729 + random.below(8) + 1).words(2)),
    };
    let path = format!("/music/{}/{}", meta.artist.as_deref().unwrap_or("unknown"), meta.file_name);
    let added_at_ms = now_ms - i64::try_from(random.below(2_000)).unwrap_or(0) * DAY_MS;
    new_track(meta, Path::new(&path), Some(1960 + random.below(65) as u16), None, added_at_ms)
}

fn found(random: &mut Random) -> Found {
    let mode = if random.below(2) == 0 { Mode::Minor } else { Mode::Major };
    let key = Key::new(random.below(12) as u8, mode);
    let bpm = 60.0 + random.below(1_200) as f64 / 10.0;
    Found {
        tempo: Some(Tempo {
            bpm,
            confidence: 0.8,
            beats_s: vec![],
            alternatives: vec![],
            grid: None,
            sections: vec![],
            metre: None,
            downbeats: vec![],
        }),
        key: Some(KeyEstimate { key, confidence: 0.7, second: None, tuning_cents: 0.0, sections: vec![] }),
        energy: 1 + random.below(10) as u8,
        loudness_lufs: Some(-20.0 + random.below(140) as f64 / 10.0),
    }
}
