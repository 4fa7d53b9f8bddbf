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
        FileOutcome::Failed { error, .. } => format!("{:<67}  {error}", "failed"),
    }
}

/// Each answer with how likely it is right.
fn figures(found: &FileAnalysis) -> String {
    let told = |answer: Option<String>, confidence: f64, none: &str| match answer {
        Some(answer) => (answer, format!("{:.0} %", confidence * 100.0)),
        None => (none.to_owned(), String::new()),
    };
    let tempo = found.bpm.map(|bpm| format!("{bpm:.1} BPM"));
    let (tempo, tempo_sure) = told(tempo, found.bpm_confidence, "no tempo");
    let (metre, metre_sure) = told(found.metre.clone(), found.metre_confidence, "");
    let key = found.key.as_ref().zip(found.camelot.as_ref());
    let key = key.map(|(key, camelot)| format!("{key} ({camelot})"));
    let (key, key_sure) = told(key, found.key_confidence, "no key");
    let loudness = found.loudness_lufs.map_or("silent".to_owned(), |lufs| format!("{lufs:.1} LUFS"));
    format!(
        "{tempo:>10} {tempo_sure:>5}  {metre:<3} {metre_sure:>5}  {key:<15} {key_sure:>5}  E{:<2} {loudness:>11}",
        found.energy
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_shown_with_how_likely_it_is_and_none_without() {
        let mut found = FileAnalysis {
            duration_s: 60.0,
            bpm: Some(128.0),
            bpm_confidence: 0.934,
            bpm_alternatives: Vec::new(),
            beats: Vec::new(),
            downbeats: Vec::new(),
            metre: Some("4/4".to_owned()),
            metre_confidence: 1.0,
            tempo_sections: Vec::new(),
            key: Some("A minor".to_owned()),
            camelot: Some("8A".to_owned()),
            open_key: Some("1m".to_owned()),
            key_confidence: 0.5,
            key_second: None,
            key_sections: Vec::new(),
            energy: 7,
            loudness_lufs: Some(-9.04),
            loudness_range_lu: None,
            true_peak_dbtp: None,
        };
        let shown = figures(&found);
        assert_eq!(shown, " 128.0 BPM  93 %  4/4 100 %  A minor (8A)     50 %  E7    -9.0 LUFS");
        (found.bpm, found.metre, found.key, found.loudness_lufs) = (None, None, None, None);
        let nothing = figures(&found);
        assert!(nothing.contains("no tempo") && nothing.contains("no key") && !nothing.contains('%'));
        assert_eq!(nothing.len(), shown.len());
    }
}
