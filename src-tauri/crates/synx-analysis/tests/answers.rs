//! What gets an answer and what must not: sounds made here, and the demo tracks.
#![allow(clippy::unwrap_used)]

use std::f32::consts::TAU;
use std::path::Path;

use synx_analysis::{KeyEngine, OnsetTempoEngine, Options, ProfileKeyEngine, TempoEngine, analyze};

const RATE: usize = 22_050;

/// The same numbers on every machine (xorshift), −1 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

fn tempo(mono: &[f32]) -> Option<f64> {
    let mut engine = OnsetTempoEngine::new(RATE as f64);
    engine.push(mono);
    engine.finish().map(|t| t.bpm)
}

fn key(mono: &[f32]) -> Option<String> {
    let mut engine = ProfileKeyEngine::new(RATE as f64);
    engine.push(mono);
    engine.finish().map(|k| k.key.to_string())
}

fn assert_no_answer(name: &str, mono: &[f32]) {
    assert_eq!((tempo(mono), key(mono)), (None, None), "{name}");
}

fn white(seed: u64, seconds: usize) -> Vec<f32> {
    let mut noise = Noise(seed);
    (0..seconds * RATE).map(|_| 0.3 * noise.next()).collect()
}

/// Five one-pole low passes an octave or two apart: about −3 dB an octave.
fn pink(seed: u64, seconds: usize) -> Vec<f32> {
    let mut poles = [0.0f32; 5];
    let sum = |x: f32| {
        let smooth = |(i, pole): (usize, &mut f32)| {
            *pole += 0.5f32.powi(2 * i as i32 + 1) * (x - *pole);
            *pole * 2f32.powi(i as i32)
        };
        poles.iter_mut().enumerate().map(smooth).sum::<f32>() * 0.2
    };
    white(seed, seconds).into_iter().map(sum).collect()
}

/// Strokes of noise whose distances are drawn from an exponential distribution: they have a rate, but no pulse.
fn random_strokes(seed: u64, seconds: usize, per_s: f32) -> Vec<f32> {
    let (mut noise, mut audio) = (Noise(seed), vec![0.0; seconds * RATE]);
    let mut at_s = 0.0;
    loop {
        at_s -= (0.5 + 0.5 * noise.next()).max(1e-4).ln() / per_s;
        let at = (at_s * RATE as f32) as usize;
        if at >= audio.len() {
            return audio;
        }
        stroke(&mut audio[at..], 0.6, || noise.next());
    }
}

fn stroke(audio: &mut [f32], level: f32, mut source: impl FnMut() -> f32) {
    for (i, x) in audio.iter_mut().take(RATE / 20).enumerate() {
        *x += level * source() * (-(i as f32) / (RATE as f32 * 0.01)).exp();
    }
}

fn glide(seconds: usize, from_hz: f32, octaves_per_s: f32) -> Vec<f32> {
    let mut phase = 0.0;
    (0..seconds * RATE)
        .map(|i| {
            // To and fro, so that it stays in range.
            let turn = (i as f32 / RATE as f32 * octaves_per_s * 0.5).fract();
            let hz = from_hz * (2.0 * (1.0 - (2.0 * turn - 1.0).abs())).exp2();
            phase = (phase + TAU * hz / RATE as f32) % TAU;
            0.4 * phase.sin()
        })
        .collect()
}

/// Kick on one and three, snare on two and four, hats on every eighth.
fn drums(bpm: f64, seconds: usize) -> Vec<f32> {
    let (mut noise, mut audio) = (Noise(7), vec![0.0; seconds * RATE]);
    let eighth = 30.0 / bpm * RATE as f64;
    for i in 0.. {
        let at = (f64::from(i) * eighth) as usize + 300;
        if at >= audio.len() {
            return audio;
        }
        stroke(&mut audio[at..], 0.15, || noise.next());
        match i % 4 {
            0 => {
                let mut n = 0.0;
                let mut body = || {
                    n += 1.0;
                    (TAU * 55.0 * n / RATE as f32).sin()
                };
                stroke(&mut audio[at..], 0.9, &mut body);
            }
            2 => stroke(&mut audio[at..], 0.6, || noise.next()),
            _ => {}
        }
    }
    audio
}

/// A low tone on the first of three beats, noise on the others.
fn waltz(bpm: f64, seconds: usize) -> Vec<f32> {
    let (mut noise, mut audio) = (Noise(9), vec![0.0; seconds * RATE]);
    let beat = 60.0 / bpm * RATE as f64;
    for i in 0.. {
        let at = (f64::from(i) * beat) as usize + 300;
        if at >= audio.len() {
            return audio;
        }
        let mut n = 0.0;
        let mut low = || {
            n += 1.0;
            (TAU * 55.0 * n / RATE as f32).sin()
        };
        if i % 3 == 0 {
            stroke(&mut audio[at..], 0.9, &mut low)
        } else {
            stroke(&mut audio[at..], 0.3, || noise.next())
        }
    }
    audio
}

/// I, IV, V, I of a major key, a chord a second, with a bass and four harmonics a note.
fn cadence(tonic: usize, seconds: usize) -> Vec<f32> {
    let hz = |semitones: usize| 110.0 * ((semitones as f32 - 9.0) / 12.0).exp2();
    let mut audio = vec![0.0; seconds * RATE];
    for (i, second) in audio.chunks_mut(RATE).enumerate() {
        let root = tonic + [0, 5, 7, 0][i % 4];
        let notes = [root, root + 12, root + 16, root + 19].map(hz);
        for (n, x) in second.iter_mut().enumerate() {
            let t = n as f32 / RATE as f32;
            let tone = |hz: f32| (1..5).map(|h| (TAU * hz * h as f32 * t).sin() / h as f32).sum::<f32>();
            *x = 0.08 * notes.into_iter().map(tone).sum::<f32>() * (-t).exp();
        }
    }
    audio
}

#[test]
fn silence_and_noise_get_no_answer() {
    assert_no_answer("silence", &vec![0.0; 20 * RATE]);
    for seed in [1, 22, 333] {
        assert_no_answer("white noise", &white(seed, 15));
        assert_no_answer("pink noise", &pink(seed, 30));
    }
}

#[test]
fn random_strokes_get_no_answer() {
    for (seed, per_s) in [(11, 2.0), (12, 4.0), (13, 8.0)] {
        assert_no_answer("random strokes", &random_strokes(seed, 25, per_s));
    }
}

#[test]
fn slow_glides_get_no_answer() {
    assert_no_answer("glide", &glide(20, 150.0, 0.13));
    assert_no_answer("glide", &glide(30, 90.0, 0.31));
}

#[test]
fn too_short_gets_no_answer() {
    assert_eq!(tempo(&drums(120.0, 2)), None);
    assert_eq!(key(&cadence(0, 1)), None);
    assert_no_answer("nothing", &[]);
}

#[test]
fn drums_have_a_tempo_and_no_key() {
    for bpm in [84.0, 100.0, 124.0, 150.0] {
        let audio = drums(bpm, 24);
        let found = tempo(&audio).unwrap();
        assert!((found / bpm - 1.0).abs() < 0.002, "{found} for {bpm}");
        assert_eq!(key(&audio), None, "{bpm}");
    }
}

#[test]
fn quiet_music_is_music() {
    let quiet: Vec<f32> = drums(100.0, 20).iter().map(|x| 0.03 * x).collect();
    assert!((tempo(&quiet).unwrap() - 100.0).abs() < 0.2);
    let quiet: Vec<f32> = cadence(7, 16).iter().map(|x| 0.03 * x).collect();
    assert_eq!(key(&quiet).unwrap(), "G major");
}

#[test]
fn a_transposed_cadence_changes_its_key_and_nothing_else() {
    let names = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
    for (tonic, name) in names.into_iter().enumerate() {
        assert_eq!(key(&cadence(tonic, 16)), Some(format!("{name} major")));
    }
}

#[test]
fn the_demo_tracks_are_known() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo");
    for (file, bpm, key) in [("tide-line.mp3", 124.0, "A minor"), ("paper-lantern.flac", 92.0, "F major")] {
        let found = analyze(&folder.join(file), &Options::default()).unwrap();
        let tempo = found.tempo.unwrap();
        assert!((tempo.bpm - bpm).abs() < 0.1, "{file}: {}", tempo.bpm);
        assert!(tempo.beats_s.windows(2).all(|pair| pair[0] < pair[1]), "{file}");
        assert!((0.0..=1.0).contains(&tempo.confidence), "{file}");
        assert_eq!(found.key.unwrap().key.to_string(), key, "{file}");
    }
}

#[test]
fn a_change_of_key_is_told_and_where() {
    let found = |audio: &[f32]| {
        let mut engine = ProfileKeyEngine::new(RATE as f64);
        engine.push(audio);
        engine.finish().unwrap().sections
    };
    assert_eq!(found(&cadence(0, 60)), []);
    let sections = found(&[cadence(0, 40), cadence(3, 40)].concat());
    let keys: Vec<String> = sections.iter().map(|s| s.key.to_string()).collect();
    assert_eq!(keys, ["C major", "Eb major"]);
    assert!((sections[1].start_s - 40.0).abs() < 8.0, "{sections:?}");
}

#[test]
fn a_change_of_tempo_is_told_and_where() {
    let found = |audio: &[f32]| {
        let mut engine = OnsetTempoEngine::new(RATE as f64);
        engine.push(audio);
        engine.finish().unwrap()
    };
    let steady = found(&drums(120.0, 60));
    assert!(steady.grid.is_some() && steady.sections.is_empty());
    let changing = found(&[drums(120.0, 40), drums(126.0, 40)].concat());
    let tempi: Vec<f64> = changing.sections.iter().map(|s| s.bpm.round()).collect();
    assert_eq!((changing.grid, tempi), (None, vec![120.0, 126.0]));
    assert!((changing.sections[1].start_s - 40.0).abs() < 4.0, "{:?}", changing.sections);
}

#[test]
fn the_bar_is_counted() {
    let metre = |audio: &[f32]| {
        let mut engine = OnsetTempoEngine::new(RATE as f64);
        engine.push(audio);
        let tempo = engine.finish().unwrap();
        assert!(tempo.downbeats.iter().all(|i| (*i as usize) < tempo.beats_s.len()));
        tempo.metre.map(|metre| metre.to_string())
    };
    assert_eq!(metre(&drums(120.0, 40)).as_deref(), Some("4/4"));
    assert_eq!(metre(&waltz(132.0, 40)).as_deref(), Some("3/4"));
}
