//! Lists over a small library.

use super::*;
use crate::bridge::TrackColumn;
use crate::library::store::{Correction, Found, Presence, new_track};
use std::path::Path;
use synx_analysis::{KeyEstimate, Tempo};
use synx_domain::TrackMeta;

struct Shelf {
    _folder: tempfile::TempDir,
    store: LibraryStore,
    lists: Lists,
}

fn hash(byte: u8) -> ContentHash {
    ContentHash::from_bytes([byte; 32])
}

fn found(bpm: f64, key: &str, energy: u8) -> Found {
    let tempo = Tempo {
        bpm,
        confidence: 0.9,
        beats_s: vec![],
        alternatives: vec![],
        grid: None,
        sections: vec![],
        metre: None,
        downbeats: vec![],
    };
    let key = KeyEstimate {
        key: key.parse().unwrap(),
        confidence: 0.8,
        second: None,
        tuning_cents: 0.0,
        sections: vec![],
    };
    Found { tempo: Some(tempo), key: Some(key), energy, loudness_lufs: Some(-9.0) }
}

impl Shelf {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = LibraryStore::open(&folder.path().join("library.db")).unwrap();
        Self { _folder: folder, store, lists: Lists::default() }
    }

    fn new() -> Self {
        let shelf = Self::empty();
        shelf.add(1, "Paper Lantern", Some("Mira Holm"), Some(found(124.0, "8A", 7)));
        shelf.add(2, "Tide Line", Some("Northwater"), Some(found(118.0, "9A", 6)));
        shelf.add(3, "Slow Satellite", Some("Mira Holm"), Some(found(62.2, "8B", 3)));
        shelf.add(4, "Glass Arcade", Some("Oval Rooms"), Some(found(174.0, "3A", 9)));
        shelf.add(5, "Field Recording, 4 am", None, None);
        shelf
    }

    fn add(&self, byte: u8, title: &str, artist: Option<&str>, found: Option<Found>) {
        let meta = TrackMeta {
            hash: hash(byte),
            file_name: format!("{byte:02} {title}.flac"),
            size_bytes: 1,
            duration_us: i64::from(byte) * 60_000_000,
            sample_rate_hz: 44_100,
            channels: 2,
            title: title.to_owned(),
            artist: artist.map(str::to_owned),
            album: None,
        };
        let track = new_track(meta, Path::new(title), Some(1990 + u16::from(byte)), None, i64::from(byte));
        self.store.put(&track).unwrap();
        if let Some(found) = found {
            self.store.put_found(hash(byte), &found).unwrap();
        }
    }

    fn wanted(search: &str, order: Option<TrackOrder>, list: TrackList) -> Wanted {
        Wanted { list, search: search.to_owned(), order }
    }

    fn titles(&self, wanted: &Wanted) -> Vec<String> {
        let listed = self.lists.list(&self.store, wanted).unwrap();
        let rows = listed.rows(&self.store, 0, 100).unwrap();
        rows.into_iter().map(|row| row.meta.title).collect()
    }

    fn found(&self, search: &str) -> Vec<String> {
        let by_title = TrackOrder { by: TrackColumn::Title, down: false };
        self.titles(&Self::wanted(search, Some(by_title), TrackList::All))
    }

    fn by(&self, by: TrackColumn, down: bool) -> Vec<String> {
        self.titles(&Self::wanted("", Some(TrackOrder { by, down }), TrackList::All))
    }
}

#[test]
fn words_are_found_wherever_they_stand_and_however_they_are_written() {
    let shelf = Shelf::new();
    assert_eq!(shelf.found("mira"), ["Paper Lantern", "Slow Satellite"]);
    assert_eq!(shelf.found("MÍRA sat"), ["Slow Satellite"]);
    assert_eq!(shelf.found("water"), ["Tide Line"]);
    assert_eq!(shelf.found("mira -paper"), ["Slow Satellite"]);
    assert_eq!(shelf.found("-mira -tide -glass"), ["Field Recording, 4 am"]);
    assert_eq!(shelf.found("\"field recording\""), ["Field Recording, 4 am"]);
    assert_eq!(shelf.found("artist:paper"), Vec::<String>::new());
    assert_eq!(shelf.found("title:paper artist:mir"), ["Paper Lantern"]);
    assert_eq!(shelf.found("zzz"), Vec::<String>::new());
}

#[test]
fn a_typing_error_is_forgiven_and_told() {
    let shelf = Shelf::new();
    let listed = shelf.lists.list(&shelf.store, &Shelf::wanted("nrothwater", None, TrackList::All)).unwrap();
    assert_eq!(listed.ids.len(), 1);
    assert_eq!(
        listed.read_as,
        [ReadAsView { word: "nrothwater".into(), instead: vec!["northwater".into()] }]
    );
}

#[test]
fn filters_narrow_it_down() {
    let shelf = Shelf::new();
    assert_eq!(shelf.found("bpm:115-125"), ["Paper Lantern", "Tide Line"]);
    assert_eq!(shelf.found("bpm:115-125 key:8A energy:>6"), ["Paper Lantern"]);
    assert_eq!(shelf.found("key:8A,8B artist:mira"), ["Paper Lantern", "Slow Satellite"]);
    assert_eq!(shelf.found("year:>1994"), ["Field Recording, 4 am"]);
    assert_eq!(shelf.found("time:<2:00"), ["Paper Lantern"]);
    assert_eq!(shelf.found("is:waiting"), ["Field Recording, 4 am"]);
    let wrong = shelf.lists.list(&shelf.store, &Shelf::wanted("bpm:fast", None, TrackList::All)).unwrap_err();
    assert_eq!(wrong.code(), "bad_filter");
}

#[test]
fn what_is_not_known_comes_last_whichever_way_round() {
    let shelf = Shelf::new();
    let last = "Field Recording, 4 am";
    assert_eq!(
        shelf.by(TrackColumn::Bpm, false),
        ["Slow Satellite", "Tide Line", "Paper Lantern", "Glass Arcade", last]
    );
    assert_eq!(
        shelf.by(TrackColumn::Bpm, true),
        ["Glass Arcade", "Paper Lantern", "Tide Line", "Slow Satellite", last]
    );
    // As the Camelot wheel goes: its number first, then minor before major.
    assert_eq!(
        shelf.by(TrackColumn::Key, false),
        ["Glass Arcade", "Paper Lantern", "Slow Satellite", "Tide Line", last]
    );
    assert_eq!(shelf.by(TrackColumn::Artist, true)[4], last);
    assert_eq!(shelf.titles(&Shelf::wanted("", None, TrackList::All))[0], last);
}

#[test]
fn the_users_value_counts_for_sorting_and_filters() {
    let shelf = Shelf::new();
    let correction = Correction { bpm: Some(124.4), key: "3B".parse().ok(), first_beat_s: None };
    shelf.store.put_correction(hash(3), &correction).unwrap();
    assert_eq!(shelf.found("bpm:124 is:corrected key:3B"), ["Slow Satellite"]);
    shelf.store.put_found(hash(3), &found(62.0, "8B", 3)).unwrap();
    assert_eq!(shelf.found("bpm:124"), ["Paper Lantern", "Slow Satellite"]);
    shelf.store.put_correction(hash(3), &Correction::default()).unwrap();
    assert_eq!(shelf.found("bpm:62"), ["Slow Satellite"]);
}

#[test]
fn what_goes_well_is_near_in_key_and_tempo_the_nearest_first() {
    let shelf = Shelf::new();
    let matching = Shelf::wanted("", None, TrackList::Matching { track: hash(1).to_string() });
    // 62.2 is half of 124, nearer than 118 is to 124, and 8B is the relative key of 8A.
    assert_eq!(shelf.titles(&matching), ["Slow Satellite", "Tide Line"]);
    let unknown = Shelf::wanted("", None, TrackList::Matching { track: hash(5).to_string() });
    assert_eq!(shelf.titles(&unknown), Vec::<String>::new());
    let none = Shelf::wanted("", None, TrackList::Matching { track: hash(9).to_string() });
    assert_eq!(shelf.lists.list(&shelf.store, &none).unwrap_err().code(), "no_such_track");
}

#[test]
fn a_list_is_made_again_once_the_library_has_changed() {
    let shelf = Shelf::new();
    let all = Shelf::wanted("", None, TrackList::All);
    let before = shelf.lists.list(&shelf.store, &all).unwrap();
    assert!(Arc::ptr_eq(&before.ids, &shelf.lists.list(&shelf.store, &all).unwrap().ids));
    shelf.store.put_presence(hash(2), Presence::Gone).unwrap();
    let after = shelf.lists.list(&shelf.store, &all).unwrap();
    assert_eq!((before.ids.len(), after.ids.len()), (5, 4));
    // A part of the list as it was shows what is left of it.
    assert_eq!(before.rows(&shelf.store, 0, 100).unwrap().len(), 4);
    assert_eq!(after.place_of(&shelf.store, hash(2)).unwrap(), None);
    assert_eq!(after.place_of(&shelf.store, hash(5)).unwrap(), Some(0));
    assert_eq!(after.rows(&shelf.store, 99, 10).unwrap(), []);
}
