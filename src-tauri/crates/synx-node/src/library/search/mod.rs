//! Lists of tracks: searched, filtered, sorted, and handed out in parts.
//!
//! A list is the ids of its tracks in order, made once for a search and an order and kept until the library changes; a part
//! of it is then a few look-ups, wherever in a hundred thousand rows it lies.

mod find;
mod order;
mod query;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use find::Ids;
pub use query::QueryError;

use crate::bridge::{ReadAsView, TrackList, TrackOrder};
use crate::error::NodeError;
use crate::library::store::{LibraryStore, StoredTrack};
use find::Finder;
use order::Orders;
use query::Query;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_domain::ContentHash;

/// Lists that are kept: one for the window, one for what plays, and the ones before.
const LISTS_KEPT: usize = 4;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Which tracks.
    pub list: TrackList,
    /// What was typed.
    pub search: String,
    /// In which order; none is the list's own.
    pub order: Option<TrackOrder>,
}

impl Wanted {
    /// The whole library, as it is shown unless another order is asked for.
    pub fn all() -> Self {
        Self { list: TrackList::All, search: String::new(), order: None }
    }
}

/// A list as it was at a revision of the library.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Of the library.
    pub revision: u64,
    /// The tracks' ids in order.
    pub ids: Arc<[i64]>,
    /// What was typed wrongly.
    pub read_as: Vec<ReadAsView>,
}

/// Makes lists, and keeps the latest.
#[derive(Debug, Default)]
pub struct Lists {
    finder: Finder,
    orders: Orders,
    kept: Mutex<Vec<(Wanted, Listed)>>,
}

impl Lists {
    /// The list that is wanted, as the library is now.
    ///
    /// # Errors
    /// A filter that means nothing, a playlist or track that is not there, or a database that cannot be read.
    pub fn list(&self, store: &LibraryStore, wanted: &Wanted) -> Result<Listed, NodeError> {
        let revision = store.revision();
        let known = self.lock().iter().find(|(of, list)| of == wanted && list.revision == revision).cloned();
        if let Some((_, list)) = known {
            return Ok(list);
        }
        let query = Query::read(&wanted.search, crate::wall_clock_ms())?;
        let scope = store.scope(&wanted.list)?;
        let (matching, read_as) = self.finder.find(store, &query, scope.as_ref())?;
        let order = match (wanted.order, scope) {
            // A list with an order of its own is in it, unless another is asked for.
            (None, Some(scope)) => scope.into(),
            (order, _) => self.orders.get(store, order.unwrap_or(order::NEWEST_FIRST), revision)?,
        };
        let ids: Arc<[i64]> = match matching {
            Some(matching) => order.iter().copied().filter(|id| matching.has(*id)).collect(),
            None => order,
        };
        let listed = Listed { revision, ids, read_as };
        let mut kept = self.lock();
        kept.retain(|(of, _)| of != wanted);
        kept.insert(0, (wanted.clone(), listed.clone()));
        kept.truncate(LISTS_KEPT);
        Ok(listed)
    }

    /// Learns what tracks are called, ahead of the search that needs it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn learn_words(&self, store: &LibraryStore) -> Result<(), NodeError> {
        self.finder.learn(store)
    }

    /// Whether the next search has the words at hand.
    #[cfg(test)]
    pub fn is_ready(&self, store: &LibraryStore) -> bool {
        self.finder.is_ready(store)
    }

    /// Keeps nothing from before.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Wanted, Listed)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed {
    /// A part of the list, with its rows as they are now. A track that is gone meanwhile is left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rows(
        &self,
        store: &LibraryStore,
        from: usize,
        count: usize,
    ) -> Result<Vec<StoredTrack>, NodeError> {
        let from = from.min(self.ids.len());
        store.by_ids(&self.ids[from..(from + count).min(self.ids.len())])
    }

    /// Where a track stands in the list.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn place_of(&self, store: &LibraryStore, hash: ContentHash) -> Result<Option<usize>, NodeError> {
        let id = store.id_of(hash)?;
        Ok(id.and_then(|id| self.ids.iter().position(|other| *other == id)))
    }
}
