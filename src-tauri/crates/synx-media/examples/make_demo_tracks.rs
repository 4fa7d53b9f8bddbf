//! Synthesises the two demo tracks of `assets/demo` from nothing but arithmetic, as WAV files in the directory given.
//! `assets/demo/README.md` has the commands that encode and tag them. Same program, same samples, on one machine.

use std::f32::consts::TAU;
use std::io::Write;
use std::path::Path;

const RATE_HZ: f32 = 44_100.0;

/// White noise from a fixed seed (xorshift32, Marsaglia 2003).
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0
    }
}

/// A stereo bus of fixed length.
struct Bus {
    left: Vec<f32>,
    right: Vec<f32>,
}

impl Bus {
    fn new(length_s: f32) -> Bus {
        let n = (length_s * RATE_HZ) as usize;
        Bus { left: vec![0.0; n], right: vec![0.0; n] }
    }

    /// Adds `voice(seconds since its start)`; `pan` from −1 (left) to 1, equal power.
    fn play(&mut self, at_s: f32, length_s: f32, gain: f32, pan: f32, mut voice: impl FnMut(f32) -> f32) {
        let start = (at_s * RATE_HZ).round() as usize;
        let end = (start + (length_s * RATE_HZ) as usize).min(self.left.len());
        let angle = (pan + 1.0) * TAU / 16.0;
        for i in start..end {
            let t = (i - start) as f32 / RATE_HZ;
            // Two milliseconds of fade at both ends: no note may click.
            let edge = (t / 0.002).min(((end - i) as f32 / RATE_HZ) / 0.002).min(1.0);
            let sample = voice(t) * gain * edge;
            self.left[i] += sample * angle.cos();
            self.right[i] += sample * angle.sin();
        }
    }

    /// Echoes that wander between the sides.
    fn echo(&mut self, delay_s: f32, feedback: f32) {
        let d = (delay_s * RATE_HZ) as usize;
        for i in d..self.left.len() {
            let (l, r) = (self.left[i - d], self.right[i - d]);
            self.left[i] += r * feedback;
            self.right[i] += l * feedback;
        }
    }

    /// Lowers the bus after each of the given instants, as a compressor driven by the kick would.
    fn duck(&mut self, kicks_s: &[f32], depth: f32, recovery_s: f32) {
        for &kick in kicks_s {
            let start = (kick * RATE_HZ) as usize;
            let end = (start + (recovery_s * RATE_HZ) as usize).min(self.left.len());
            for i in start..end {
                let recovered = ((i - start) as f32 / RATE_HZ / recovery_s).powf(0.7);
                let gain = 1.0 - depth * (1.0 - recovered);
                self.left[i] *= gain;
                self.right[i] *= gain;
            }
        }
    }

    fn add(&mut self, other: &Bus) {
        for (to, from) in self.left.iter_mut().zip(&other.left) {
            *to += from;
        }
        for (to, from) in self.right.iter_mut().zip(&other.right) {
            *to += from;
        }
    }
}

fn hz(midi: i32) -> f32 {
    440.0 * ((midi - 69) as f32 / 12.0).exp2()
}

fn kick(bus: &mut Bus, at_s: f32, gain: f32) {
    // A sine that falls from 150 Hz to 48 Hz: the integral of the falling frequency is its phase.
    bus.play(at_s, 0.32, gain, 0.0, |t| {
        let phase = 48.0 * t + (150.0 - 48.0) * 0.03 * (1.0 - (-t / 0.03).exp());
        (TAU * phase).sin() * (-t / 0.12).exp() + (-t / 0.002).exp() * 0.25
    });
}

fn snare(bus: &mut Bus, noise: &mut Noise, at_s: f32, gain: f32) {
    bus.play(at_s, 0.22, gain, 0.05, |t| {
        let body = (TAU * 187.0 * t).sin() * (-t / 0.05).exp() * 0.7;
        body + noise.next() * (-t / 0.07).exp() * 0.55
    });
}

fn hat(bus: &mut Bus, noise: &mut Noise, at_s: f32, decay_s: f32, gain: f32, pan: f32) {
    let mut last = 0.0;
    bus.play(at_s, decay_s * 5.0, gain, pan, |t| {
        let white = noise.next();
        let bright = white - last;
        last = white;
        bright * (-t / decay_s).exp()
    });
}

/// Harmonics that fade the faster the higher they are: a plucked string to a mellow bass, by `brightness`.
fn pluck(bus: &mut Bus, at_s: f32, length_s: f32, midi: i32, brightness: f32, gain: f32, pan: f32) {
    let f = hz(midi);
    bus.play(at_s, length_s, gain, pan, |t| {
        (1..=8)
            .map(|k| {
                let k = k as f32;
                (TAU * f * k * t).sin() / k * (-t * (2.0 + (k - 1.0) * 6.0 / brightness)).exp()
            })
            .sum()
    });
}

/// A slow chord voice: three slightly detuned stacks of soft harmonics.
fn pad(bus: &mut Bus, at_s: f32, length_s: f32, midi: i32, gain: f32) {
    for (detune, pan) in [(0.9975, -0.6), (1.0, 0.0), (1.0025, 0.6)] {
        let f = hz(midi) * detune;
        bus.play(at_s, length_s, gain, pan, |t| {
            let swell = (t / 0.08).min(1.0) * ((length_s - t) / 0.15).clamp(0.0, 1.0);
            swell * (1..=5).map(|k| (TAU * f * k as f32 * t).sin() / (k * k) as f32).sum::<f32>()
        });
    }
}

/// An electric piano: a sine that a second one bends, plus the short ring of the tine.
fn keys(bus: &mut Bus, at_s: f32, length_s: f32, midi: i32, gain: f32, pan: f32) {
    let f = hz(midi);
    bus.play(at_s, length_s, gain, pan, |t| {
        let bend = 1.2 * (-t * 4.0).exp() * (TAU * f * t).sin();
        let tine = 0.12 * (-t * 18.0).exp() * (TAU * f * 7.0 * t).sin();
        ((TAU * f * t + bend).sin() + tine) * (-t * 1.6).exp()
    });
}

/// 124 BPM, A minor: four on the floor, the dominant with its leading tone.
fn tide_line() -> Bus {
    let beat = 60.0 / 124.0;
    let bars = 14;
    let length_s = bars as f32 * 4.0 * beat;
    let (mut drums, mut music, mut lead) = (Bus::new(length_s), Bus::new(length_s), Bus::new(length_s));
    let mut noise = Noise(0x5EED_0001);
    // Am, F, Dm, E: roots for the bass, and close voicings.
    let chords = [(45, [57, 60, 64]), (41, [57, 60, 65]), (38, [57, 62, 65]), (40, [56, 59, 64])];
    let arpeggio = [0, 1, 2, 1, 0, 2, 1, 2];
    let melody = [[76, 72, 69, 72], [77, 76, 72, 69], [74, 77, 76, 74], [71, 74, 76, 68]];
    let mut kicks_s = Vec::new();
    for bar in 0..bars {
        let start = bar as f32 * 4.0 * beat;
        let (root, voicing) = chords[bar % 4];
        for b in 0..4 {
            let at = start + b as f32 * beat;
            kick(&mut drums, at, 0.85);
            kicks_s.push(at);
            hat(&mut drums, &mut noise, at + beat / 2.0, 0.035, 0.16, 0.2);
            for s in 0..4 {
                hat(&mut drums, &mut noise, at + s as f32 * beat / 4.0, 0.012, 0.06, -0.3);
            }
            if b % 2 == 1 && bar >= 2 {
                snare(&mut drums, &mut noise, at, 0.34);
            }
        }
        for midi in voicing {
            pad(&mut music, start, 4.0 * beat, midi, 0.055);
        }
        for eighth in 0..8 {
            let at = start + (eighth as f32 + 0.0) * beat / 2.0;
            if eighth % 2 == 1 || eighth == 6 {
                pluck(&mut music, at, beat / 2.0, root, 2.0, 0.36, 0.0);
            }
            let note = voicing[arpeggio[eighth]] + 12;
            pluck(&mut lead, at, beat / 2.0, note, 1.4, 0.10, if eighth % 2 == 0 { -0.5 } else { 0.5 });
        }
        if bar >= 4 {
            for (i, &midi) in melody[bar % 4].iter().enumerate() {
                pluck(&mut lead, start + i as f32 * beat, beat * 0.95, midi, 3.0, 0.17, 0.1);
            }
        }
    }
    lead.echo(beat * 0.75, 0.35);
    music.duck(&kicks_s, 0.6, beat * 0.8);
    drums.add(&music);
    drums.add(&lead);
    drums
}

/// 92 BPM, F major: swung sixteenths, a lazy back beat, electric piano.
fn paper_lantern() -> Bus {
    let beat = 60.0 / 92.0;
    let bars = 8;
    let length_s = bars as f32 * 4.0 * beat;
    let (mut drums, mut music, mut lead) = (Bus::new(length_s), Bus::new(length_s), Bus::new(length_s));
    let mut noise = Noise(0x5EED_0002);
    // F, Dm7, Bb, C7: roots for the bass, and voicings with smooth steps between them.
    let chords =
        [(41, [57, 60, 65, 69]), (38, [57, 60, 62, 65]), (34, [58, 62, 65, 70]), (36, [58, 60, 64, 67])];
    let melody = [
        [(0.0, 77), (1.5, 76), (2.0, 72)],
        [(0.0, 74), (1.0, 77), (2.5, 74)],
        [(0.5, 70), (1.5, 74), (3.0, 77)],
        [(0.0, 76), (1.5, 74), (2.0, 72)],
    ];
    // Every second sixteenth comes late: swing of 58 %.
    let sixteenth = |s: usize| (s / 2) as f32 * beat / 2.0 + (s % 2) as f32 * beat * 0.29;
    for bar in 0..bars {
        let start = bar as f32 * 4.0 * beat;
        let (root, voicing) = chords[bar % 4];
        for s in [0, 7, 10] {
            kick(&mut drums, start + sixteenth(s), 0.8);
        }
        for s in [4, 12] {
            snare(&mut drums, &mut noise, start + sixteenth(s), 0.36);
        }
        for s in 0..16 {
            let accent = if s % 4 == 0 { 0.055 } else { 0.03 };
            hat(&mut drums, &mut noise, start + sixteenth(s), 0.014, accent, 0.15);
        }
        for (s, length, step) in [(0, 1.4, 0), (6, 0.5, 0), (8, 0.9, 0), (11, 0.4, 7), (14, 0.5, 12)] {
            pluck(&mut music, start + sixteenth(s), length * beat, root + step, 1.2, 0.42, 0.0);
        }
        for (i, midi) in voicing.into_iter().enumerate() {
            let pan = i as f32 * 0.3 - 0.45;
            keys(&mut music, start, 2.4 * beat, midi, 0.12, pan);
            keys(&mut music, start + sixteenth(11), 1.2 * beat, midi, 0.09, pan);
        }
        if bar >= 2 {
            for (at, midi) in melody[bar % 4] {
                keys(&mut lead, start + at * beat, 0.9 * beat, midi, 0.13, 0.0);
            }
        }
    }
    lead.echo(beat * 0.75, 0.3);
    drums.add(&music);
    drums.add(&lead);
    drums
}

/// Writes 16-bit WAV. `bits` below 16 leave the lowest bits zero, which FLAC stores at no cost.
fn write_wav(path: &Path, bus: &Bus, bits: u32) -> std::io::Result<()> {
    let frames = bus.left.len();
    let mut data = Vec::with_capacity(44 + frames * 4);
    let size = (frames * 4) as u32;
    data.extend_from_slice(b"RIFF");
    data.extend_from_slice(&(36 + size).to_le_bytes());
    data.extend_from_slice(b"WAVEfmt ");
    data.extend_from_slice(&16u32.to_le_bytes());
    for field in [1u16, 2] {
        data.extend_from_slice(&field.to_le_bytes());
    }
    data.extend_from_slice(&(RATE_HZ as u32).to_le_bytes());
    data.extend_from_slice(&(RATE_HZ as u32 * 4).to_le_bytes());
    for field in [4u16, 16] {
        data.extend_from_slice(&field.to_le_bytes());
    }
    data.extend_from_slice(b"data");
    data.extend_from_slice(&size.to_le_bytes());
    let steps = ((1 << (bits - 1)) - 1) as f32;
    for pair in bus.left.iter().zip(&bus.right) {
        for sample in [pair.0, pair.1] {
            let loud = (sample * 1.1).tanh() * 0.9;
            let value = ((loud * steps).round() as i16) << (16 - bits);
            data.extend_from_slice(&value.to_le_bytes());
        }
    }
    std::fs::File::create(path)?.write_all(&data)
}

fn main() -> std::io::Result<()> {
    let Some(dir) = std::env::args().nth(1) else {
        eprintln!("usage: make_demo_tracks DIRECTORY");
        std::process::exit(2);
    };
    let dir = Path::new(&dir);
    write_wav(&dir.join("tide-line.wav"), &tide_line(), 16)?;
    write_wav(&dir.join("paper-lantern.wav"), &paper_lantern(), 12)
}
