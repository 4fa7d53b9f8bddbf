//! What can go wrong in a node, each with a stable code for the user interface.

use crate::bridge::CallError;
use rusqlite::ErrorCode;
use std::io;
use std::path::PathBuf;
use synx_net::disk;

/// An error of the running instance.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The system names no home folder.
    #[error("this system names no home folder: say where to keep data with --data-dir")]
    NoHome,
    /// The data folder cannot be used.
    #[error("cannot use the data folder {path:?}: {source}; {}", with_the_folder(source))]
    DataDir {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another instance has the data folder.
    #[error("{path:?} is in use by another instance: close it, or choose another folder with --data-dir")]
    DataDirInUse {
        /// Which folder.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {path:?}: {source}{}", disk::what_to_do(source))]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The log of a data folder cannot be opened.
    #[error("cannot open the log {path:?}: {source}")]
    OpenLog {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: synx_log::LogError,
    },
    /// The library of a data folder cannot be opened.
    #[error("cannot open the library {path:?}: {source}{}", with_the_library(source))]
    OpenLibrary {
        /// Its file.
        path: PathBuf,
        /// What the database said.
        source: rusqlite::Error,
    },
    /// The library's database failed.
    #[error("the library cannot be {action}: {source}")]
    Library {
        /// What was tried.
        action: &'static str,
        /// What the database said.
        source: rusqlite::Error,
    },
    /// The control socket was to listen beyond this machine.
    #[error("{address} can be reached from outside: the control socket listens on 127.0.0.1 or [::1] alone")]
    NotLoopback {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// A port cannot be opened.
    #[error("cannot listen on {address}: {source}; choose another port")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A search that means nothing.
    #[error(transparent)]
    BadFilter(#[from] crate::library::search::QueryError),
    /// A value that cannot be.
    #[error("{what} {problem}")]
    BadValue {
        /// What.
        what: &'static str,
        /// Why not.
        problem: &'static str,
    },
    /// A playlist, or a place in one, that is not there.
    #[error("this is not in the playlist, or there is no such playlist, any more: look at it again")]
    NoSuchPlaylist,
    /// A track whose file is not there.
    #[error("{path:?} is not there any more: bring it back, or connect its drive")]
    FileMissing {
        /// Where it was.
        path: PathBuf,
    },
    /// A request that needs a room came while in none.
    #[error("you are in no room: host one or join one first")]
    NoRoom,
    /// A request that only a host can carry out came to a peer.
    #[error("only the room's host can do this")]
    NotHosting,
    /// A knock was answered that is no more.
    #[error("nobody of this name waits at the door any more")]
    NobodyKnocks,
    /// A join was given up before the host had answered.
    #[error("you do not wait to be let in any more")]
    JoinStopped,
    /// A room is open already.
    #[error("you are in a room already: leave it first")]
    InRoom,
    /// An id or hash that is none.
    #[error("{0}")]
    BadId(#[from] synx_domain::ParseIdError),
    /// A track that is not known here.
    #[error("this track is not known here: open or share its file first")]
    NoSuchTrack,
    /// A room that is not known here.
    #[error("this room is not known here")]
    NoSuchRoom,
    /// A room of a cluster that nodes have open cannot be taken from there.
    #[error(
        "room {room} is open at {nodes} nodes of the cluster, with {people} people in it: try again when they have left it for a minute, or stop the nodes"
    )]
    RoomServed {
        /// Which.
        room: synx_domain::RoomId,
        /// How many nodes have it open.
        nodes: usize,
        /// How many of its people are connected there.
        people: usize,
    },
    /// A room of a cluster cannot be taken from a node that does not say whether somebody is in it.
    #[error(
        "a node of the cluster has room {room} open and does not answer: try again in a moment, or stop that node"
    )]
    NodeSilent {
        /// Which.
        room: synx_domain::RoomId,
    },
    /// Several rooms could be meant.
    #[error("say which room is meant with --room; there are: {}", if rooms.is_empty() { "none".to_owned() } else { rooms.join(", ") })]
    WhichRoom {
        /// Their ids.
        rooms: Vec<String>,
    },
    /// Something is not there yet.
    #[error("{what} is not ready yet: it comes by itself")]
    NotReady {
        /// What.
        what: &'static str,
    },
    /// Nothing is loaded in the player.
    #[error("nothing to play: open a file first")]
    NothingToPlay,
    /// A path holds no audio.
    #[error("{path:?} holds no audio file that can be read")]
    NoAudio {
        /// Which.
        path: PathBuf,
    },
    /// A file that should be a picture of somebody.
    #[error("{path:?} is no picture that can be read (JPEG, PNG, WebP, GIF): choose another")]
    NotAPicture {
        /// Which.
        path: PathBuf,
    },
    /// The room said no.
    #[error(transparent)]
    Rejected(#[from] synx_domain::Rejection),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] synx_log::LogError),
    /// The log does not say that it has a command. In a log of several nodes it may still come: the same id is done once.
    #[error("it is not confirmed: {0}")]
    NotConfirmed(std::sync::Arc<synx_log::LogError>),
    /// The cluster failed.
    #[error(transparent)]
    Cluster(#[from] synx_cluster::ClusterError),
    /// The network failed.
    #[error(transparent)]
    Net(#[from] synx_net::NetError),
    /// Decoding failed.
    #[error(transparent)]
    Media(#[from] synx_media::MediaError),
    /// Analysis failed.
    #[error(transparent)]
    Analysis(#[from] synx_analysis::AnalysisError),
    /// A worker has no result for a file.
    #[error(transparent)]
    Work(#[from] crate::worker::WorkError),
    /// Audio output failed.
    #[error(transparent)]
    Playback(#[from] synx_playback::PlaybackError),
    /// A device could not be calibrated.
    #[error(transparent)]
    Calibration(#[from] synx_playback::CalibrationError),
    /// The host answered a command with an error.
    #[error("{message}")]
    Refused {
        /// The host's code.
        code: String,
        /// The host's words.
        message: String,
    },
    /// The instance is shutting down.
    #[error("this instance is closing")]
    Closing,
}

impl NodeError {
    /// Stable code for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::NoHome => "no_home",
            Self::DataDir { source, .. } if cannot_write(source) => "data_dir_read_only",
            Self::DataDir { source, .. } if is_full(source) => "disk_full",
            Self::DataDir { .. } => "data_dir",
            Self::DataDirInUse { .. } => "data_dir_in_use",
            Self::File { source, .. } => disk::file_code(source),
            Self::OpenLog { source, .. } => source.code(),
            Self::OpenLibrary { source, .. } | Self::Library { source, .. } => library_code(source),
            Self::NotLoopback { .. } => "not_loopback",
            Self::Listen { .. } => "listen",
            Self::BadFilter(_) => "bad_filter",
            Self::BadValue { .. } => "bad_value",
            Self::NoSuchPlaylist => "no_such_playlist",
            Self::FileMissing { .. } => "file_missing",
            Self::NoRoom => "no_room",
            Self::NotHosting => "not_hosting",
            Self::NobodyKnocks => "nobody_knocks",
            Self::JoinStopped => "join_stopped",
            Self::InRoom => "in_room",
            Self::BadId(_) => "bad_id",
            Self::NoSuchTrack => "no_such_track",
            Self::NoSuchRoom => "no_such_room",
            Self::RoomServed { .. } => "room_served",
            Self::NodeSilent { .. } => "node_silent",
            Self::WhichRoom { .. } => "which_room",
            Self::NotReady { .. } => "not_ready",
            Self::NothingToPlay => "nothing_to_play",
            Self::NoAudio { .. } => "no_audio",
            Self::NotAPicture { .. } => "not_a_picture",
            Self::Rejected(rejection) => rejection.code(),
            Self::Log(error) => error.code(),
            Self::NotConfirmed(error) => error.code(),
            Self::Cluster(error) => error.code(),
            Self::Net(error) => error.code(),
            Self::Media(error) => error.code(),
            Self::Analysis(error) => error.code(),
            Self::Work(error) => error.code(),
            Self::Playback(error) => error.code(),
            Self::Calibration(error) => error.code(),
            Self::Refused { code, .. } => code,
            Self::Closing => "closing",
        }
    }
}

fn cannot_write(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What to do with a data folder that cannot be used.
fn with_the_folder(error: &io::Error) -> &'static str {
    match error {
        error if cannot_write(error) => {
            "make it writable, or choose another with --data-dir. Its rooms can be read as they are: `synx log`"
        }
        error if is_full(error) => {
            "free some space, or choose another with --data-dir. Its rooms can be read as they are: `synx log`"
        }
        _ => "choose another with --data-dir",
    }
}

fn library_code(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly) => "library_read_only",
        Some(ErrorCode::DiskFull) => "disk_full",
        _ if has_no_space(error) => "disk_full",
        _ => "library",
    }
}

/// SQLite makes an index in a file before it reads anything.
fn has_no_space(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// What to do with a library that cannot be opened.
fn with_the_library(error: &rusqlite::Error) -> &'static str {
    match (library_code(error), error.sqlite_error_code()) {
        ("library_read_only", _) => "; make it writable",
        ("disk_full", _) => "; free some space and try again",
        (_, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) => {
            "; move it away to start with an empty one: your files and rooms are not in it"
        }
        _ => "",
    }
}

impl From<CallError> for NodeError {
    fn from(error: CallError) -> Self {
        Self::Refused { code: error.code, message: error.message }
    }
}

impl From<NodeError> for CallError {
    fn from(error: NodeError) -> Self {
        Self { code: error.code().to_owned(), message: for_people(&error.to_string()) }
    }
}

/// A sentence without the number that the system gave an error beside its words: that is for the log.
pub fn for_people(text: &str) -> String {
    const NUMBER: &str = " (os error ";
    let mut parts = text.split(NUMBER);
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((digits, rest)) if digits.parse::<i32>().is_ok() => words += rest,
            _ => words.extend([NUMBER, part]),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_system_error_is_left_out_and_nothing_else() {
        let said = "cannot read \"/a\": No such file (os error 2); b: refused (os error 111), in all";
        assert_eq!(for_people(said), "cannot read \"/a\": No such file; b: refused, in all");
        for kept in ["", "os error", "a (os error x) b", "a (os error 5"] {
            assert_eq!(for_people(kept), kept);
        }
        let source = std::io::Error::from_raw_os_error(2);
        let error = NodeError::File { action: "read", path: "/a".into(), source };
        assert!(!CallError::from(error).message.contains("os error"));
    }
}
