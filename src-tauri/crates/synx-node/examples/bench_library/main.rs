//! What a large library costs: how fast it answers, how fast files come into it while music plays, how soon a track is heard.
//!
//! `cargo xtask bench library [MEASURE…] [--tracks N] [--files N] [--folder F]`. Prints one JSON object a line. `shelf` is no
//! measure: it makes the data folder of an app with so many tracks, for what measures the window.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod audible;
mod music;
mod player;
mod scan;
mod search;

use std::path::PathBuf;

/// A measure by name.
type Measure = (&'static str, fn(&Bench));

const MEASURES: &[Measure] =
    &[("search", search::search), ("scan", scan::scan), ("audible", audible::audible)];

/// What to measure with.
pub struct Bench {
    /// Tracks of the library that is searched.
    tracks: u32,
    /// Files that are scanned.
    files: u32,
    /// Where they are made.
    folder: PathBuf,
}

fn main() {
    synx_node::worker::serve_if_asked();
    let mut bench = Bench { tracks: 100_000, files: 10_000, folder: std::env::temp_dir() };
    let (mut wanted, mut args) = (Vec::new(), std::env::args().skip(1));
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value after the option");
        match arg.as_str() {
            "--tracks" => bench.tracks = value().parse().expect("a number of tracks"),
            "--files" => bench.files = value().parse().expect("a number of files"),
            "--folder" => bench.folder = value().into(),
            name => wanted.push(name.to_owned()),
        }
    }
    if wanted == ["shelf"] {
        return search::shelf(&bench);
    }
    if let Some(unknown) = wanted.iter().find(|name| MEASURES.iter().all(|(known, _)| known != *name)) {
        let known: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no measure `{unknown}`: use some of {}", known.join(", "));
        std::process::exit(2);
    }
    for (name, measure) in MEASURES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            measure(&bench);
        }
    }
}
