//! What plays next.

use crate::{CommandId, ContentHash, QueueChange, UserId};
use serde::{Deserialize, Serialize};

/// A place in the queue; the id of the command that added it. The same track may stand in the queue many times.
pub type QueueItemId = CommandId;

/// One entry of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueItem {
    /// Names this entry.
    pub id: QueueItemId,
    /// The audio.
    pub track: ContentHash,
    /// Who added it.
    pub added_by: UserId,
}

/// The queue in playing order. What is playing stays in it until it is removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Queue {
    items: Vec<QueueItem>,
}

impl Queue {
    /// The entries in playing order.
    pub fn items(&self) -> &[QueueItem] {
        &self.items
    }

    /// The entry with this id.
    pub fn get(&self, id: QueueItemId) -> Option<&QueueItem> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The entry that plays after `id`: none at the end, or when `id` is not in the queue.
    pub fn after(&self, id: QueueItemId) -> Option<&QueueItem> {
        self.items.get(self.position(id)? + 1)
    }

    /// Applies one change. What does not fit (an unknown id, one that is there already, an index past the end) is ignored or clamped.
    pub(crate) fn apply(&mut self, change: &QueueChange) {
        match change {
            // An id names one entry: a second one under it could never be told from the first.
            QueueChange::Added { item, .. } if self.get(item.id).is_some() => {}
            QueueChange::Added { item, index } => self.insert(item.clone(), *index),
            QueueChange::Removed { id } => self.items.retain(|item| item.id != *id),
            QueueChange::Moved { id, index } => {
                if let Some(from) = self.position(*id) {
                    let item = self.items.remove(from);
                    self.insert(item, *index);
                }
            }
        }
    }

    pub(crate) fn position(&self, id: QueueItemId) -> Option<usize> {
        self.items.iter().position(|item| item.id == id)
    }

    fn insert(&mut self, item: QueueItem, index: usize) {
        self.items.insert(index.min(self.items.len()), item);
    }
}
