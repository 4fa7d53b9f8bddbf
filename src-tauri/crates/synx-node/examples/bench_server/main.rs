//! The room server under load: what it stores, what it delivers, what that costs, and how soon it is there.
//!
//! `cargo xtask bench server [MEASURE…] [--folder F] [--seconds S] [--rounds N] [--plain]`. The server runs in a process of its own, so that its time
//! and memory are its alone; this process is the peers, on one thread, over loopback. Each measure runs without and with TLS
//! and prints one JSON object a line, with a probe of the disk beside it, because the disk's state decides the figures.
//!
//! Rooms here are those of the product but for limits that keep strangers at bay, which a load generator would meet at
//! once: messages a second, connections, seats in a room, and how many missed events are sent one by one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cluster;
mod disk;
mod frames;
mod history;
mod house;
mod kill;
mod latency;
mod load;
mod peers;
mod rooms;
mod serve;
mod tally;

use std::path::PathBuf;
use std::time::Duration;

/// A measure by name, and what it does on a server with or without TLS.
type Measure = (&'static str, fn(&Bench, bool));

const MEASURES: &[Measure] = &[
    ("append", load::append),
    ("fanout", load::fanout),
    ("equal", load::equal_rate),
    ("stalled", load::stalled),
    ("cluster", cluster::cluster),
    ("idle", rooms::idle),
    ("storm", rooms::storm),
    ("history", history::history),
    ("kill", kill::kill),
];

/// How to measure.
pub struct Bench {
    folder: PathBuf,
    time: Duration,
    /// Deaths of the server's process.
    rounds: usize,
    tls: Vec<bool>,
}

fn main() {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if_eq("serve").is_some() {
        return serve::serve(&args.collect::<Vec<_>>());
    }
    let mut bench = Bench {
        folder: std::env::temp_dir(),
        time: Duration::from_secs(3),
        rounds: 20,
        tls: vec![false, true],
    };
    let mut wanted = Vec::new();
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value after the option");
        match arg.as_str() {
            "--folder" => bench.folder = value().into(),
            "--seconds" => bench.time = Duration::from_secs_f64(value().parse().expect("seconds")),
            "--rounds" => bench.rounds = value().parse().expect("a number of rounds"),
            "--plain" => bench.tls = vec![false],
            name => wanted.push(name.to_owned()),
        }
    }
    if let Some(unknown) = wanted.iter().find(|name| MEASURES.iter().all(|(known, _)| known != *name)) {
        let known: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no measure `{unknown}`: use some of {}", known.join(", "));
        std::process::exit(2);
    }
    for (name, measure) in MEASURES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            bench.tls.iter().for_each(|tls| measure(&bench, *tls));
        }
    }
}
