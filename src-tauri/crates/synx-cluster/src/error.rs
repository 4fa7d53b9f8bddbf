//! What can go wrong with a cluster's log, in terms that those who run it can act on.

use crate::check::ServerFault;
use std::path::PathBuf;
use synx_log::LogError;

/// Why a cluster's log could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// An option that cannot be.
    #[error("the cluster's {option} cannot be {value:?}: {expected}")]
    BadOption {
        /// Which.
        option: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// No server answers there, or it does not let us in.
    #[error(
        "no NATS server could be reached at {servers}: {detail}; check that it runs and that the credentials are right"
    )]
    Unreachable {
        /// Where, without credentials.
        servers: String,
        /// What was said.
        detail: String,
    },
    /// The servers could lose what they have acknowledged.
    #[error("the NATS servers are not safe for a log: {}", listed(faults))]
    UnsafeServer {
        /// What is wrong, at least one.
        faults: Vec<ServerFault>,
    },
    /// The log is to be kept on more servers than there are.
    #[error(
        "the stream {stream} cannot be made, as it is to be kept on {replicas} NATS servers and fewer are there ({detail}): start the others as one NATS cluster, or ask for fewer replicas"
    )]
    TooFewServers {
        /// Its name.
        stream: String,
        /// How many were asked for.
        replicas: usize,
        /// What the servers said.
        detail: String,
    },
    /// The stream exists and is not made as a log's must be.
    #[error("the stream {stream} cannot hold a log: {}; make it anew under another name, or set it so", problems.join(", "))]
    UnfitStream {
        /// Its name.
        stream: String,
        /// What is wrong, at least one.
        problems: Vec<String>,
    },
    /// The stream was written by a later version of this program.
    #[error(
        "the stream {stream} is in format {found:?}, and this program knows formats up to {known}: run the version here that the other nodes run"
    )]
    NewerFormat {
        /// Its name.
        stream: String,
        /// The format that it is marked with.
        found: String,
        /// The latest that is known here.
        known: u32,
    },
    /// A bucket exists and could lose what the nodes share.
    #[error(
        "the bucket {bucket} cannot keep what the nodes share: {}; set it so, or name the cluster otherwise",
        problems.join(", ")
    )]
    UnfitBucket {
        /// Its name.
        bucket: String,
        /// What is wrong, at least one.
        problems: Vec<String>,
    },
    /// The stream is gone, and this node has its events: an empty one would hide the loss.
    #[error(
        "the stream {stream} is gone, but this node has {events} of its events in {}: restore the stream, or move that file away to begin anew",
        copy.display()
    )]
    StreamLost {
        /// Its name.
        stream: String,
        /// How many events the copy has.
        events: u64,
        /// The copy.
        copy: PathBuf,
    },
    /// The node's copy holds what the stream does not.
    #[error(
        "{} is not a copy of the stream {stream}, which does not have its newest event where it says; move that file away, and it is fetched anew",
        copy.display()
    )]
    ForeignCopy {
        /// The stream's name.
        stream: String,
        /// The copy.
        copy: PathBuf,
    },
    /// The server refused or did not answer a request.
    #[error("the NATS server could not {what}: {detail}")]
    Server {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        detail: String,
    },
    /// The node's copy failed.
    #[error("this node's copy of the log: {0}")]
    Copy(#[from] LogError),
}

impl ClusterError {
    /// Stable code for programs and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadOption { .. } => "cluster_option",
            Self::Unreachable { .. } => "cluster_unreachable",
            Self::UnsafeServer { .. } => "cluster_unsafe_server",
            Self::TooFewServers { .. } => "cluster_too_few_servers",
            Self::UnfitStream { .. } => "cluster_unfit_stream",
            Self::NewerFormat { .. } => "cluster_newer_format",
            Self::UnfitBucket { .. } => "cluster_unfit_bucket",
            Self::StreamLost { .. } => "cluster_stream_lost",
            Self::ForeignCopy { .. } => "cluster_foreign_copy",
            Self::Server { .. } => "cluster_server",
            Self::Copy(error) => error.code(),
        }
    }

    /// Whether nothing is wrong but that servers are missing, which may yet come.
    pub(crate) fn is_for_want_of_servers(&self) -> bool {
        match self {
            Self::TooFewServers { .. } => true,
            Self::UnsafeServer { faults } => {
                faults.iter().all(|fault| matches!(fault, ServerFault::TooFew { .. }))
            }
            _ => false,
        }
    }

    pub(crate) fn server(what: &'static str, error: &dyn std::fmt::Display) -> Self {
        Self::Server { what, detail: error.to_string() }
    }
}

/// As it looks to who appends or reads.
impl From<ClusterError> for LogError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Copy(error) => error,
            other => Self::Io { what: "use the cluster", detail: other.to_string() },
        }
    }
}

fn listed(faults: &[ServerFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
