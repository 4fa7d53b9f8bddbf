//! Each target for a moment: its seeds, and seeded changes of them. The same bytes every time, so that what fails can be
//! repeated; for long and with coverage it is `cargo xtask fuzz`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use synx_fuzz::TARGETS;
use synx_testkit::Random;

/// Changed seeds for each target: a second or two in a debug build.
fn changes(target: &str) -> u64 {
    match target {
        // Each has a log of its own, with its threads.
        "log_import" => 800,
        "archive" | "decode" => 600,
        "analysis" => 60,
        _ => 3000,
    }
}

/// A number below a limit.
fn below(random: &mut Random, limit: usize) -> usize {
    (random.bits() % limit.max(1) as u64) as usize
}

/// What breaks readers of numbers, texts and JSON.
const NASTY: &[&[u8]] = &[
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"null",
    b"{",
    b"}",
    b"[",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"%00",
    b"\xff",
    b"\xf0\x9f\x8e\xb5",
    b"..",
    b"=",
    b"&",
    b"true",
];

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(corpus(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn changed(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[below(random, seeds.len())].clone();
    for _ in 0..=below(random, 4) {
        let at = below(random, bytes.len() + 1);
        let to = at + below(random, (bytes.len() - at).min(64) + 1);
        match below(random, 6) {
            0 => drop(bytes.splice(at..to, [])),
            1 => drop(bytes.splice(at..to, NASTY[below(random, NASTY.len())].iter().copied())),
            2 => bytes.insert(at, random.bits() as u8),
            3 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            4 => {
                let other = &seeds[below(random, seeds.len())];
                let from = below(random, other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << below(random, 8);
                }
            }
        }
    }
    bytes
}

#[test]
fn nothing_that_is_fed_to_a_target_breaks_it() {
    for target in TARGETS {
        let seeds = seeds(target.name);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        seeds.iter().for_each(|seed| (target.run)(seed));
        let mut random = Random::new(1);
        for change in 0..changes(target.name) {
            let bytes = changed(&seeds, &mut random);
            let outcome = std::panic::catch_unwind(|| (target.run)(&bytes));
            assert!(
                outcome.is_ok(),
                "{} breaks at change {change}: {:?}",
                target.name,
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

#[test]
fn every_target_has_a_file_that_runs_it() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    for target in TARGETS {
        let text = std::fs::read_to_string(files.join(format!("{}.rs", target.name))).unwrap();
        assert!(text.contains(&format!("synx_fuzz::{}(", target.name)));
    }
}
