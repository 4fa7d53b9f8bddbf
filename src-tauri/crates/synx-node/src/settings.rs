//! What this machine is set to: output device, latency offsets, volume, and where hosted rooms are offered.
//!
//! Nothing of a room or a person belongs here; a lost file costs comfort, not history.

use crate::bridge::{LanguageView, LibraryLookView};
use crate::error::NodeError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use synx_domain::LoopRegion;
use synx_net::WriteGate;

/// The settings with the file they are kept in.
#[derive(Debug, Clone)]
pub struct Settings {
    path: PathBuf,
    gate: WriteGate,
    values: Values,
}

/// The values as they are stored; what is missing in a file takes its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Values {
    /// Output device id; none is the system's default.
    pub device: Option<String>,
    /// By how much each device plays late, microseconds.
    pub latency_offset_us: BTreeMap<String, i64>,
    /// 0 to 1, perceptual, of each device; one that is not named plays at full volume.
    pub volume: BTreeMap<String, f64>,
    /// Silent.
    pub muted: bool,
    /// Integrated loudness that every track is brought to, in LUFS; none plays tracks as they are.
    pub normalise_to_lufs: Option<f64>,
    /// Tracks that are analysed side by side; none takes the default.
    pub analysis_workers: Option<u32>,
    /// What was played alone last, and how far.
    pub left_off: Option<LeftOff>,
    /// How the library was shown last.
    pub look: Option<LibraryLookView>,
    /// The language that was chosen; none is the system's.
    pub language: Option<LanguageView>,
    /// Port of the rooms that are hosted; none takes any.
    pub port: Option<u16>,
    /// Neither announces public rooms on the local network nor looks for others'.
    pub unseen: bool,
    /// How hosted rooms were offered last, so that links stay true over a restart.
    pub offer: Option<Offer>,
}

/// A place in a track, and what was to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOff {
    /// Content hash.
    pub track: String,
    /// From its start.
    pub position_us: i64,
    /// What was repeated.
    #[serde(default)]
    pub loop_region: Option<LoopRegion>,
    /// Content hashes of what was queued by hand.
    #[serde(default)]
    pub queued: Vec<String>,
}

/// Where others reach the rooms of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Port.
    pub port: u16,
    /// `host:port`, or `https://name` of a proxy; likeliest first.
    pub addresses: Vec<String>,
    /// Whether the server encrypts.
    pub tls: bool,
}

impl Values {
    /// Whether this machine shows itself on the local network.
    pub fn is_seen(&self) -> bool {
        !self.unseen
    }

    /// Tracks that are analysed side by side. One leaves the machine to whoever listens.
    pub fn analysis_workers(&self) -> u32 {
        self.analysis_workers.unwrap_or(1)
    }

    /// Volume of a device, 0 to 1.
    pub fn volume_of(&self, device: &str) -> f64 {
        self.volume.get(device).copied().unwrap_or(1.0)
    }
}

impl Settings {
    /// Reads the file; one that is missing or damaged gives the defaults.
    pub fn load(path: PathBuf) -> Self {
        let values = std::fs::read(&path)
            .ok()
            .and_then(|bytes| match serde_json::from_slice(&bytes) {
                Ok(values) => Some(values),
                Err(error) => {
                    tracing::warn!(?path, %error, "settings are damaged: starting with defaults");
                    None
                }
            })
            .unwrap_or_default();
        Self { path, gate: WriteGate::default(), values }
    }

    /// The same in a folder that may be let go of.
    #[must_use]
    pub fn behind(self, gate: &WriteGate) -> Self {
        Self { gate: gate.clone(), ..self }
    }

    /// The values.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Changes values and writes them.
    ///
    /// # Errors
    /// When the file cannot be written; the change holds in memory all the same.
    pub fn change(&mut self, change: impl FnOnce(&mut Values)) -> Result<(), NodeError> {
        change(&mut self.values);
        write_atomically(&self.gate, &self.path, &serde_json::to_vec_pretty(&self.values).unwrap_or_default())
    }
}

/// Writes a file so that a reader, or a crash, meets the old or the new content and never a part.
pub(crate) fn write_atomically(gate: &WriteGate, path: &Path, content: &[u8]) -> Result<(), NodeError> {
    let _writing = gate.enter().map_err(|_| NodeError::Closing)?;
    let partial = path.with_extension("partial");
    let write = || {
        let mut file = std::fs::File::create(&partial)?;
        std::io::Write::write_all(&mut file, content)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().map_err(|source| {
        // What is there of it is of no use.
        drop(std::fs::remove_file(&partial));
        NodeError::File { action: "write", path: path.to_owned(), source }
    })
}
