//! `cargo xtask bench analysis --data DIR`: how right, how fast and how large the analysis is on labelled files, beside
//! whatever of aubio and Essentia is installed. Prints it and writes the measured part of docs/analysis.md.
//!
//! DIR holds `manifest.csv`, the audio, `beats/` and, to be checked against, `score.py`.
#![allow(clippy::unwrap_used)]

mod cases;
mod loudness;
mod metrics;
mod mix;
mod others;
mod tables;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cases::Case;
use metrics::{Answer, Answers, figures};
use synx_analysis::{Analysis, Options, analyze};

const USAGE: &str = "\
usage: cargo xtask bench analysis --data DIR [--python PROGRAM] [--hours HOURS] [--loudness DIR]
  --data DIR         folder with manifest.csv, the audio and beats/
  --python PROGRAM   where aubio and Essentia are looked for (python3)
  --hours HOURS      also analyse a mix of that length, for its memory
  --loudness DIR     also measure the test sequences that expected.csv names";
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/analysis.md");
/// The measured part of the document lies between these lines.
const BEGIN: &str = "<!-- measured by `cargo xtask bench analysis` -->";
const END: &str = "<!-- end of what is measured -->";

struct Arguments {
    data: PathBuf,
    python: String,
    hours: Option<f64>,
    loudness: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Option<Arguments> {
        let (mut data, mut python, mut hours, mut loudness) = (None, "python3".to_owned(), None, None);
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next()?;
            match word.as_str() {
                "--data" => data = Some(PathBuf::from(value)),
                "--python" => python = value,
                "--hours" => hours = Some(value.parse().ok()?),
                "--loudness" => loudness = Some(PathBuf::from(value)),
                _ => return None,
            }
        }
        Some(Arguments { data: data?, python, hours, loudness })
    }
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match bench(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &Arguments) -> Result<(), String> {
    let folder = &arguments.data;
    let cases =
        cases::read(folder).map_err(|e| format!("cannot read the cases of {}: {e}", folder.display()))?;
    let own = Own::measure(&cases, arguments.hours)?;
    let pairs: Vec<(&Case, &Answer)> = cases.iter().zip(&own.answers).collect();
    let scored = figures(pairs.iter().copied(), Answers::of(own.answers.iter()));
    match others::check(&arguments.python, folder, &cases, &own.answers, &scored) {
        Ok(Ok(agreed)) => eprintln!("score.py comes to the same {agreed} figures"),
        Ok(Err(different)) => {
            return Err(format!("score.py comes to other figures: {}", different.join("; ")));
        }
        Err(error) => eprintln!("not checked against score.py: {error}"),
    }
    let mut rows = vec![("**synx-analysis**".to_owned(), scored, own.speed)];
    let nothing = Answer::default();
    for (program, other) in others::run(&arguments.python, folder) {
        let answers = cases.iter().map(|case| (case, other.answers.get(&case.file).unwrap_or(&nothing)));
        rows.push((program, figures(answers, Answers::of(other.answers.values())), other.speed));
    }
    let mut text = report(&pairs, &rows, &own);
    if let Some(folder) = &arguments.loudness {
        let table = loudness::table(folder)?;
        let _ = write!(text, "\n\n### Loudness and range of test sequences\n\n{}", table.trim_end());
    }
    println!("{text}");
    write_into(Path::new(DOCUMENT), &text)
}

/// Our own answers and what they cost.
struct Own {
    answers: Vec<Answer>,
    audio_s: f64,
    /// Times real time, on one thread, with decoding and everything else that the analysis does.
    speed: f64,
    peak_mib: Option<f64>,
    mix: Option<String>,
}

impl Own {
    fn measure(cases: &[Case], hours: Option<f64>) -> Result<Own, String> {
        let (mut audio_s, started) = (0.0, Stopwatch::start());
        let mut answers = Vec::new();
        for case in cases {
            match analyze(&case.path, &Options::default()) {
                Ok(found) => {
                    audio_s += found.duration_s;
                    answers.push(answer(&found));
                }
                Err(error) => {
                    eprintln!("{}: {error}", case.file);
                    answers.push(Answer::default());
                }
            }
        }
        let speed = audio_s / started.elapsed_s();
        let peak_mib = peak_mib();
        let mix = hours.map(mix::measure).transpose()?;
        Ok(Own { answers, audio_s, speed, peak_mib, mix })
    }
}

fn answer(found: &Analysis) -> Answer {
    let (tempo, key) = (found.tempo.as_ref(), found.key.as_ref());
    Answer {
        bpm: tempo.map(|t| t.bpm),
        bpm_confidence: tempo.map(|t| t.confidence),
        key: key.map(|k| k.key),
        key_confidence: key.map(|k| k.confidence),
        beats_s: tempo.map(|t| t.beats_s.clone()),
    }
}

/// Counts the time that this thread works where the system tells it, so that a busy machine does not matter; otherwise the
/// time that passes.
pub struct Stopwatch {
    worked: Option<Duration>,
    started: Instant,
}

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch { worked: Self::worked(), started: Instant::now() }
    }

    pub fn elapsed_s(&self) -> f64 {
        match (self.worked, Self::worked()) {
            (Some(then), Some(now)) => now.saturating_sub(then).as_secs_f64(),
            _ => self.started.elapsed().as_secs_f64(),
        }
    }

    fn worked() -> Option<Duration> {
        let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
    }
}

/// Most memory that this process has had at once; known on Linux only.
fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

fn report(pairs: &[(&Case, &Answer)], rows: &[(String, metrics::Figures, f64)], own: &Own) -> String {
    let mut text = String::new();
    let memory = own.peak_mib.map_or_else(|| "not known here".to_owned(), |mib| format!("{mib:.0} MiB"));
    let _ = writeln!(
        text,
        "{} files, {:.0} s of audio. Per cent; speed on one thread, ours with decoding, loudness, true peak, waveform and \
         everything else, that of others without decoding. Peak memory of the whole run: {memory}.\n",
        pairs.len(),
        own.audio_s,
    );
    let _ = writeln!(text, "{}", tables::scores(rows));
    if let Some(mix) = &own.mix {
        let _ = writeln!(text, "{mix}\n");
    }
    let sections = [
        ("By family", tables::families(pairs)),
        ("Confusion of octaves: what the tempo given is to the right one", tables::octaves(pairs)),
        ("What the key given is to the right one", tables::keys(pairs)),
        ("How often an answer is right, by its confidence", tables::calibration(pairs)),
    ];
    for (title, table) in sections {
        let _ = writeln!(text, "### {title}\n\n{table}");
    }
    text.trim_end().to_owned()
}

fn write_into(path: &Path, text: &str) -> Result<(), String> {
    let problem = |what: &str| format!("{what} {}", path.display());
    let document = fs::read_to_string(path).map_err(|e| problem(&format!("cannot read ({e})")))?;
    let (before, rest) =
        document.split_once(BEGIN).ok_or_else(|| problem(&format!("no line {BEGIN:?} in")))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| problem(&format!("no line {END:?} in")))?;
    fs::write(path, format!("{before}{BEGIN}\n\n{text}\n\n{END}{after}"))
        .map_err(|e| problem(&format!("cannot write ({e})")))
}
