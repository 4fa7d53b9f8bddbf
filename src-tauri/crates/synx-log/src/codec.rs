//! Events to stored form and back.
//!
//! Must never store what would not read back as the same event: one such row would make its room unreadable.

use crate::{ChainHash, LogError, Record, Upcasters};
use std::borrow::Cow;
use synx_domain::{Envelope, NewEvent, RoomEvent, RoomId};

/// An event that is ready to be stored.
#[derive(Debug)]
pub(crate) struct Draft {
    pub event: NewEvent,
    pub name: Cow<'static, str>,
    pub version: u32,
    pub data: String,
    /// For an event that comes from another log: the hash it had there, and must have here.
    pub hash: Option<ChainHash>,
}

impl Draft {
    /// Writes an event down.
    pub(crate) fn of(event: NewEvent) -> Result<Self, LogError> {
        let name = event.event.name();
        let refused = |detail| LogError::NotStorable { name: name.name, detail };
        let tagged = serde_json::to_string(&event.event).map_err(|error| refused(error.to_string()))?;
        let data = untagged(name.name, &tagged)
            .ok_or_else(|| refused("it is not written as its name and its data".to_owned()))?
            .to_owned();
        match serde_json::from_str::<RoomEvent>(&tagged) {
            Ok(read) if read == event.event => {}
            Ok(_) => return Err(refused("it would be read back as another event".to_owned())),
            Err(error) => return Err(refused(error.to_string())),
        }
        Ok(Self { event, name: Cow::Borrowed(name.name), version: name.version, data, hash: None })
    }

    /// An event of another log, which is to be stored with the very same bytes.
    pub(crate) fn from_elsewhere(record: Record, upcasters: &Upcasters) -> Result<Self, LogError> {
        let Record { room_id, seq, event_id, name, version, actor, command_id, .. } = record;
        let event = decode(upcasters, room_id, seq, &name, version, &record.data)?;
        let event = NewEvent { event_id, actor, command_id, occurred_at_ms: record.occurred_at_ms, event };
        Ok(Self { event, name, version, data: record.data, hash: Some(record.hash) })
    }
}

/// The payload alone, of an event as serde writes it. Must be the reverse of what [`decode_current`] does.
fn untagged<'a>(name: &str, tagged: &'a str) -> Option<&'a str> {
    let data = tagged.strip_prefix(r#"{"name":""#)?.strip_prefix(name)?.strip_prefix(r#"","data":"#)?;
    data.strip_suffix('}')
}

/// Puts the tag back and reads: with the tag in front serde needs no buffer for the payload.
fn decode_current(name: &str, data: &str) -> serde_json::Result<RoomEvent> {
    let name = serde_json::to_string(name)?;
    let mut tagged = String::with_capacity(name.len() + data.len() + 20);
    for part in [r#"{"name":"#, &name, r#","data":"#, data, "}"] {
        tagged.push_str(part);
    }
    serde_json::from_str(&tagged)
}

/// Reads a payload of any version that this program knows.
pub(crate) fn decode(
    upcasters: &Upcasters,
    room: RoomId,
    seq: u64,
    name: &str,
    version: u32,
    data: &str,
) -> Result<RoomEvent, LogError> {
    let undecodable = |detail| LogError::UndecodableEvent { room, seq, name: name.to_owned(), detail };
    let raised = upcasters.raise(name, version, data).transpose().map_err(undecodable)?;
    let (raised_version, data) =
        raised.map_or((version, Cow::Borrowed(data)), |(version, data)| (version, Cow::Owned(data)));
    let unknown = format!("unknown variant `{name}`");
    let event = decode_current(name, &data).map_err(|error| match error.to_string() {
        detail if detail.starts_with(&unknown) => LogError::UnknownEvent { room, seq, name: name.to_owned() },
        detail => undecodable(detail),
    })?;
    let supported = event.name().version;
    if raised_version == supported {
        Ok(event)
    } else {
        Err(LogError::UnknownVersion { room, seq, name: name.to_owned(), version, supported })
    }
}

/// A stored event as the rest of the program sees it.
pub(crate) fn envelope(upcasters: &Upcasters, record: &Record) -> Result<Envelope, LogError> {
    let Record { room_id, seq, name, version, data, .. } = record;
    Ok(Envelope {
        seq: *seq,
        event_id: record.event_id,
        room_id: *room_id,
        actor: record.actor,
        command_id: record.command_id,
        occurred_at_ms: record.occurred_at_ms,
        event: decode(upcasters, *room_id, *seq, name, *version, data)?,
    })
}
