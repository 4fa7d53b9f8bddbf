//! What a host says to a peer.

use super::{EventBody, EventMessage, WireError, kind_of, read};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;
use synx_domain::{CommandId, ContentHash, Envelope, EpochId, Role, RoomSnapshot, UserId, UserProfile};

/// How well one peer plays in time. What it does not know is none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncReport {
    /// How much later than it should the sound leaves the card, in microseconds.
    pub error_us: Option<f64>,
    /// Half-width of the interval that holds room time, in microseconds.
    pub uncertainty_us: Option<f64>,
    /// Smallest round trip to the host, in microseconds.
    pub rtt_us: Option<f64>,
    /// The 99th percentile of the way from host to peer beyond the quickest, in microseconds.
    pub jitter_us: Option<f64>,
    /// From writing a frame to hearing it, in microseconds.
    pub output_latency_us: Option<f64>,
    /// Rate correction of the resampler, in parts per million.
    pub ratio_ppm: Option<f64>,
    /// Times the card ran dry.
    pub xruns: u64,
    /// Whether the current track's bytes are there.
    pub has_track: bool,
    /// What is here whole of the audio that is needed soonest, at most [`SyncReport::HAS_MOST`] of it: none when the peer
    /// does not say. Where the room waits for everybody, what is missing here is waited for.
    #[serde(deserialize_with = "few")]
    pub has: Option<Vec<ContentHash>>,
    /// Where the peer listens by itself while the room goes on; none when it hears what the room hears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
}

/// Where somebody is in a track of the room that they listen to by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alone {
    /// Which track.
    pub track: ContentHash,
    /// Where in it, when the report was made.
    pub position_us: i64,
    /// Whether it goes on from there.
    pub playing: bool,
}

impl SyncReport {
    /// The current track, the next, and what a later version may want to name; others hear of each of them every second.
    pub const HAS_MOST: usize = 4;
}

/// The first of what a peer names.
fn few<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Vec<ContentHash>>, D::Error> {
    let mut has: Option<Vec<ContentHash>> = Option::deserialize(reader)?;
    if let Some(has) = &mut has {
        has.truncate(SyncReport::HAS_MOST);
    }
    Ok(has)
}

/// Why a connection was ended that took nothing any more, not even the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    /// Stable code.
    pub code: String,
    /// Why, for a person.
    pub reason: String,
}

/// Somebody who asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knocker {
    /// Who.
    pub user: UserId,
    /// How they appear.
    pub profile: UserProfile,
    /// What their invite gives.
    pub role: Role,
    /// Since when, milliseconds since 1970 UTC.
    pub since_ms: i64,
}

/// A message to a peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The peer is in; what it missed follows as events.
    RoomJoined {
        /// The protocol's version at the host.
        protocol: u32,
        /// Who the peer is.
        you: UserId,
        /// What the peer may do.
        role: Role,
        /// The room's state; none when the events after the peer's `last_seq` follow instead.
        snapshot: Option<Arc<RoomSnapshot>>,
        /// The last event of the log now.
        head_seq: u64,
        /// The host run that room time counts in.
        epoch: EpochId,
        /// Room time now, in microseconds; only roughly, as this message travels. `/clock` gives it exactly.
        room_time_us: i64,
        /// Why the host cut off an earlier connection of this person, which could not be told so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut_off: Option<CutOff>,
    },
    /// A command is done, or changed nothing because it was so already.
    Ok {
        /// Which command.
        id: CommandId,
        /// Its last event.
        seq: u64,
    },
    /// Something was refused.
    Error {
        /// The command that is meant, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<CommandId>,
        /// Stable code.
        code: String,
        /// What went wrong and what to do, for a person.
        message: String,
    },
    /// The host is being asked whether the peer may come in: the answer to `join_room` takes its time.
    Waiting {
        /// For a person.
        message: String,
        /// How long the host is waited for, in seconds.
        patience_s: u64,
    },
    /// A fresh session token in place of the present one.
    Token {
        /// The token.
        token: String,
    },
    /// How well everybody plays in time.
    SyncReports {
        /// The last report of each.
        reports: Vec<(UserId, SyncReport)>,
    },
    /// How far an upload has come.
    UploadProgress {
        /// Whose.
        user: UserId,
        /// Which audio.
        hash: ContentHash,
        /// Bytes that are at the host.
        received_bytes: u64,
        /// Bytes in all.
        size_bytes: u64,
    },
    /// Somebody is writing.
    Typing {
        /// Who.
        user: UserId,
    },
    /// Who waits to be let in, all of them, whenever that changes: for the room's host alone, wherever they are.
    Knocks {
        /// Oldest first.
        knocks: Vec<Knocker>,
    },
    /// The host ends this connection; no reconnect unless `reconnect` says so.
    Bye {
        /// Stable code.
        code: String,
        /// Why, for a person.
        reason: String,
        /// Whether to come back.
        #[serde(default)]
        reconnect: bool,
    },
    /// An event of the room's log, under the event's own type.
    #[serde(untagged)]
    Event(EventMessage),
}

impl ServerMessage {
    const NAMES: &[&str] = &[
        "room_joined",
        "ok",
        "error",
        "waiting",
        "token",
        "sync_reports",
        "upload_progress",
        "typing",
        "knocks",
        "bye",
    ];

    /// Everybody's reports.
    pub fn sync_reports(reports: Vec<(UserId, SyncReport)>) -> Self {
        Self::SyncReports { reports }
    }

    /// A refusal.
    pub fn error(id: Option<CommandId>, code: &str, message: impl Into<String>) -> Self {
        Self::Error { id, code: code.to_owned(), message: message.into() }
    }

    /// The text of the frame.
    pub fn encode(&self) -> String {
        // Every message is a JSON object with text keys: this cannot fail, and an empty frame is refused by the reader.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Writes the text of the frame behind what is there.
    pub(crate) fn encode_into(&self, to: &mut Vec<u8>) {
        // As above.
        drop(serde_json::to_writer(to, self));
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// What is no message of this protocol version.
    pub fn decode(text: &str) -> Result<Self, WireError> {
        let kind = kind_of(text)?;
        if EventBody::NAMES.contains(&kind.as_str()) {
            return read(&kind, EventBody::NAMES, text).map(Self::Event);
        }
        read(&kind, Self::NAMES, text)
    }
}

impl From<&Envelope> for ServerMessage {
    fn from(envelope: &Envelope) -> Self {
        Self::Event(envelope.into())
    }
}
