//! How much a room's state may hold, so that it can always be sent to who joins.
//!
//! A full room, with every text at its longest, is about 60 MiB of JSON; peers take 64. What people add on purpose is
//! refused beyond its limit, what comes by itself (chat, who left, what failed) makes the oldest of its kind go. The log
//! keeps all of it.

use crate::{ContentHash, LeaveReason, Member, Rejection, Room, SharedTrack, TrackState, UserId};

impl Room {
    /// Messages that the state keeps.
    pub const CHAT_KEPT: usize = 500;
    /// Commands that the state recognises as already applied: more than one process can leave unanswered when it dies. What is
    /// sent again after so many others is not recognised.
    pub const COMMANDS_KEPT: usize = 5120;
    /// Comments; one member writes at most half of them.
    pub const COMMENTS_MAX: usize = 10_000;
    /// Bytes (UTF-8) of the words of all comments: 600 on average.
    pub const COMMENT_BYTES_MAX: usize = 6 << 20;
    /// Entries of the queue.
    pub const QUEUE_MAX: usize = 1000;
    /// Audio that is shared or on its way.
    pub const TRACKS_MAX: usize = 3000;
    /// Uploads of one member that have been announced and are not done: a large folder shared at once.
    pub const UPLOADS_PER_MEMBER: usize = 256;
    /// Files that could not be used.
    pub const FAILED_KEPT: usize = 100;
    /// People who left. Who left longest ago is forgotten first, listeners before DJs, and last of all those whose role the
    /// host chose. Who is forgotten is a stranger: needs an invite again, and starts as it says.
    pub const FORMER_KEPT: usize = 500;
    /// People whom the host removed.
    pub const REMOVED_KEPT: usize = 4000;

    pub(crate) fn room_for_comment(&self, author: UserId, text: &str) -> Result<(), Rejection> {
        let full = |limit, what| Rejection::TooMany { what, limit, remedy: "say it in the chat" };
        let own = self.comments.iter().filter(|comment| comment.author == author).count();
        let bytes: usize = self.comments.iter().map(|comment| comment.text.len()).sum();
        if self.comments.len() >= Self::COMMENTS_MAX {
            return Err(full(Self::COMMENTS_MAX, "comments"));
        }
        if own >= Self::COMMENTS_MAX / 2 {
            return Err(full(Self::COMMENTS_MAX / 2, "comments of one member"));
        }
        if bytes + text.len() > Self::COMMENT_BYTES_MAX {
            return Err(full(Self::COMMENT_BYTES_MAX, "bytes of comments"));
        }
        Ok(())
    }

    pub(crate) fn room_in_queue(&self) -> Result<(), Rejection> {
        if self.queue.items().len() < Self::QUEUE_MAX {
            return Ok(());
        }
        let remedy = "take some out of the queue first";
        Err(Rejection::TooMany { what: "entries in the queue", limit: Self::QUEUE_MAX, remedy })
    }

    /// Whether an upload of this length may be announced. One that is announced anew gives back what it had.
    pub(crate) fn room_for_upload(
        &self,
        user: UserId,
        hash: ContentHash,
        size_bytes: u64,
    ) -> Result<(), Rejection> {
        let others = || self.tracks.iter().filter(|(known, _)| **known != hash).map(|(_, track)| track);
        if others().filter(|track| track.is_here_or_coming()).count() >= Self::TRACKS_MAX {
            let remedy = "open another room for more";
            return Err(Rejection::TooMany { what: "tracks", limit: Self::TRACKS_MAX, remedy });
        }
        let coming = |track: &&SharedTrack| {
            track.shared_by == user && matches!(track.state, TrackState::Uploading { .. })
        };
        if others().filter(coming).count() >= Self::UPLOADS_PER_MEMBER {
            let remedy = "wait until some are done";
            let what = "unfinished uploads of one member";
            return Err(Rejection::TooMany { what, limit: Self::UPLOADS_PER_MEMBER, remedy });
        }
        let storage = self.settings.as_ref().map(|settings| settings.storage).unwrap_or_default();
        let fits = |used: u64, limit_bytes| used.saturating_add(size_bytes) <= limit_bytes;
        let used = |of: &dyn Fn(&SharedTrack) -> bool| {
            others().filter(|track| of(track)).fold(0_u64, |sum, track| sum.saturating_add(track.bytes()))
        };
        if !fits(used(&|track| track.shared_by == user), storage.member_bytes) {
            return Err(Rejection::StorageFull { whose: "your", limit_bytes: storage.member_bytes });
        }
        if !fits(used(&|_| true), storage.room_bytes) {
            return Err(Rejection::StorageFull { whose: "the room's", limit_bytes: storage.room_bytes });
        }
        Ok(())
    }

    pub(crate) fn forget_failed(&mut self) {
        let failed = self.tracks.iter().filter(|(_, track)| matches!(track.state, TrackState::Failed { .. }));
        let oldest = oldest_beyond(Self::FAILED_KEPT, failed, |track| track.since_seq);
        oldest.into_iter().for_each(|hash| drop(self.tracks.remove(&hash)));
    }

    pub(crate) fn forget_former(&mut self) {
        let gone = |of_removed: bool| {
            let host = self.host;
            self.members.iter().filter(move |(user, member)| {
                let removed = member.left == Some(LeaveReason::Removed);
                !member.present && Some(**user) != host && removed == of_removed
            })
        };
        let dear = |member: &Member| (member.role_set, member.role, member.since_seq);
        let former = oldest_beyond(Self::FORMER_KEPT, gone(false), dear);
        let removed = oldest_beyond(Self::REMOVED_KEPT, gone(true), |member| member.since_seq);
        former.into_iter().chain(removed).for_each(|user| drop(self.members.remove(&user)));
    }
}

impl SharedTrack {
    fn is_here_or_coming(&self) -> bool {
        !matches!(self.state, TrackState::Failed { .. })
    }

    /// Bytes that it has, or will have when it has come.
    fn bytes(&self) -> u64 {
        match (&self.state, &self.meta) {
            (TrackState::Uploading { size_bytes, .. }, _) => *size_bytes,
            (TrackState::Failed { .. }, _) => 0,
            (_, meta) => meta.as_ref().map_or(0, |meta| meta.size_bytes),
        }
    }
}

/// The key that goes first, if there are more than `kept`: events come one by one, so one at a time is enough.
fn oldest_beyond<'a, K: Copy + 'a, V: 'a, O: Ord>(
    kept: usize,
    all: impl Iterator<Item = (&'a K, &'a V)> + Clone,
    order: impl Fn(&V) -> O,
) -> Option<K> {
    if all.clone().count() <= kept {
        return None;
    }
    all.min_by_key(|(_, value)| order(value)).map(|(key, _)| *key)
}
