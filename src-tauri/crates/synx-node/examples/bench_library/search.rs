//! Each keystroke of searches, every order, and parts from anywhere in the list.
//!
//! Times are of [`Shelf::page`] with a hundred rows, which is all that the window waits for but the bridge and the drawing.

use crate::Bench;
use std::time::{Duration, Instant};
use synx_node::bridge::{TrackColumn, TrackList, TrackOrder};
use synx_node::library::bench::{Shelf, filled};
use synx_node::library::search::Wanted;

/// Kinds of searches, each as somebody types it.
const SEARCHES: &[(&str, &str)] = &[
    ("words", "slow satellite"),
    ("many words", "the river of light"),
    ("a letter", "a"),
    ("a slip", "nrothwater"),
    ("a field", "artist:mira lantern"),
    ("filters", "bpm:120-128 key:8A energy:>6"),
    ("times", "added:<7d year:>2000 -live"),
];
const COLUMNS: &[TrackColumn] = &[
    TrackColumn::Title,
    TrackColumn::Artist,
    TrackColumn::Album,
    TrackColumn::Duration,
    TrackColumn::Bpm,
    TrackColumn::Key,
    TrackColumn::Energy,
    TrackColumn::Loudness,
    TrackColumn::Year,
    TrackColumn::Added,
    TrackColumn::Plays,
    TrackColumn::Played,
];
const ROUNDS: usize = 20;

pub fn search(bench: &Bench) {
    let tracks = bench.tracks;
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let start = Instant::now();
    let shelf = filled(folder.path(), tracks).unwrap();
    println!("{{\"tracks\":{tracks},\"fill_s\":{:.2}}}", start.elapsed().as_secs_f64());
    for by in COLUMNS {
        for down in [false, true] {
            let wanted = wanted("", Some(TrackOrder { by: *by, down }));
            let first: Vec<Duration> = (0..5).map(|_| anew(&shelf, &wanted)).collect();
            report(&format!("sorted by {by:?}, {}", if down { "down" } else { "up" }), &first);
        }
    }
    let start = Instant::now();
    shelf.learn_words().unwrap();
    println!(
        "{{\"what\":\"the words are learned, before anybody searches\",\"ms\":{:.1}}}",
        start.elapsed().as_secs_f64() * 1e3
    );
    let mut all = Vec::new();
    for (kind, search) in SEARCHES {
        let times = keystrokes(&shelf, search);
        report(kind, &times);
        all.extend(times);
    }
    report("a keystroke of any", &all);
    let wanted = wanted("", None);
    let jumps: Vec<Duration> = (0..1000).map(|at| page(&shelf, &wanted, at * 7919 % tracks)).collect();
    report("a hundred rows from anywhere", &jumps);
}

/// Fills the library of the data folder.
pub fn shelf(bench: &Bench) {
    std::fs::create_dir_all(&bench.folder).unwrap();
    filled(&bench.folder, bench.tracks).unwrap();
}

fn wanted(search: &str, order: Option<TrackOrder>) -> Wanted {
    Wanted { list: TrackList::All, search: search.to_owned(), order }
}

fn page(shelf: &Shelf, wanted: &Wanted, from: u32) -> Duration {
    let start = Instant::now();
    shelf.page(wanted, from, 100).unwrap();
    start.elapsed()
}

/// A page with no list kept from before.
fn anew(shelf: &Shelf, wanted: &Wanted) -> Duration {
    let start = Instant::now();
    shelf.page_anew(wanted, 0, 100).unwrap();
    start.elapsed()
}

/// Each beginning of a search as it is typed, several times over. One that means nothing yet is left out.
fn keystrokes(shelf: &Shelf, search: &str) -> Vec<Duration> {
    let ends: Vec<usize> = search.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    let rounds = (0..ROUNDS).flat_map(|_| ends.iter());
    rounds
        .filter_map(|end| {
            let start = Instant::now();
            shelf.page_anew(&wanted(&search[..*end], None), 0, 100).ok()?;
            Some(start.elapsed())
        })
        .collect()
}

fn report(what: &str, times: &[Duration]) {
    let mut ms: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    ms.sort_by(f64::total_cmp);
    let at = |share: f64| ms[((ms.len() - 1) as f64 * share) as usize];
    println!(
        "{{\"what\":{what:?},\"count\":{},\"median_ms\":{:.2},\"p99_ms\":{:.2},\"max_ms\":{:.2}}}",
        ms.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
