//! `synx analyze`: results as a table for people or as JSON Lines for programs.

use crate::args::Analyze;
use crate::exit::Exit;
use std::path::Path;
use synx_node::library::{FileAnalysis, FileOutcome, FileReport, analyze_files};

/// Runs the command. Exit code 3 when some files failed and others did not.
pub async fn run(args: Analyze, data_dir: &Path) -> Result<Exit, synx_node::NodeError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or(cores, usize::from);
    let mut reports = analyze_files(&args.paths, jobs, &data_dir.join("analysis")).await?;
    let (mut done, mut failed) = (0, 0);
    while let Some(report) = reports.recv().await {
        match report.outcome {
            FileOutcome::Analyzed(_) => done += 1,
            FileOutcome::Failed { .. } => failed += 1,
        }
        let line = if args.json { serde_json::to_string(&report).unwrap_or_default() } else { line(&report) };
        println!("{line}");
    }
    Ok(match (done, failed) {
        (0, 0) => {
            eprintln!("no audio files found under the given paths");
            Exit::Failed
        }
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::SomeFailed,
    })
}

fn line(report: &FileReport) -> String {
    match &report.outcome {
        FileOutcome::Analyzed(found) => format!("{}  {}{}", figures(found), report.file, changes(found)),
        FileOutcome::Failed { error, .. } => format!("{:<48}  {error}", "failed"),
    }
}

fn figures(found: &FileAnalysis) -> String {
    let tempo = found.bpm.map_or("no tempo".to_owned(), |bpm| format!("{bpm:.1} BPM"));
    let key = match (&found.key, &found.camelot) {
        (Some(key), Some(camelot)) => format!("{key} ({camelot})"),
        _ => "no key".to_owned(),
    };
    let loudness = found.loudness_lufs.map_or("silent".to_owned(), |lufs| format!("{lufs:.1} LUFS"));
    let metre = found.metre.as_deref().unwrap_or("");
    format!("{tempo:>10} {metre:<3}  {key:<15}  E{:<2} {loudness:>11}", found.energy)
}

/// Where tempo or key change, on lines of their own; of a tempo that flows only the first and the last.
fn changes(found: &FileAnalysis) -> String {
    let minute = |s: f64| format!("{}:{:02}", s as u64 / 60, s as u64 % 60);
    let mut text = String::new();
    if let (Some(first), Some(last)) = (found.tempo_sections.first(), found.tempo_sections.last())
        && found.tempo_sections.len() > 1
    {
        let steps = found.tempo_sections.len() - 1;
        let times = if steps == 1 { "once".to_owned() } else { format!("{steps} times") };
        let (from, to, at) = (first.bpm, last.bpm, minute(last.start_s));
        text += &format!("\n            tempo changes {times}: {from:.1} BPM, in the end {to:.1} from {at}");
    }
    if found.key_sections.len() > 1 {
        let keys: Vec<String> = found
            .key_sections
            .iter()
            .map(|section| format!("{} from {}", section.key, minute(section.start_s)))
            .collect();
        text += &format!("\n            key: {}", keys.join(", then "));
    }
    text
}
