//! What happened in a room while one was not in it, told when one comes back.
//!
//! Must never read a whole log for that: the room's state, and how far it was seen before, are enough.

use crate::bridge::MissedView;
use crate::library::SeenRoom;
use crate::node::Inner;
use crate::room::stage::Stage;
use std::sync::{Mutex, MutexGuard, PoisonError};
use synx_domain::{Room, TrackState, UserId};

/// What was missed of the room one is in, and how far it is noted as seen.
#[derive(Default)]
pub struct Missed {
    kept: Mutex<(Option<MissedView>, u64)>,
}

impl Missed {
    /// What was missed, if anything was.
    pub fn view(&self) -> Option<MissedView> {
        self.lock().0.clone()
    }

    fn lock(&self) -> MutexGuard<'_, (Option<MissedView>, u64)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Looks, before a room is entered, at what has happened there since one was in it.
    pub fn look_what_was_missed(&self, stage: &Stage) {
        let Some(room) = stage.with(|room| room.id) else { return };
        let seen = self.library.store().seen_room(room).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was missed in the room is not known");
            None
        });
        let missed = seen.and_then(|seen| stage.with(|room| missed(room, self.me(), seen)));
        *self.missed.lock() = (missed, 0);
    }

    /// Notes how far a room was seen, if more of it was than is noted.
    pub fn note_seen(&self, stage: &Stage) {
        let (id, seq, notes) = stage.with(|room| (room.id, room.seq, room.comments.len() as u64));
        let Some(id) = id.filter(|_| stage.is_room() && self.missed.lock().1 != seq) else { return };
        let seen = SeenRoom { seq, notes, at_ms: crate::wall_clock_ms() };
        match self.library.store().note_seen(id, seen) {
            Ok(()) => self.missed.lock().1 = seq,
            Err(error) => tracing::warn!(%error, "how far the room was seen is not noted"),
        }
    }
}

/// What others did after an event; none for nothing.
fn missed(room: &Room, me: UserId, seen: SeenRoom) -> Option<MissedView> {
    let messages = room.chat.iter().filter(|message| message.seq > seen.seq && message.author != me);
    let tracks = room.tracks.values().filter(|track| {
        track.state == TrackState::Shared && track.since_seq > seen.seq && track.shared_by != me
    });
    let seen_notes = usize::try_from(seen.notes).unwrap_or(usize::MAX);
    let notes = room.comments.iter().skip(seen_notes).filter(|note| note.author != me);
    // That the host is there goes without saying.
    let came = room.members.iter().filter(|(user, member)| {
        member.present && member.since_seq > seen.seq && **user != me && Some(**user) != room.host
    });
    let view = MissedView {
        since_ms: seen.at_ms,
        messages: messages.count() as u32,
        tracks: tracks.count() as u32,
        notes: notes.count() as u32,
        came: came.map(|(_, member)| member.profile.name.clone()).collect(),
    };
    let anything = view.messages + view.tracks + view.notes > 0 || !view.came.is_empty();
    anything.then_some(view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::{Command, LeaveReason};
    use synx_testkit::events::{ADA, BEN, CLEO, RoomLog, hash};

    fn seen(log: &RoomLog) -> SeenRoom {
        let room = log.room();
        SeenRoom { seq: room.seq, notes: room.comments.len() as u64, at_ms: 7 }
    }

    fn says(text: &str) -> Command {
        Command::PostChatMessage { text: text.to_owned() }
    }

    fn notes(text: &str) -> Command {
        Command::AddComment {
            track: hash(1),
            position_us: 0,
            end_us: None,
            text: text.to_owned(),
            reply_to: None,
        }
    }

    #[test]
    fn what_others_did_since_one_was_there_is_missed_and_nothing_else() {
        let leave = Command::Leave { reason: LeaveReason::Left };
        let before = RoomLog::with_people()
            .shared(1)
            .did(ADA, says("before"))
            .did(ADA, notes("before"))
            .did(BEN, leave.clone());
        let before = before.did(CLEO, leave);
        let seen = seen(&before);
        let profile = |user| before.room().members[&user].profile.clone();
        let join =
            |user| Command::Join { profile: profile(user), role: synx_domain::Role::Listener, invite: None };
        let back = before.clone().did(BEN, join(BEN));
        assert_eq!(missed(back.room(), BEN, seen), None, "only oneself came back");

        let much =
            before.clone().shared(2).did(ADA, says("one")).did(ADA, says("two")).did(ADA, notes("here"));
        let much =
            much.did(CLEO, join(CLEO)).did(BEN, join(BEN)).did(BEN, says("my own")).did(BEN, notes("mine"));
        let view = missed(much.room(), BEN, seen).expect("much was missed");
        let came = vec![profile(CLEO).name];
        assert_eq!(view, MissedView { since_ms: 7, messages: 2, tracks: 1, notes: 1, came });
    }
}
