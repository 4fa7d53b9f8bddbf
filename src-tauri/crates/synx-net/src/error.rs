//! What can go wrong on the wire, each with a stable code and a sentence that says what to do.

use crate::disk;
use crate::wire::PROTOCOL_VERSION;
use std::path::PathBuf;

/// An error of the network layer.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A file or folder cannot be used.
    #[error("cannot {action} {path:?}: {source}{}", disk::what_to_do(source))]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key file does not hold a key.
    #[error("{path:?} holds no usable key: restore it from a backup, or delete it to start with a new one")]
    BadKeyFile {
        /// Which file.
        path: PathBuf,
    },
    /// The key that a file stands for is in the system's keyring, and cannot be had from there.
    #[error(
        "the key of {path:?} lies in the system's keyring, which does not give it: {reason}; start from the desktop session \
         with the keyring unlocked"
    )]
    Keyring {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The certificate could not be made or read.
    #[error("the server's certificate cannot be used: {0}")]
    Certificate(String),
    /// The port cannot be opened.
    #[error("cannot listen on {address}: {source}; choose another port with --listen")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A text that is no invite link.
    #[error("this is not a SynxSphere link: {0}; copy the whole link again")]
    BadLink(&'static str),
    /// A link that another version of the program made.
    #[error("this link is of another version of SynxSphere: update it, and ask the host to update theirs")]
    LinkVersion,
    /// A text that is no address of a host.
    #[error(
        "{0:?} is no address: write host:port, such as 192.168.1.20:7420, or https:// and the name of a proxy"
    )]
    BadAddress(String),
    /// No address of the room answered.
    #[error("the room cannot be reached: {}; check that its host is running and on the same network", attempts.join("; "))]
    Unreachable {
        /// Each address with its reason.
        attempts: Vec<String>,
    },
    /// The other side shows another certificate than the link names.
    #[error(
        "the certificate at {address} is not the one in the link: somebody may be in between; ask the host for a new link"
    )]
    WrongCertificate {
        /// Where.
        address: String,
    },
    /// The connection broke.
    #[error("the connection to the host was lost: {0}")]
    Lost(String),
    /// The host has another version of the program, and says so before anything else.
    #[error(
        "the host speaks protocol {theirs}, this program {PROTOCOL_VERSION}: update {}",
        if is_newer(*theirs) { "SynxSphere here" } else { "the host's SynxSphere" }
    )]
    OtherProtocol {
        /// The host's.
        theirs: u64,
    },
    /// The other side does not speak this protocol.
    #[error("the other side sent something unexpected: {0}; update the older side")]
    Protocol(String),
    /// The host said no.
    #[error("{message}")]
    Refused {
        /// The host's code.
        code: String,
        /// The host's words.
        message: String,
    },
    /// A token or invite is not good.
    #[error(transparent)]
    Token(#[from] crate::TokenError),
    /// The bytes are not those that the hash names.
    #[error("the file's bytes do not match its hash: it was damaged on the way and is not used; try again")]
    HashMismatch,
    /// The host sends more than it announced.
    #[error("the host sends more than the {announced_bytes} bytes that were announced: the file is not used")]
    TooLong {
        /// The announced length.
        announced_bytes: u64,
    },
    /// The file was changed while it was sent.
    #[error("{path:?} changed while it was being sent: share it again")]
    FileChanged {
        /// Which.
        path: PathBuf,
    },
    /// Discovery does not work here.
    #[error("rooms of the local network cannot be announced or found: {0}; join by link instead")]
    Discovery(String),
    /// The room connection has ended for good.
    #[error("the connection to the room has ended: join again")]
    Ended,
}

fn is_newer(protocol: u64) -> bool {
    protocol > u64::from(PROTOCOL_VERSION)
}

impl NetError {
    /// Stable code for programs; the host's own where the host refused.
    pub fn code(&self) -> &str {
        match self {
            Self::File { source, .. } => disk::file_code(source),
            Self::BadKeyFile { .. } => "bad_key_file",
            Self::Keyring { .. } => "key_in_keyring",
            Self::Certificate(_) => "certificate",
            Self::Listen { .. } => "listen",
            Self::BadLink(_) => "bad_link",
            Self::LinkVersion => "link_version",
            Self::BadAddress(_) => "bad_address",
            Self::Unreachable { .. } => "unreachable",
            Self::WrongCertificate { .. } => "wrong_certificate",
            Self::Lost(_) => "connection_lost",
            Self::OtherProtocol { theirs } if is_newer(*theirs) => "host_newer",
            Self::OtherProtocol { .. } => "host_older",
            Self::Protocol(_) => "protocol",
            Self::Refused { code, .. } => code,
            Self::Token(error) => error.code(),
            Self::HashMismatch => "hash_mismatch",
            Self::TooLong { .. } => "file_too_long",
            Self::FileChanged { .. } => "file_changed",
            Self::Discovery(_) => "discovery",
            Self::Ended => "ended",
        }
    }

    pub(crate) fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
