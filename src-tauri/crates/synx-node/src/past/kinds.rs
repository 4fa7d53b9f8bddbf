//! What each event of a log is about, so that those of a kind are found without a look at the rest.

use crate::bridge::LogKindView;
use synx_domain::RoomEvent;

/// The kinds of all events behind one.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    begin_seq: u64,
    /// That of the first event at 0.
    kinds: Vec<LogKindView>,
}

impl Kinds {
    /// Of no event yet, behind this one.
    pub fn after(begin_seq: u64) -> Self {
        Self { begin_seq, kinds: Vec::new() }
    }

    /// The next event.
    pub fn push(&mut self, event: &RoomEvent) {
        self.kinds.push(kind_of(event));
    }

    /// How many events of a kind lie between two.
    pub fn count(&self, kind: LogKindView, after_seq: u64, before_seq: u64) -> usize {
        let end = self.index_before(before_seq);
        let start = self.index_before(after_seq.saturating_add(1)).min(end);
        self.kinds[start..end].iter().filter(|found| **found == kind).count()
    }

    /// The last event of a kind up to one.
    pub fn last(&self, kind: LogKindView, up_to_seq: u64) -> Option<u64> {
        let up_to = &self.kinds[..self.index_before(up_to_seq.saturating_add(1))];
        up_to.iter().rposition(|found| *found == kind).map(|index| self.seq(index))
    }

    /// The newest events of some kinds before one, in their order; of all kinds where none is named.
    pub fn newest(&self, kinds: &[LogKindView], before_seq: Option<u64>, limit: usize) -> Vec<u64> {
        let end = before_seq.map_or(self.kinds.len(), |before| self.index_before(before));
        let wanted = |kind: &LogKindView| kinds.is_empty() || kinds.contains(kind);
        let newest = self.kinds[..end].iter().enumerate().rev().filter(|(_, kind)| wanted(kind));
        let mut seqs: Vec<u64> = newest.take(limit).map(|(index, _)| self.seq(index)).collect();
        seqs.reverse();
        seqs
    }

    /// Where the events before this one end.
    fn index_before(&self, seq: u64) -> usize {
        (seq.saturating_sub(1 + self.begin_seq) as usize).min(self.kinds.len())
    }

    fn seq(&self, index: usize) -> u64 {
        self.begin_seq + 1 + index as u64
    }
}

/// What an event is about, for who filters.
pub fn kind_of(event: &RoomEvent) -> LogKindView {
    match event {
        RoomEvent::UserJoined { .. }
        | RoomEvent::UserLeft { .. }
        | RoomEvent::BanLifted { .. }
        | RoomEvent::InviteCreated { .. }
        | RoomEvent::InviteRevoked { .. }
        | RoomEvent::RoleChanged { .. }
        | RoomEvent::UserCreated { .. }
        | RoomEvent::ProfileUpdated { .. }
        | RoomEvent::MusicalPreferencesUpdated { .. } => LogKindView::People,
        RoomEvent::ChatMessagePosted { .. } => LogKindView::Chat,
        RoomEvent::PlaybackSynced { .. } => LogKindView::Music,
        RoomEvent::FileShared { .. }
        | RoomEvent::QueueChanged(_)
        | RoomEvent::UploadStarted { .. }
        | RoomEvent::UploadCompleted { .. }
        | RoomEvent::AudioAnalyzed { .. }
        | RoomEvent::ProcessingFailed { .. } => LogKindView::Tracks,
        RoomEvent::CommentAdded { .. } | RoomEvent::CommentResolved { .. } => LogKindView::Notes,
        RoomEvent::RoomCreated { .. } | RoomEvent::SettingsUpdated { .. } => LogKindView::Room,
    }
}
