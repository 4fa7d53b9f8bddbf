//! The side that asks: starts workers, keeps idle ones for the next file, and kills those that take too long.

use super::can_serve;
use super::job::{FilePath, Job, Line, done};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use synx_analysis::Analysis;
use synx_domain::{ContentHash, TrackMeta};
use synx_media::Artwork;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

/// Longest line of a worker: the waveform of a day of music has some megabytes.
const LINE_BYTES: u64 = 64 << 20;
/// Files after which a worker is replaced, so that what one of them left behind does not stay for ever.
const JOBS_OF_ONE: u32 = 100;

/// Who is told how far a job is, 0 to 1.
pub type Progress = Box<dyn Fn(f64) + Send + Sync>;

/// How long a job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Whatever the file.
    pub base: Duration,
    /// For each MiB of the file.
    pub per_mib: Duration,
}

impl Default for Bounds {
    /// A slow machine analyses a MiB of the tightest MP3 (a minute of music) in about two seconds.
    fn default() -> Self {
        Self { base: Duration::from_secs(60), per_mib: Duration::from_secs(10) }
    }
}

impl Bounds {
    fn of(self, path: &Path) -> Duration {
        let mib = std::fs::metadata(path).map_or(0, |meta| meta.len() >> 20);
        self.base + self.per_mib.saturating_mul(u32::try_from(mib).unwrap_or(u32::MAX))
    }
}

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Which program.
    pub program: PathBuf,
    /// With what arguments.
    pub args: Vec<OsString>,
}

impl Launch {
    /// This program again; none if it cannot be a worker.
    fn this_program() -> Option<Self> {
        let name = can_serve()?;
        // On Linux this names the program that runs, also when its file has been replaced by a newer one meanwhile.
        let own = if cfg!(target_os = "linux") {
            Some(PathBuf::from("/proc/self/exe"))
        } else {
            std::env::current_exe().ok()
        };
        Some(Self { program: own?, args: vec![name.into()] })
    }
}

/// Why a file's work has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// The file cannot be used.
    #[error("{message}")]
    Failed {
        /// Stable code, as of [`synx_media::MediaError`].
        code: String,
        /// For a person.
        message: String,
    },
    /// It took too long.
    #[error("it took longer than {} s to read and was given up: it is damaged, or made to do harm", limit.as_secs())]
    TooLong {
        /// How long it was given.
        limit: Duration,
    },
    /// The worker ended by itself.
    #[error("the program that read it ended: the file is damaged, or made to do harm")]
    Crashed,
    /// No worker can be had.
    #[error("no process to read files in can be started: {0}")]
    Start(String),
    /// The instance is closing.
    #[error("the analysis was cancelled. Start it again to get a result")]
    Cancelled,
}

impl WorkError {
    /// Stable code for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::Failed { code, .. } => code,
            Self::TooLong { .. } => "media_too_long",
            Self::Crashed => "media_crashed",
            Self::Start(_) => "worker_start",
            Self::Cancelled => "analysis_cancelled",
        }
    }

    /// Whether it is the file's fault, for ever.
    pub fn is_the_files(&self) -> bool {
        match self {
            Self::Failed { code, .. } => code.starts_with("media_") && code != "media_io",
            Self::TooLong { .. } | Self::Crashed => true,
            Self::Start(_) | Self::Cancelled => false,
        }
    }
}

/// The workers of an instance.
pub struct Workers {
    launch: Option<Launch>,
    bounds: Bounds,
    idle: Mutex<Vec<Worker>>,
    started: AtomicU32,
    cancelled: watch::Sender<bool>,
}

struct Worker {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
    jobs: u32,
}

impl Default for Workers {
    /// Of this program, if it can be a worker.
    fn default() -> Self {
        Self::new(Launch::this_program(), Bounds::default())
    }
}

impl Workers {
    /// Workers started like this; none: the work is done in this process.
    pub fn new(launch: Option<Launch>, bounds: Bounds) -> Self {
        Self {
            launch,
            bounds,
            idle: Mutex::default(),
            started: AtomicU32::new(0),
            cancelled: watch::Sender::new(false),
        }
    }

    /// What a file says of itself, with the hash of its bytes, and the year of its release.
    ///
    /// # Errors
    /// When it cannot be read, is no audio, or took its worker down.
    pub async fn describe(
        &self,
        path: &Path,
        hash: ContentHash,
        file_name: String,
    ) -> Result<(TrackMeta, Option<u16>), WorkError> {
        let job = Job::Describe { path: path.into(), hash, file_name };
        match self.run(job, Box::new(|_| {})).await? {
            // Whatever it says: it was asked about these bytes.
            Line::Described { track, year } => Ok((TrackMeta { hash, ..track }, year)),
            _ => Err(WorkError::Crashed),
        }
    }

    /// The picture of a file, if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or took its worker down.
    pub async fn artwork(&self, path: &Path) -> Result<Option<Artwork>, WorkError> {
        match self.run(Job::Artwork { path: FilePath::from(path) }, Box::new(|_| {})).await? {
            Line::Pictured { picture: None } => Ok(None),
            Line::Pictured { picture: Some(picture) } => {
                picture.artwork().map(Some).ok_or(WorkError::Crashed)
            }
            _ => Err(WorkError::Crashed),
        }
    }

    /// A picture file as a small square of bare pixels in Base64; none where it is no picture.
    ///
    /// # Errors
    /// When it cannot be read, or took its worker down.
    pub async fn portrait(&self, path: &Path, edge_px: u32) -> Result<Option<String>, WorkError> {
        match self.run(Job::Portrait { path: FilePath::from(path), edge_px }, Box::new(|_| {})).await? {
            Line::Portrayed { pixels } => Ok(pixels),
            _ => Err(WorkError::Crashed),
        }
    }

    /// Everything the analysis finds in a file.
    ///
    /// # Errors
    /// When it cannot be decoded, or took its worker down.
    pub async fn analyze(&self, path: &Path, progress: Progress) -> Result<Analysis, WorkError> {
        match self.run(Job::Analyze { path: FilePath::from(path) }, progress).await? {
            Line::Analyzed { analysis } => Ok(*analysis),
            _ => Err(WorkError::Crashed),
        }
    }

    /// Workers that were started so far.
    pub fn started(&self) -> u32 {
        self.started.load(Ordering::Relaxed)
    }

    /// Ends all work, under way and to come.
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
        self.lock().clear();
    }

    async fn run(&self, job: Job, progress: Progress) -> Result<Line, WorkError> {
        let mut cancelled = self.cancelled.subscribe();
        let line = tokio::select! {
            line = self.work(&job, progress) => line?,
            _ = cancelled.wait_for(|cancelled| *cancelled) => return Err(WorkError::Cancelled),
        };
        match line {
            Line::Failed { code, message } => Err(WorkError::Failed { code, message }),
            line => Ok(line),
        }
    }

    async fn work(&self, job: &Job, progress: Progress) -> Result<Line, WorkError> {
        let Some(launch) = &self.launch else {
            let job = job.clone();
            let here = tokio::task::spawn_blocking(move || done(&job, progress));
            return here.await.map_err(|_| WorkError::Crashed);
        };
        let limit = self.bounds.of(&job.path());
        let idle = self.lock().pop();
        // Dropped on the way out, a worker is killed: one that did its job goes back instead.
        let mut worker = match idle {
            Some(worker) => worker,
            None => {
                self.started.fetch_add(1, Ordering::Relaxed);
                Worker::start(launch)?
            }
        };
        let line = tokio::time::timeout(limit, worker.ask(job, &progress)).await;
        let line = line.map_err(|_| WorkError::TooLong { limit })??;
        worker.jobs += 1;
        if worker.jobs < JOBS_OF_ONE && !*self.cancelled.borrow() {
            self.lock().push(worker);
        }
        Ok(line)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    fn start(launch: &Launch) -> Result<Self, WorkError> {
        let mut command = Command::new(&launch.program);
        command.args(&launch.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.kill_on_drop(true).spawn().map_err(|error| WorkError::Start(error.to_string()))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (asks, says) = pipes.ok_or_else(|| WorkError::Start("it has no pipes".to_owned()))?;
        Ok(Self { child, asks, says: BufReader::new(says), jobs: 0 })
    }

    async fn ask(&mut self, job: &Job, progress: &Progress) -> Result<Line, WorkError> {
        let mut text = serde_json::to_vec(job).map_err(|error| WorkError::Start(error.to_string()))?;
        text.push(b'\n');
        self.asks.write_all(&text).await.map_err(|_| WorkError::Crashed)?;
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.says).take(LINE_BYTES);
            limited.read_until(b'\n', &mut line).await.map_err(|_| WorkError::Crashed)?;
            match serde_json::from_slice(&line) {
                Ok(Line::Progress { done }) => progress(done),
                Ok(line) => return Ok(line),
                Err(error) => {
                    tracing::warn!(%error, status = ?self.child.try_wait(), "a worker said nothing that is an answer");
                    return Err(WorkError::Crashed);
                }
            }
        }
    }
}
