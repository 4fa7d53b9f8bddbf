//! Every container and codec that is played, whole and damaged in many ways: samples or a typed error, and never more
//! memory or more audio than the bytes account for.
//!
//! The damage is drawn from seeds, so a failure repeats; it names the file, the kind of damage and the seed. Set
//! `SYNX_DAMAGE_ROUNDS` to look longer.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use peak_alloc::PeakAlloc;
use synx_media::{Decoder, probe};
use synx_testkit::Random;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Most that may be allocated at once by everything that runs in these tests: the largest buffer that a header can ask
/// for (a tag of 16 MiB that is stepped over) on several threads.
const MOST_MIB: f32 = 160.0;
/// One second is in each sample. Broken time stamps may tear holes of ten seconds, which are silence, into it; each needs
/// a packet of its own.
const MOST_SECONDS: u64 = 1_200;
const CODES: [&str; 4] = ["media_not_audio", "media_unsupported", "media_empty", "media_corrupt"];
const EXTENSIONS: [&str; 9] = ["mp3", "aac", "m4a", "flac", "ogg", "opus", "wav", "aiff", "txt"];

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "md"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert_eq!(found.len(), 12);
    found
}

fn channels_of(name: &str) -> usize {
    if name == "lame.mp3" { 2 } else { 1 }
}

/// A folder to write damaged files into, one after the other.
struct Bench {
    folder: tempfile::TempDir,
}

/// What came out of a file.
#[derive(Debug, PartialEq)]
struct Outcome {
    frames: u64,
    seconds: f64,
    level: f64,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Decodes to the end or to an error, which must be one of the four about content.
    fn decode(&self, name: &str, bytes: &[u8], what: &str) -> Result<Outcome, &'static str> {
        let path = self.write(name, bytes);
        let checked = |code: &'static str| {
            assert!(CODES.contains(&code), "{name}, {what}: {code}");
            code
        };
        let mut decoder = Decoder::open(&path).map_err(|e| checked(e.code()))?;
        let (channels, rate_hz) = (decoder.channels(), u64::from(decoder.sample_rate_hz()));
        let mut block = vec![0.0; 4096 * channels];
        let (mut frames, mut energy) = (0, 0.0);
        loop {
            let got = decoder.read(&mut block).map_err(|e| checked(e.code()))?;
            if got == 0 {
                break;
            }
            frames += got as u64;
            let heard = &block[..got * channels];
            assert!(heard.iter().all(|s| s.abs() <= 64.0), "{name}, {what}: no sample");
            energy += heard.iter().map(|s| f64::from(s * s)).sum::<f64>();
            assert!(frames <= MOST_SECONDS * rate_hz, "{name}, {what}: more audio than the bytes can hold");
        }
        let level = (energy / (frames.max(1) * channels as u64) as f64).sqrt();
        Ok(Outcome { frames, seconds: frames as f64 / rate_hz as f64, level })
    }
}

fn check_memory(what: &str) {
    let peak = MEMORY.peak_usage_as_mb();
    assert!(peak < MOST_MIB, "{what}: {peak} MiB at once");
}

#[test]
fn every_container_and_codec_is_decoded() {
    let bench = Bench::new();
    for (name, bytes) in samples() {
        let found = bench.decode(&name, &bytes, "whole").unwrap();
        // ADTS states neither delay nor padding, and the encoder filled the last block of the ADPCM file.
        assert!((0.99..1.12).contains(&found.seconds), "{name}: {found:?}");
        assert!((0.07..0.3).contains(&found.level), "{name}: {found:?}");
        assert_eq!(probe(&bench.write(&name, &bytes)).map(|info| info.channels).unwrap(), channels_of(&name));
    }
}

#[test]
fn a_wrong_name_changes_nothing() {
    let bench = Bench::new();
    for (name, bytes) in samples() {
        let right = bench.decode(&name, &bytes, "whole").unwrap();
        for extension in EXTENSIONS {
            let wrong = format!("mislabelled.{extension}");
            let found = bench.decode(&wrong, &bytes, &name);
            assert_eq!(found.as_ref(), Ok(&right), "{name} as {wrong}");
        }
    }
}

#[test]
fn what_is_cut_off_ends_earlier() {
    let bench = Bench::new();
    for (name, bytes) in samples() {
        let whole = bench.decode(&name, &bytes, "whole").unwrap();
        let cuts = (0..64).chain((1..40).map(|i| bytes.len() * i / 40));
        for cut in cuts {
            let what = format!("cut at {cut}");
            if let Ok(found) = bench.decode(&name, &bytes[..cut], &what) {
                assert!(found.frames <= whole.frames + 2048, "{name}, {what}: {found:?}");
            }
        }
        let part = bench.decode(&name, &bytes[..bytes.len() * 3 / 4], "three quarters");
        if ["aac.m4a", "alac.m4a", "alac.caf", "pcm.aiff"].contains(&name.as_str()) {
            // Their index lies at the end, or is looked for there.
            assert_eq!(part, Err("media_corrupt"), "{name}");
        } else {
            // Most of a short Vorbis stream is its code books.
            assert!(part.as_ref().is_ok_and(|o| (0.2..0.95).contains(&o.seconds)), "{name}: {part:?}");
        }
    }
    check_memory("cut off");
}

#[test]
fn headers_that_lie_are_not_believed() {
    let bench = Bench::new();
    for (name, bytes) in samples() {
        // The index of an MP4 file and the last page of an Ogg stream are at the end.
        let tail = if name.ends_with("m4a") { 1_000 } else { 60 };
        let places = (0..160).chain(bytes.len() - tail..bytes.len() - 4);
        for (i, at) in places.step_by(3).enumerate() {
            let lie: [u8; 4] = [[0xFF; 4], [0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [0; 4]][i % 4];
            let mut lying = bytes.clone();
            lying[at..at + 4].copy_from_slice(&lie);
            let _ = bench.decode(&name, &lying, &format!("{lie:?} at {at}"));
        }
    }
    check_memory("lying headers");
}

/// One damage of several kinds.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.bits() % 4 {
        let place =
            |random: &mut Random, len: usize| (random.uniform(0.0, len.max(1) as f64) as usize).min(len);
        let at = place(random, out.len());
        let len = place(random, 1 + out.len() / 8).min(out.len() - at);
        match random.bits() % 6 {
            0 => out[at..at + len.min(8)].fill_with(|| random.bits() as u8),
            1 => out.iter_mut().skip(at).step_by(len.max(1)).for_each(|b| *b ^= 1 << (random.bits() % 8)),
            2 => out[at..at + len].fill(0),
            3 => drop(out.drain(at..at + len)),
            4 => {
                let piece = out[at..at + len].to_vec();
                let to = place(random, out.len());
                out.splice(to..to, piece);
            }
            _ => out.truncate(at.max(32)),
        }
    }
    out
}

#[test]
fn random_damage_is_survived() {
    let rounds = std::env::var("SYNX_DAMAGE_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(60u64);
    let bench = Bench::new();
    for (name, bytes) in samples() {
        for seed in 0..rounds {
            let bytes = damaged(&bytes, &mut Random::new(seed));
            let _ = bench.decode(&name, &bytes, &format!("seed {seed}"));
            let _ = probe(&bench.folder.path().join(&name));
        }
    }
    check_memory("random damage");
}
