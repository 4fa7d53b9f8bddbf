//! Uploads that nobody goes on with: given up after a while, so that they hold neither disk nor anybody's share of it.

use crate::room::backend::House;
use crate::room::hosted::HostedRoom;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use synx_domain::{Command, ContentHash, LeaveReason, Room, RoomEvent, RoomId, TrackState, UserId};
use synx_net::AudioStore;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// An upload to which nothing came for this long is given up: a laptop that was shut over night goes on.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(86_400);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Their bytes are kept for longer, so that every look finds out first that they are old.
const PARTS_KEPT: Duration = Duration::from_secs(86_400 + 3 * 3600);

/// What is known of an upload, wherever its bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// Nothing: somebody who may have them did not answer.
    Unknown,
    /// There are no bytes of it.
    NotBegun,
    /// When the last of them came.
    LastCame {
        /// So long ago.
        ago: Duration,
    },
}

impl Upload {
    /// As it is on this machine.
    pub fn here(audio: &AudioStore, room: RoomId, hash: ContentHash) -> Self {
        match audio.of_room(room).partial_written(hash) {
            Some(at) => Self::LastCame { ago: at.elapsed().unwrap_or_default() },
            None => Self::NotBegun,
        }
    }

    /// Whether nobody will go on with it.
    fn is_given_up(self, sender: Sender) -> bool {
        match (self, sender) {
            (Self::Unknown, _) | (Self::NotBegun, Sender::Here) => false,
            (Self::NotBegun, Sender::Gone) => true,
            (Self::NotBegun, Sender::Lost { ago }) | (Self::LastCame { ago }, _) => ago > GIVEN_UP_AFTER,
        }
    }
}

/// Whoever announced an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Here,
    /// Their connection was lost. Their bytes may lie at a node that is cut off, and they may come back.
    Lost {
        /// So long ago, as far as it was seen.
        ago: Duration,
    },
    /// They have left, or were removed.
    Gone,
}

/// Since when uploads are seen to wait for somebody whose connection was lost.
#[derive(Debug, Default)]
pub struct Waiting(HashMap<ContentHash, Instant>);

impl Waiting {
    fn sender(&mut self, room: &HostedRoom, hash: ContentHash, user: UserId) -> Sender {
        let left =
            room.with(|room| room.members.get(&user).map_or(Some(LeaveReason::Left), |member| member.left));
        match left {
            Some(LeaveReason::ConnectionLost) => {
                Sender::Lost { ago: self.0.entry(hash).or_insert_with(Instant::now).elapsed() }
            }
            left => {
                self.0.remove(&hash);
                if left.is_none() { Sender::Here } else { Sender::Gone }
            }
        }
    }
}

/// Gives uploads of a room up: looks when the room opens, and every hour.
pub async fn give_up<H: House + ?Sized>(room: Arc<HostedRoom>, house: Weak<H>) {
    let (mut looks, mut waiting) = (looks(), Waiting::default());
    loop {
        looks.tick().await;
        let Some(house) = house.upgrade() else { return };
        tokio::time::sleep(house.turn(room.id())).await;
        look(&room, &*house, &mut waiting).await;
    }
}

/// Gives up what is to be given up now.
pub async fn look<H: House + ?Sized>(room: &HostedRoom, house: &H, waiting: &mut Waiting) {
    let uploading = room.with(uploading);
    waiting.0.retain(|hash, _| uploading.iter().any(|(known, ..)| known == hash));
    for (hash, user, file_name) in uploading {
        let upload = house.upload(room.id(), hash).await;
        if !upload.is_given_up(waiting.sender(room, hash, user)) {
            continue;
        }
        let (code, reason) =
            ("upload_abandoned".to_owned(), "The upload broke off and was not gone on with.".to_owned());
        let failed = Command::FailProcessing { hash, file_name, code, reason };
        if let Err(error) = room.execute_as(user, failed).await {
            tracing::warn!(%hash, %error, "an abandoned upload stays listed");
        }
    }
}

/// Removes what has come of uploads of a room that somebody gives up, as they do: else its bytes would lie there, and count for
/// nobody's share.
pub async fn remove_given_up(room: Arc<HostedRoom>, audio: AudioStore) {
    let audio = audio.of_room(room.id());
    let mut cursor = room.log().subscribe(room.id(), room.with(|room| room.seq));
    while let Ok(envelopes) = cursor.next().await {
        for envelope in envelopes {
            let RoomEvent::ProcessingFailed { hash, code, .. } = &envelope.event else { continue };
            if code != TrackState::GIVEN_UP {
                continue;
            }
            // The room is a moment behind its log.
            if room.changes().wait_for(|seq| *seq >= envelope.seq).await.is_err() {
                return;
            }
            // It may have been announced again.
            if !room.with(|room| is_uploading(room, *hash)) {
                remove_part(audio.clone(), *hash).await;
            }
        }
    }
}

async fn remove_part(audio: AudioStore, hash: ContentHash) {
    match tokio::task::spawn_blocking(move || audio.discard_partial(hash)).await {
        Ok(Err(error)) => {
            tracing::warn!(%hash, %error, "what came of an upload that was given up stays on disk")
        }
        Ok(Ok(())) => {}
        Err(error) => tracing::debug!(%error, "a partial file was not looked at"),
    }
}

fn is_uploading(room: &Room, hash: ContentHash) -> bool {
    room.tracks.get(&hash).is_some_and(|track| matches!(track.state, TrackState::Uploading { .. }))
}

/// Removes what is left of broken transfers of any room, now and every hour.
pub async fn sweep(audio: AudioStore) {
    let mut looks = looks();
    loop {
        looks.tick().await;
        let audio = audio.clone();
        match tokio::task::spawn_blocking(move || audio.remove_stale_parts(PARTS_KEPT)).await {
            Ok(Err(error)) => tracing::warn!(%error, "what is left of broken transfers stays on disk"),
            Ok(Ok(count)) => tracing::debug!(count, "partial files removed"),
            Err(error) => tracing::debug!(%error, "partial files were not looked at"),
        }
    }
}

fn looks() -> Interval {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// Audio that was announced and is not there yet.
fn uploading(room: &Room) -> Vec<(ContentHash, UserId, String)> {
    let uploading = room.tracks.iter().filter_map(|(hash, track)| match &track.state {
        TrackState::Uploading { file_name, .. } => Some((*hash, track.shared_by, file_name.clone())),
        _ => None,
    });
    uploading.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_given_up_when_nothing_comes_and_never_when_that_is_not_known() {
        let ago = |ago| Upload::LastCame { ago };
        let day = Duration::from_secs(86_400);
        let lost = |ago| Sender::Lost { ago };
        for sender in [Sender::Here, Sender::Gone, lost(day / 2), lost(2 * day)] {
            assert!(ago(2 * day).is_given_up(sender));
            assert!(!ago(day / 2).is_given_up(sender));
            assert!(!Upload::Unknown.is_given_up(sender));
            let returns = sender == Sender::Here || sender == lost(day / 2);
            assert_eq!(Upload::NotBegun.is_given_up(sender), !returns);
        }
    }
}
