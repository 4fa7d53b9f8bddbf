//! Rooms from their logs: the latest usable snapshot, and what came after it.
//!
//! Must never trust a snapshot over the log: one that does not belong to this very history is passed over.

use crate::inbox::Job;
use crate::{Access, Checkpoint, EventStore, Log, LogError, StoredSnapshot};
use synx_domain::{Room, RoomId, RoomSnapshot};
use tokio::sync::oneshot;

/// Events that are read at once while replaying.
const PAGE_EVENTS: usize = 2048;
/// A replay of more events than this to the present leaves a snapshot behind: about 20 ms of work the next time.
const SNAPSHOT_AFTER_EVENTS: u64 = 10_000;

impl Log {
    /// The room as it was after event `to_seq`, or as it is now. A long replay to the present leaves a snapshot behind.
    ///
    /// # Errors
    /// [`LogError::BeyondHead`]; else when the store cannot be read, or holds an event that this program does not know.
    pub async fn fold(&self, room: RoomId, to_seq: Option<u64>) -> Result<Room, LogError> {
        let head = self.head(room)?;
        let wanted = to_seq.unwrap_or(head);
        if wanted > head {
            return Err(LogError::BeyondHead { room, wanted, head });
        }
        let mut state = self.with_store(move |store| latest_snapshot(store, room, wanted)).await?;
        let replayed_from = state.seq;
        while state.seq < wanted {
            let left = usize::try_from(wanted - state.seq).unwrap_or(PAGE_EVENTS);
            let page = self.read(room, state.seq, left.min(PAGE_EVENTS)).await?;
            let next = state.seq + 1;
            if page.first().is_none_or(|envelope| envelope.seq != next) {
                return Err(LogError::Corrupt { detail: format!("event {next} of room {room} is missing") });
            }
            page.iter().for_each(|envelope| state.apply(envelope));
        }
        if to_seq.is_none()
            && self.options().access != Access::ReadOnly
            && wanted - replayed_from > SNAPSHOT_AFTER_EVENTS
            && let Err(error) = self.save_snapshot(room, &RoomSnapshot::of(&state)).await
        {
            tracing::warn!(%error, %room, "a snapshot could not be kept; the next start will take as long");
        }
        Ok(state)
    }

    /// Keeps a snapshot of the room, so that a fold need not replay what is before it.
    ///
    /// # Errors
    /// When the snapshot is of another room or a later event than there is, or cannot be stored.
    pub async fn save_snapshot(&self, room: RoomId, snapshot: &RoomSnapshot) -> Result<(), LogError> {
        let (seq, head) = (snapshot.room.seq, self.head(room)?);
        if seq > head {
            return Err(LogError::BeyondHead { room, wanted: seq, head });
        }
        let refused = |detail: &str| LogError::BadSnapshot { room, detail: detail.to_owned() };
        if snapshot.room.id != Some(room) || seq == 0 {
            return Err(refused("it is of another room, or of none"));
        }
        let data = serde_json::to_string(snapshot).map_err(|error| refused(&error.to_string()))?;
        let stored = self
            .with_store(move |store| {
                let record = store.read(room, seq - 1, 1, 1)?.pop();
                Ok(record.map(|record| {
                    let digest = StoredSnapshot::digest_over(record.hash, &data);
                    StoredSnapshot { room_id: room, seq, data, digest }
                }))
            })
            .await?
            .ok_or_else(|| refused("its event is not there"))?;
        let (answer, answered) = oneshot::channel();
        self.push(Job::Snapshot(stored, answer))?;
        answered.await.unwrap_or(Err(LogError::Closed))
    }
}

/// The latest state at or before a place that belongs to this history; the empty room if there is none.
fn latest_snapshot(store: &dyn EventStore, room: RoomId, mut at_or_before: u64) -> Result<Room, LogError> {
    while let Some(snapshot) = store.snapshot(room, at_or_before)? {
        if let Some(state) = usable(store, &snapshot)? {
            return Ok(state);
        }
        tracing::warn!(%room, seq = snapshot.seq, "a snapshot cannot be used and is passed over");
        match snapshot.seq.checked_sub(1) {
            Some(before) => at_or_before = before,
            None => break,
        }
    }
    store
        .checkpoint(room)?
        .map_or_else(|| Ok(Room::default()), |checkpoint| beginning(&checkpoint, at_or_before))
}

/// The room where its log begins whose first events were dropped. There is nothing to fall back on.
fn beginning(checkpoint: &Checkpoint, at_or_before: u64) -> Result<Room, LogError> {
    let StoredSnapshot { room_id: room, seq, .. } = checkpoint.state;
    if seq > at_or_before {
        return Err(LogError::HistoryDropped { room, through: seq });
    }
    if !checkpoint.is_sound() {
        let detail = format!("the state of room {room} where its log begins is not what was kept");
        return Err(LogError::Corrupt { detail });
    }
    state(&checkpoint.state).map_err(|detail| LogError::BadSnapshot { room, detail })
}

fn usable(store: &dyn EventStore, snapshot: &StoredSnapshot) -> Result<Option<Room>, LogError> {
    let before = snapshot.seq.saturating_sub(1);
    let Some(record) = store.read(snapshot.room_id, before, 1, 1)?.pop() else { return Ok(None) };
    if snapshot.digest != StoredSnapshot::digest_over(record.hash, &snapshot.data) {
        return Ok(None);
    }
    Ok(state(snapshot).ok())
}

fn state(snapshot: &StoredSnapshot) -> Result<Room, String> {
    let parsed = serde_json::from_str::<RoomSnapshot>(&snapshot.data).map_err(|error| error.to_string())?;
    let room = parsed.into_room().map_err(|error| error.to_string())?;
    let fits = room.seq == snapshot.seq && room.id == Some(snapshot.room_id);
    if fits { Ok(room) } else { Err("it is of another room or place".to_owned()) }
}
