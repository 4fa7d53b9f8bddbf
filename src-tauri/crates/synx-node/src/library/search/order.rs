//! All tracks in the order of one column, kept until the library changes.

use crate::bridge::{TrackColumn, TrackOrder};
use crate::error::NodeError;
use crate::library::store::LibraryStore;
use std::sync::{Arc, Mutex, PoisonError};

/// How a library is shown unless another order is asked for. What came together stands by its place on the disk.
pub const NEWEST_FIRST: TrackOrder = TrackOrder { by: TrackColumn::Added, down: true };

/// Orders that are kept; the newest is used most.
const ORDERS_KEPT: usize = 3;

/// An order, the revision of the library that it is of, and its ids.
type Kept = (TrackOrder, u64, Arc<[i64]>);

/// The orders that were asked for last.
#[derive(Debug, Default)]
pub struct Orders {
    kept: Mutex<Vec<Kept>>,
}

impl Orders {
    /// All tracks in an order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(
        &self,
        store: &LibraryStore,
        order: TrackOrder,
        revision: u64,
    ) -> Result<Arc<[i64]>, NodeError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., ids)) = kept.iter().find(|(of, at, _)| *of == order && *at == revision) {
            return Ok(Arc::clone(ids));
        }
        let ids: Arc<[i64]> = store.in_order(column(order.by), order.down)?.into();
        kept.retain(|(of, at, _)| *of != order && *at == revision);
        kept.insert(0, (order, revision, Arc::clone(&ids)));
        kept.truncate(ORDERS_KEPT);
        Ok(ids)
    }
}

/// The columns of an order, the first of which decides what is known. All turn round together but the last.
fn column(by: TrackColumn) -> &'static [&'static str] {
    match by {
        TrackColumn::Title => &["title_key"],
        TrackColumn::Artist => &["artist_key", "album_key", "title_key"],
        TrackColumn::Album => &["album_key", "title_key"],
        TrackColumn::Duration => &["duration_us"],
        TrackColumn::Bpm => &["bpm"],
        TrackColumn::Key => &["key"],
        TrackColumn::Energy => &["energy"],
        TrackColumn::Loudness => &["loudness_lufs"],
        TrackColumn::Year => &["year"],
        TrackColumn::Added => &["added_at_ms"],
        TrackColumn::Plays => &["plays"],
        TrackColumn::Played => &["played_at_ms"],
    }
}
