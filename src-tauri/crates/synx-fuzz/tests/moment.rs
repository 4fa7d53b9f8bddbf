//! Each target for a moment: its seeds, and seeded changes of them. The same bytes every time, so that what fails can be
//! repeated; for long and with coverage it is `cargo xtask fuzz`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use synx_fuzz::TARGETS;

/// Changed seeds for each target: about a second in a debug build.
const CHANGES: u64 = 3000;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
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

fn changed(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let to = at + dice.below((bytes.len() - at).min(64) + 1);
        match dice.below(6) {
            0 => drop(bytes.splice(at..to, [])),
            1 => drop(bytes.splice(at..to, NASTY[dice.below(NASTY.len())].iter().copied())),
            2 => bytes.insert(at, dice.next() as u8),
            3 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            4 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
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
        let mut dice = Dice(1);
        for change in 0..CHANGES {
            let bytes = changed(&seeds, &mut dice);
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
