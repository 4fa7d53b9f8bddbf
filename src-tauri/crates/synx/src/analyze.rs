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
        FileOutcome::Analyzed(found) => format!("{}  {}", figures(found), report.file),
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
    format!("{tempo:>10}  {key:<15}  E{:<2} {loudness:>11}", found.energy)
}
