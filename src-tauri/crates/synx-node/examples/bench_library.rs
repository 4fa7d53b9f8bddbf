//! How fast a large library answers: each keystroke of searches, sorting, and parts from anywhere in the list.
//!
//! `cargo run --release -p synx-node --example bench_library -- [TRACKS]`. Prints one JSON object a line; times are of
//! [`synx_node::library::Library::page`] with a hundred rows, which is all that the window waits for but the bridge.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};
use synx_node::bridge::{TrackColumn, TrackList, TrackOrder};
use synx_node::library::bench::{Shelf, filled};
use synx_node::library::search::Wanted;

const SEARCHES: &[&str] = &[
    "slow satellite",
    "artist:mira lantern",
    "nrothwater",
    "bpm:120-128 key:8A energy:>6",
    "a",
    "the river of light",
    "added:<7d year:>2000 -live",
];
const ROUNDS: usize = 5;

fn main() {
    let tracks: u32 =
        std::env::args().nth(1).map_or(100_000, |text| text.parse().expect("a number of tracks"));
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let shelf = filled(folder.path(), tracks).unwrap();
    println!("{{\"tracks\":{tracks},\"fill_s\":{:.2}}}", start.elapsed().as_secs_f64());
    for by in
        [TrackColumn::Title, TrackColumn::Artist, TrackColumn::Bpm, TrackColumn::Key, TrackColumn::Added]
    {
        let wanted = wanted("", Some(TrackOrder { by, down: true }));
        println!("{{\"sort\":\"{by:?}\",\"first_ms\":{:.1}}}", page(&shelf, &wanted, 0).as_secs_f64() * 1e3);
    }
    let mut all = Vec::new();
    for search in SEARCHES {
        let times = keystrokes(&shelf, search);
        report(search, &times);
        all.extend(times);
    }
    report("(all)", &all);
    let wanted = wanted("", None);
    let jumps: Vec<Duration> = (0..1000).map(|at| page(&shelf, &wanted, at * 7919 % tracks)).collect();
    report("(a hundred rows from anywhere)", &jumps);
}

fn wanted(search: &str, order: Option<TrackOrder>) -> Wanted {
    Wanted { list: TrackList::All, search: search.to_owned(), order }
}

fn page(shelf: &Shelf, wanted: &Wanted, from: u32) -> Duration {
    let start = Instant::now();
    shelf.page(wanted, from, 100).unwrap();
    start.elapsed()
}

/// Each beginning of a search as it is typed, several times over, none of them answered from what was kept.
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
