//! Analysis results by content hash: computed once, in a worker process, and kept on disk.

use crate::error::NodeError;
use crate::settings::write_atomically;
use crate::worker::{Progress, WorkError, Workers};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_analysis::{ANALYSER_VERSION, Analysis};
use synx_domain::{ContentHash, TrackAnalysis};
use synx_net::WriteGate;
use tokio::sync::{OnceCell, Semaphore};

/// Results that stay in memory; a result with its waveform is some hundred kilobytes.
const KEPT_IN_MEMORY: usize = 8;

/// How many files are to be analysed side by side, and how many more than that are under way still.
struct AtATime {
    wanted: usize,
    over: usize,
}

/// One file's place among those that are analysed.
struct Turn<'a> {
    of: &'a Analyses,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut at_a_time = lock(&self.of.at_a_time);
        match at_a_time.over {
            0 => self.of.turns.add_permits(1),
            _ => at_a_time.over -= 1,
        }
    }
}

type Outcome = Result<Arc<Analysis>, WorkError>;

/// The results, and the work that is under way.
pub struct Analyses {
    folder: PathBuf,
    gate: WriteGate,
    recent: Mutex<Vec<(ContentHash, Arc<Analysis>)>>,
    under_way: Mutex<HashMap<ContentHash, Arc<OnceCell<Outcome>>>>,
    turns: Semaphore,
    at_a_time: Mutex<AtATime>,
    workers: Workers,
    cancelled: AtomicBool,
}

impl Analyses {
    /// Results in `folder`; `at_a_time` files are analysed side by side.
    pub fn new(folder: PathBuf, at_a_time: usize) -> Self {
        Self {
            folder,
            gate: WriteGate::default(),
            recent: Mutex::default(),
            under_way: Mutex::default(),
            turns: Semaphore::new(at_a_time.max(1)),
            at_a_time: Mutex::new(AtATime { wanted: at_a_time.max(1), over: 0 }),
            workers: Workers::default(),
            cancelled: AtomicBool::new(false),
        }
    }

    /// The same in a folder that may be let go of.
    #[must_use]
    pub fn behind(self, gate: &WriteGate) -> Self {
        Self { gate: gate.clone(), ..self }
    }

    /// The result, if it is known already.
    pub fn get(&self, hash: ContentHash) -> Option<Arc<Analysis>> {
        if let Some((_, known)) = lock(&self.recent).iter().find(|(recent, _)| *recent == hash) {
            return Some(Arc::clone(known));
        }
        let known = Arc::new(self.read(hash)?);
        self.remember(hash, &known);
        Some(known)
    }

    /// The result, computed if need be. Who asks while the work is under way waits for the same work.
    ///
    /// # Errors
    /// When the file cannot be decoded or takes its worker down, or the instance is closing.
    pub async fn analyze(
        &self,
        hash: ContentHash,
        path: &Path,
        progress: Progress,
    ) -> Result<Arc<Analysis>, NodeError> {
        if let Some(known) = self.get(hash) {
            return Ok(known);
        }
        let cell = Arc::clone(lock(&self.under_way).entry(hash).or_default());
        let outcome = cell.get_or_init(|| self.compute(hash, path, progress)).await.clone();
        lock(&self.under_way).remove(&hash);
        Ok(outcome?)
    }

    /// Who reads files of others.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// Gives up what is under way; used when the instance closes.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.workers.cancel();
    }

    /// Whether all work was given up.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// So many files side by side from now on, at least one. What is under way is finished.
    pub fn set_at_a_time(&self, wanted: usize) {
        let (wanted, mut at_a_time) = (wanted.max(1), lock(&self.at_a_time));
        let before = std::mem::replace(&mut at_a_time.wanted, wanted);
        if wanted < before {
            at_a_time.over += before - wanted - self.turns.forget_permits(before - wanted);
        } else {
            let paid = (wanted - before).min(at_a_time.over);
            at_a_time.over -= paid;
            self.turns.add_permits(wanted - before - paid);
        }
    }

    async fn turn(&self) -> Turn<'_> {
        if let Ok(permit) = self.turns.acquire().await {
            permit.forget();
        }
        Turn { of: self }
    }

    async fn compute(&self, hash: ContentHash, path: &Path, progress: Progress) -> Outcome {
        let _turn = self.turn().await;
        let analysis = Arc::new(self.workers.analyze(path, progress).await?);
        self.write(hash, &analysis);
        self.remember(hash, &analysis);
        Ok(analysis)
    }

    fn file(&self, hash: ContentHash) -> PathBuf {
        self.folder.join(format!("{hash}.v{ANALYSER_VERSION}.json"))
    }

    fn read(&self, hash: ContentHash) -> Option<Analysis> {
        serde_json::from_slice(&std::fs::read(self.file(hash)).ok()?).ok()
    }

    fn write(&self, hash: ContentHash, analysis: &Analysis) {
        let written =
            serde_json::to_vec(analysis).map(|json| write_atomically(&self.gate, &self.file(hash), &json));
        if let Err(error) = written {
            tracing::warn!(%hash, %error, "analysis result not kept: it will be computed again");
        }
    }

    fn remember(&self, hash: ContentHash, analysis: &Arc<Analysis>) {
        let mut recent = lock(&self.recent);
        recent.retain(|(known, _)| *known != hash);
        recent.insert(0, (hash, Arc::clone(analysis)));
        recent.truncate(KEPT_IN_MEMORY);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The short form that the room's log keeps.
pub fn summary(analysis: &Analysis) -> TrackAnalysis {
    let (tempo, key) = (analysis.tempo.as_ref(), analysis.key.as_ref());
    TrackAnalysis {
        analyser_version: analysis.analyser_version,
        bpm: tempo.map(|tempo| tempo.bpm),
        bpm_confidence: tempo.map_or(0.0, |tempo| tempo.confidence),
        first_beat_s: tempo.and_then(|tempo| tempo.beats_s.first().copied()),
        key: key.map(|key| key.key.to_string()),
        camelot: key.map(|key| key.key.camelot()),
        key_confidence: key.map_or(0.0, |key| key.confidence),
        energy: analysis.energy,
        loudness_lufs: analysis.loudness.integrated_lufs,
    }
}
