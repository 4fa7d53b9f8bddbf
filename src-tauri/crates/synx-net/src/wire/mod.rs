//! Messages as they are on the wire: JSON text frames `{"type": …}`, specified in docs/protocol.md.
//!
//! Must never let an unknown message pass for a known one: unknown fields are ignored, unknown types are refused by name.

mod client;
mod event;
mod server;

pub use client::{ClientMessage, Request};
pub use event::{EventBody, EventHeader, EventMessage};
pub use server::{Alone, CutOff, Knocker, ServerMessage, SyncReport};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The protocol's version. It grows when an old peer could no longer understand a new one.
pub const PROTOCOL_VERSION: u32 = 1;

/// A frame that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not JSON, or no `type` in it.
    #[error("this frame is no message: expected a JSON object with a \"type\"")]
    NotAMessage,
    /// A type that this version does not know.
    #[error("unknown message type {0:?}")]
    UnknownType(String),
    /// A known type whose fields do not fit.
    #[error("{kind} cannot be read: {problem}")]
    Malformed {
        /// The message's type.
        kind: String,
        /// What is wrong.
        problem: String,
    },
}

impl WireError {
    /// Stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAMessage => "not_a_message",
            Self::UnknownType(_) => "unknown_type",
            Self::Malformed { .. } => "malformed",
        }
    }
}

/// The longest type name that an error repeats.
const SHOWN_CHARS: usize = 60;

fn kind_of(text: &str) -> Result<String, WireError> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    // serde would read a list as an object whose fields come in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(WireError::NotAMessage);
    }
    serde_json::from_str::<Kind>(text).map(|kind| kind.kind).map_err(|_| WireError::NotAMessage)
}

fn read<T: DeserializeOwned>(kind: &str, known: &[&str], text: &str) -> Result<T, WireError> {
    if !known.contains(&kind) {
        return Err(WireError::UnknownType(kind.chars().take(SHOWN_CHARS).collect()));
    }
    serde_json::from_str(text)
        .map_err(|error| WireError::Malformed { kind: kind.to_owned(), problem: error.to_string() })
}
