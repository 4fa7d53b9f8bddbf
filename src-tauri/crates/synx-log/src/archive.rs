//! What becomes of a room's old events: they are archived, and dropped only when somebody says so.
//!
//! Must never drop anything of a room that is not sound: what is left could not be told from what was.

use crate::{ChainHash, Checkpoint, EventStore, Log, LogError, Old, StoredSnapshot};
use synx_domain::{RoomId, RoomSnapshot};

impl Log {
    /// Moves what is old of a room's events to the archive of the log, where all reads still find it, and which takes a
    /// fraction of the space; how many events. Others append meanwhile.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when an event is not what was written: it and what follows it stay where they are.
    pub async fn archive(&self, room: RoomId, old: Old) -> Result<u64, LogError> {
        let mut moved = 0;
        loop {
            match self.with_store(move |store| store.archive(room, old)).await? {
                0 => return Ok(moved),
                events => moved += events,
            }
        }
    }

    /// Drops the room's archived events up to a place, in whole segments, for good; the last that was dropped, 0 if none
    /// was. In their place stands a checkpoint: the room's state after them, and the hash from which the chain goes on.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when the room is not sound. Nothing is dropped then.
    pub async fn drop_archive(&self, room: RoomId, through_seq: u64) -> Result<u64, LogError> {
        let report = self.verify(Some(room)).await?.pop();
        if report.is_some_and(|report| report.first_bad.is_some()) {
            return Err(LogError::Corrupt { detail: format!("room {room} is not what was written") });
        }
        let end = self.with_store(move |store| archived(store, room, through_seq)).await?;
        let Some((seq, hash)) = end else { return Ok(0) };
        let state = RoomSnapshot::of(&self.fold(room, Some(seq)).await?);
        let data = serde_json::to_string(&state)
            .map_err(|error| LogError::BadSnapshot { room, detail: error.to_string() })?;
        let digest = StoredSnapshot::digest_over(hash, &data);
        let checkpoint = Checkpoint { hash, state: StoredSnapshot { room_id: room, seq, data, digest } };
        self.with_store(move |store| store.drop_archive(&checkpoint)).await?;
        self.was_dropped(room, seq);
        Ok(seq)
    }
}

/// The last event of the last whole segment of a room up to a place, and the chain's hash there.
fn archived(
    store: &dyn EventStore,
    room: RoomId,
    through_seq: u64,
) -> Result<Option<(u64, ChainHash)>, LogError> {
    let (mut after, mut end) = (0, None);
    while let Some(segment) = store.scan_archive(room, after)? {
        if segment.room_id != room || segment.last > through_seq {
            break;
        }
        after = segment.last;
        end = segment.records?.last().map(|last| (last.seq, last.hash));
    }
    Ok(end)
}
