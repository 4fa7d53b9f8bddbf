//! Where a track's frames come from. The engine knows no file format; it reads frames by number.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use synx_media::{Decoder, MediaError};

use crate::PlaybackError;

/// Interleaved frames of one track, by position. Frame 0 is the same sample on every peer.
pub trait FrameSource: Send {
    /// Frames per second.
    fn sample_rate_hz(&self) -> u32;
    /// Samples per frame.
    fn channels(&self) -> usize;
    /// Length, where it is known beforehand.
    fn frames(&self) -> Option<u64>;
    /// Fills `out` (a multiple of [`channels`](Self::channels)) and returns the frames written; 0 is the end.
    ///
    /// # Errors
    /// When the data cannot be read or decoded any further.
    fn read(&mut self, out: &mut [f32]) -> Result<usize, MediaError>;
    /// Makes `frame` the next one read.
    ///
    /// # Errors
    /// When the data cannot be read there.
    fn seek(&mut self, frame: u64) -> Result<(), MediaError>;
}

impl FrameSource for Decoder {
    fn sample_rate_hz(&self) -> u32 {
        Decoder::sample_rate_hz(self)
    }
    fn channels(&self) -> usize {
        Decoder::channels(self)
    }
    fn frames(&self) -> Option<u64> {
        Decoder::frames(self)
    }
    fn read(&mut self, out: &mut [f32]) -> Result<usize, MediaError> {
        Decoder::read(self, out)
    }
    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        Decoder::seek(self, frame)
    }
}

type Open = dyn Fn() -> Result<Box<dyn FrameSource>, MediaError> + Send + Sync;

/// Where the bytes of a track are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioFile {
    /// All of them.
    Whole(PathBuf),
    /// Those that have come so far; more are on their way.
    Growing(PathBuf),
}

impl AudioFile {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Whole(path) | Self::Growing(path) => path,
        }
    }
}

type Locate = dyn Fn() -> Option<AudioFile> + Send + Sync;

struct Track {
    id: u64,
    path: PathBuf,
    sample_rate_hz: u32,
    frames: Option<u64>,
    gain_db: AtomicU32,
    open: Box<Open>,
    /// For a track that is still coming: where its file is by now.
    locate: Option<Box<Locate>>,
}

/// A track that can be played. Cheap to clone; holds no open file and no audio.
#[derive(Clone)]
pub struct TrackHandle(Arc<Track>);

impl TrackHandle {
    /// Opens the file once to see that it can be decoded.
    ///
    /// # Errors
    /// [`PlaybackError::Undecodable`] with the decoder's reason.
    pub fn open(path: &Path) -> Result<Self, PlaybackError> {
        let owned = path.to_path_buf();
        let opener =
            move || -> Result<Box<dyn FrameSource>, MediaError> { Ok(Box::new(Decoder::open(&owned)?)) };
        Self::from_opener(path, opener)
            .map_err(|source| PlaybackError::Undecodable { path: path.to_path_buf(), source })
    }

    /// Opens a track whose file is still coming. It plays as far as its bytes are here, and on as they come; `locate` is
    /// asked each time where they are. Most formats allow it from a few of their bytes on, some (MP4, AIFF) only whole.
    ///
    /// # Errors
    /// [`PlaybackError::Undecodable`], also while too little of it has come.
    pub fn open_growing(
        name: &Path,
        locate: impl Fn() -> Option<AudioFile> + Clone + Send + Sync + 'static,
    ) -> Result<Self, PlaybackError> {
        let (gone, found) = (name.to_path_buf(), locate.clone());
        let opener = move || -> Result<Box<dyn FrameSource>, MediaError> {
            let file = found().ok_or_else(|| MediaError::Io {
                path: gone.clone(),
                source: std::io::ErrorKind::NotFound.into(),
            })?;
            Ok(Box::new(Decoder::open(file.path())?))
        };
        Self::new(name, opener, Some(Box::new(locate)))
            .map_err(|source| PlaybackError::Undecodable { path: name.to_path_buf(), source })
    }

    /// A track from anything that yields frames: a calibration signal, a test tone. `name` stands in for its file.
    ///
    /// # Errors
    /// Whatever `open` fails with; it is called once here and again for each place of the track that is played.
    pub fn from_opener(
        name: &Path,
        open: impl Fn() -> Result<Box<dyn FrameSource>, MediaError> + Send + Sync + 'static,
    ) -> Result<Self, MediaError> {
        Self::new(name, open, None)
    }

    fn new(
        name: &Path,
        open: impl Fn() -> Result<Box<dyn FrameSource>, MediaError> + Send + Sync + 'static,
        locate: Option<Box<Locate>>,
    ) -> Result<Self, MediaError> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let source = open()?;
        Ok(Self(Arc::new(Track {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            path: name.to_path_buf(),
            sample_rate_hz: source.sample_rate_hz(),
            frames: source.frames(),
            gain_db: AtomicU32::new(0.0f32.to_bits()),
            open: Box::new(open),
            locate,
        })))
    }

    /// Distinguishes tracks within this process; see [`EngineStatus::track`](crate::EngineStatus::track).
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The file it was opened from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Frames per second of the file.
    #[must_use]
    pub fn sample_rate_hz(&self) -> u32 {
        self.0.sample_rate_hz
    }

    /// Length in microseconds, where the file says so truthfully.
    #[must_use]
    pub fn duration_us(&self) -> Option<i64> {
        let frames = self.0.frames?;
        i64::try_from(u128::from(frames) * 1_000_000 / u128::from(self.0.sample_rate_hz.max(1))).ok()
    }

    /// Gain of this track alone, in decibels: loudness normalisation. Heard within a few tens of milliseconds.
    pub fn set_gain_db(&self, gain_db: f32) {
        self.0.gain_db.store(gain_db.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn gain(&self) -> f32 {
        10f32.powf(f32::from_bits(self.0.gain_db.load(Ordering::Relaxed)) / 20.0)
    }

    /// The bytes that are here of a file that is still coming; `None` once it is whole.
    pub(crate) fn bytes_so_far(&self) -> Option<u64> {
        match self.0.locate.as_ref()?() {
            Some(AudioFile::Growing(path)) => Some(std::fs::metadata(path).map_or(0, |meta| meta.len())),
            Some(AudioFile::Whole(_)) => None,
            // It is just being moved to its place, or was deleted; the next look tells.
            None => Some(0),
        }
    }

    pub(crate) fn source(&self) -> Result<Box<dyn FrameSource>, MediaError> {
        (self.0.open)()
    }
}

impl PartialEq for TrackHandle {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl std::fmt::Debug for TrackHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrackHandle({}, {})", self.0.id, self.0.path.display())
    }
}
