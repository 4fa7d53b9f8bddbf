//! Analysing many files without a running instance: what `synx analyze` does.

use crate::error::{NodeError, for_people};
use crate::library::analyses::{Analyses, summary};
use crate::library::files::{find_audio, hash_file};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synx_analysis::{Analysis, KeySection, TempoSection};
use tokio::sync::mpsc;

/// What was found in one file. Serialised with the names that scripts read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// The path as it was found.
    pub file: String,
    /// What was found, or what went wrong.
    #[serde(flatten)]
    pub outcome: FileOutcome,
}

/// Either a result or an error.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FileOutcome {
    /// The file was analysed.
    Analyzed(Box<FileAnalysis>),
    /// It was not.
    Failed {
        /// What failed and why.
        error: String,
        /// Stable code.
        code: String,
    },
}

/// The result of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileAnalysis {
    /// Seconds of audio.
    pub duration_s: f64,
    /// Beats per minute; none where there is no steady tempo.
    pub bpm: Option<f64>,
    /// 0 to 1.
    pub bpm_confidence: f64,
    /// Other readings of the tempo, beats per minute, likeliest first.
    pub bpm_alternatives: Vec<f64>,
    /// Seconds of each beat.
    pub beats: Vec<f64>,
    /// Which of `beats` begin a bar; empty where that is not known.
    pub downbeats: Vec<u32>,
    /// The bar, as in "3/4"; none where the beats do not tell.
    pub metre: Option<String>,
    /// 0 to 1.
    pub metre_confidence: f64,
    /// Where the tempo changes; empty where it holds.
    pub tempo_sections: Vec<TempoSection>,
    /// Musical name; none where there is no key.
    pub key: Option<String>,
    /// Camelot name.
    pub camelot: Option<String>,
    /// Open Key name.
    pub open_key: Option<String>,
    /// 0 to 1.
    pub key_confidence: f64,
    /// The next likeliest key.
    pub key_second: Option<String>,
    /// Where the key changes; empty where it holds.
    pub key_sections: Vec<KeySection>,
    /// 1 to 10.
    pub energy: u8,
    /// Integrated, EBU R128; none for silence.
    pub loudness_lufs: Option<f64>,
    /// Loudness range.
    pub loudness_range_lu: Option<f64>,
    /// Highest true peak.
    pub true_peak_dbtp: Option<f64>,
}

impl FileAnalysis {
    fn of(analysis: &Analysis) -> Self {
        let summary = summary(analysis);
        let (tempo, key) = (analysis.tempo.as_ref(), analysis.key.as_ref());
        let metre = tempo.and_then(|tempo| tempo.metre);
        Self {
            duration_s: analysis.duration_s,
            bpm: summary.bpm,
            bpm_confidence: summary.bpm_confidence,
            bpm_alternatives: tempo
                .map(|t| t.alternatives.iter().map(|other| other.bpm).collect())
                .unwrap_or_default(),
            beats: tempo.map(|tempo| tempo.beats_s.clone()).unwrap_or_default(),
            downbeats: tempo.map(|tempo| tempo.downbeats.clone()).unwrap_or_default(),
            metre: metre.map(|metre| metre.to_string()),
            metre_confidence: metre.map_or(0.0, |metre| metre.confidence),
            tempo_sections: tempo.map(|tempo| tempo.sections.clone()).unwrap_or_default(),
            key: summary.key,
            camelot: summary.camelot,
            open_key: key.map(|key| key.key.open_key()),
            key_confidence: summary.key_confidence,
            key_second: key.and_then(|key| key.second).map(|key| key.to_string()),
            key_sections: key.map(|key| key.sections.clone()).unwrap_or_default(),
            energy: summary.energy,
            loudness_lufs: summary.loudness_lufs,
            loudness_range_lu: analysis.loudness.range_lu,
            true_peak_dbtp: analysis.loudness.true_peak_dbtp,
        }
    }
}

/// Analyses all audio under `paths`, `jobs` files at a time, results kept in `cache`. Reports come in the order of the
/// files, each as soon as it and those before it are done.
///
/// # Errors
/// A path that does not exist, or a cache folder that cannot be made. A file that fails is a report, not an error.
pub async fn analyze_files(
    paths: &[PathBuf],
    jobs: usize,
    cache: &Path,
) -> Result<mpsc::Receiver<FileReport>, NodeError> {
    let files = find_audio(paths)?;
    let failed = |source| NodeError::File { action: "make", path: cache.to_owned(), source };
    std::fs::create_dir_all(cache).map_err(failed)?;
    let analyses = Arc::new(Analyses::new(cache.to_owned(), jobs));
    let (ordered, mut waiting) = mpsc::channel(jobs.max(1) * 2);
    let (reports, received) = mpsc::channel(1);
    tokio::spawn(async move {
        for path in files {
            let analyses = Arc::clone(&analyses);
            if ordered.send(tokio::spawn(async move { report(&analyses, &path).await })).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(task) = waiting.recv().await {
            let Ok(report) = task.await else { continue };
            if reports.send(report).await.is_err() {
                return;
            }
        }
    });
    Ok(received)
}

async fn report(analyses: &Analyses, path: &Path) -> FileReport {
    let outcome = match analyze(analyses, path).await {
        Ok(analysis) => FileOutcome::Analyzed(Box::new(FileAnalysis::of(&analysis))),
        Err(error) => {
            FileOutcome::Failed { error: for_people(&error.to_string()), code: error.code().to_owned() }
        }
    };
    FileReport { file: path.to_string_lossy().into_owned(), outcome }
}

async fn analyze(analyses: &Analyses, path: &Path) -> Result<Arc<Analysis>, NodeError> {
    let hashed = path.to_owned();
    let hash =
        tokio::task::spawn_blocking(move || hash_file(&hashed)).await.map_err(|_| NodeError::Closing)??;
    analyses.analyze(hash, path, Box::new(|_| {})).await
}
