//! The library in the form that is drawn.

use super::request::CallError;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

views! {
    /// How far a track of the library is.
    choice Availability {
        /// Its file is there; it waits to be analysed.
        Waiting,
        /// It is being analysed.
        Analyzing,
        /// All is known.
        Ready,
        /// It cannot be used: see `error`.
        Broken,
        /// Its file is gone.
        Missing,
    }

    /// A track of the library.
    record TrackView {
        /// Content hash.
        id: String,
        path: String,
        title: String,
        artist: Option<String>,
        album: Option<String>,
        duration_s: f64,
        availability: Availability,
        /// 0 to 1 while it is analysed.
        progress: f64,
        tempo: Option<TempoView>,
        key: Option<KeyView>,
        /// 1 to 10
        energy: Option<u8>,
        loudness_lufs: Option<f64>,
        /// Why it is broken.
        error: Option<CallError>,
        year: Option<u16>,
        /// Milliseconds since 1970 UTC.
        added_at_ms: i64,
        /// How often it was played here.
        plays: u32,
        /// Milliseconds since 1970 UTC.
        played_at_ms: Option<i64>,
    }

    /// A tempo with how sure it is.
    record TempoView {
        bpm: f64,
        /// 0 to 1
        confidence: f64,
        /// What else it may be, likeliest first.
        alternatives: Vec<TempoAlternative>,
        /// Set by hand: then it is sure.
        by_hand: bool,
    }

    /// Another reading of a tempo.
    record TempoAlternative {
        bpm: f64,
        /// As in "x2" or "2/3".
        relation: String,
    }

    /// A key with how sure it is.
    record KeyView {
        /// As in "A minor".
        name: String,
        /// As in "8A".
        camelot: String,
        /// As in "1m".
        open_key: String,
        /// 0 to 1
        confidence: f64,
        /// Set by hand: then it is sure.
        by_hand: bool,
    }

    /// Everything the analysis found, with what was set by hand in its place.
    record AnalysisView {
        tempo: Option<TempoView>,
        key: Option<KeyView>,
        /// What the analysis itself says, whatever was set by hand.
        found_tempo: Option<TempoView>,
        found_key: Option<KeyView>,
        /// The runner-up; its confidence is what the first leaves, and so a bound.
        second_key: Option<KeyView>,
        energy: u8,
        loudness_lufs: Option<f64>,
        loudness_range_lu: Option<f64>,
        true_peak_dbtp: Option<f64>,
        beats_s: Vec<f64>,
        /// Indexes into `beats_s`.
        downbeats: Vec<u32>,
        /// The bar, where the beats tell.
        metre: Option<MetreView>,
        /// Where the tempo changes; empty where it holds.
        tempo_sections: Vec<TempoSectionView>,
        /// Where the key changes; empty where it holds.
        key_sections: Vec<KeySectionView>,
    }

    /// What a bar is made of.
    record MetreView {
        /// As in "3/4".
        name: String,
        /// 0 to 1.
        confidence: f64,
    }

    /// A tempo that holds from here on.
    record TempoSectionView {
        start_s: f64,
        bpm: f64,
    }

    /// A key that holds from here on.
    record KeySectionView {
        start_s: f64,
        /// Musical name.
        name: String,
        camelot: String,
    }

    /// A part of a waveform. All lists have one entry a column; values are 0 to 1 (min: -1 to 1).
    record WaveformView {
        from_s: f64,
        to_s: f64,
        min: Vec<f32>,
        max: Vec<f32>,
        rms: Vec<f32>,
        /// Share of low, mid and high frequencies in the column's energy.
        low: Vec<f32>,
        mid: Vec<f32>,
        high: Vec<f32>,
    }

    /// What a list of tracks can be sorted by.
    choice TrackColumn {
        Title,
        Artist,
        Album,
        Duration,
        Bpm,
        Key,
        Energy,
        Loudness,
        Year,
        Added,
        Plays,
        Played,
    }

    /// A word of a search that nothing is called, and what was searched for in its place.
    record ReadAsView {
        word: String,
        instead: Vec<String>,
    }

    /// A part of a list of tracks.
    record TrackPageView {
        /// Rises with every change of the library: pages of different revisions do not belong together.
        revision: u64,
        /// Tracks in the whole list.
        total: u32,
        /// Place of the first row in the list.
        from: u32,
        rows: Vec<TrackView>,
        /// What was typed wrongly.
        read_as: Vec<ReadAsView>,
    }

    /// How keys are written.
    choice KeyNotation {
        Camelot,
        OpenKey,
        Musical,
    }

    /// How a window shows the library; kept, so that one finds it as one left it.
    record LibraryLookView {
        list: TrackList,
        /// What the list is called, where only the window knows.
        list_title: String,
        search: String,
        order: Option<TrackOrder>,
        columns: Vec<TrackColumn>,
        notation: KeyNotation,
        /// Whether each row shows its track's picture.
        #[serde(default)]
        covers: bool,
    }

    /// A watched folder.
    record FolderView {
        path: String,
        /// False while it cannot be reached; its tracks stay.
        reachable: bool,
    }

    /// A scan under way.
    record ScanView {
        folder: String,
        /// Files that were looked into.
        done: usize,
        /// Files that are new or changed.
        total: usize,
    }

    /// A playlist.
    record PlaylistView {
        id: i64,
        name: String,
        tracks: u32,
    }

    /// What plays next when one is alone.
    record QueuedView {
        /// Of the queue's entry.
        id: String,
        track: String,
        title: String,
        artist: Option<String>,
        duration_s: f64,
        /// Queued by hand; else it follows in the list that is played.
        chosen: bool,
    }

    /// The library but for its tracks.
    record LibraryStateView {
        revision: u64,
        /// All tracks that are shown.
        tracks: u32,
        /// Those of them that cannot be used.
        broken: u32,
        /// Those of them that wait for their analysis.
        waiting: u32,
        /// Whether scans and analyses rest.
        paused: bool,
        /// Tracks that are analysed side by side; with 0, only what is opened or played.
        workers: u32,
        /// No more are of use on this machine.
        workers_most: u32,
        /// Watched folders.
        folders: Vec<FolderView>,
        /// What is scanned now.
        scan: Option<ScanView>,
        playlists: Vec<PlaylistView>,
    }
}

/// A list of tracks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export, export_to = "bridge.ts")]
pub enum TrackList {
    /// The whole library.
    All,
    /// What was played here, in the order in which it was played last.
    History,
    /// What goes well with a track: neighbouring keys at a tempo that can be reached.
    Matching { track: String },
    /// A playlist, in its own order unless another is asked for.
    Playlist { playlist: i64 },
}

/// An order; what is not known comes last, whichever way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[ts(export, export_to = "bridge.ts")]
pub struct TrackOrder {
    /// The column.
    pub by: TrackColumn,
    /// The largest first.
    pub down: bool,
}
