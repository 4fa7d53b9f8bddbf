//! An event in its stored form, and the hash that ties it to all before it.
//!
//! Must never interpret a payload: what is hashed and stored are the bytes that were appended.

use std::borrow::Cow;
use std::fmt;
use synx_domain::{CommandId, EventId, RoomId, UserId};

/// Running hash of one room's log up to an event. Text form: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// The hash before a room's first event.
    pub const START: Self = Self([0; 32]);

    /// Wraps 32 stored bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the text form.
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Place in the whole log, over all rooms: 1, 2, 3 … in the order of appending.
    pub log_seq: u64,
    /// Place in the room's log: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// Unique id.
    pub event_id: EventId,
    /// The room whose log this is.
    pub room_id: RoomId,
    /// Who caused it.
    pub actor: UserId,
    /// The command that it answers.
    pub command_id: Option<CommandId>,
    /// Host's wall clock, milliseconds since 1970 UTC.
    pub occurred_at_ms: i64,
    /// As in `room.created`.
    pub name: Cow<'static, str>,
    /// Version of the payload.
    pub version: u32,
    /// The payload, JSON.
    pub data: String,
    /// Hash of this event and, through its predecessor, of all before it.
    pub hash: ChainHash,
}

impl Record {
    /// What `hash` must be if `previous` is the hash of the event before.
    ///
    /// BLAKE3 over the previous hash and every column but two: `hash` itself, and `log_seq`, which depends on what other
    /// rooms did meanwhile. So a room's hashes stay the same when it moves to another host. Fields of variable length
    /// carry their length in front, so that no two different rows have the same encoding.
    pub fn chained_to(&self, previous: ChainHash) -> ChainHash {
        let mut fixed = Vec::with_capacity(192 + self.data.len());
        fixed.extend_from_slice(previous.as_bytes());
        fixed.extend_from_slice(self.room_id.as_bytes());
        fixed.extend_from_slice(&self.seq.to_le_bytes());
        fixed.extend_from_slice(self.event_id.as_bytes());
        fixed.extend_from_slice(self.actor.as_bytes());
        match &self.command_id {
            Some(id) => {
                fixed.push(1);
                fixed.extend_from_slice(id.as_bytes());
            }
            None => fixed.push(0),
        }
        fixed.extend_from_slice(&self.occurred_at_ms.to_le_bytes());
        fixed.extend_from_slice(&self.version.to_le_bytes());
        for text in [self.name.as_bytes(), self.data.as_bytes()] {
            fixed.extend_from_slice(&(text.len() as u64).to_le_bytes());
            fixed.extend_from_slice(text);
        }
        ChainHash(*blake3::hash(&fixed).as_bytes())
    }
}

/// Where a room's log ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomHead {
    /// The room.
    pub room_id: RoomId,
    /// Its last event; as there are no gaps, also the number of its events.
    pub seq: u64,
    /// When that was, by the host's wall clock, milliseconds since 1970 UTC.
    pub last_occurred_at_ms: i64,
    /// The chain's hash there: equal hashes mean equal logs.
    pub hash: ChainHash,
}

impl RoomHead {
    /// The head of a room of which this is the last event.
    pub fn at(last: &Record) -> Self {
        let Record { room_id, seq, occurred_at_ms, hash, .. } = *last;
        Self { room_id, seq, last_occurred_at_ms: occurred_at_ms, hash }
    }
}

/// A room's state at one place of its log, in stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The room.
    pub room_id: RoomId,
    /// The last event that is in it.
    pub seq: u64,
    /// The state, JSON.
    pub data: String,
    /// BLAKE3 of the chain's hash at `seq` and `data`: a snapshot of another history, or a damaged one, is not used.
    pub digest: [u8; 32],
}

/// Where a room's log begins whose first events were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The chain's hash after the last of them: what follows goes on from it.
    pub hash: ChainHash,
    /// The room after them.
    pub state: StoredSnapshot,
}

impl Checkpoint {
    /// Whether the state is the one that was kept with this hash.
    pub fn is_sound(&self) -> bool {
        self.state.digest == StoredSnapshot::digest_over(self.hash, &self.state.data)
    }
}

impl StoredSnapshot {
    /// What `digest` must be if the chain's hash at `seq` is `hash`.
    pub fn digest_over(hash: ChainHash, data: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(hash.as_bytes()).update(data.as_bytes());
        *hasher.finalize().as_bytes()
    }
}
