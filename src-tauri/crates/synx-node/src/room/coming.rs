//! Files that the room awaits: how far each is, as the room is told meanwhile.
//!
//! Must never say that a file is on its way: that is the room's to say.

use crate::bridge::{TransferDirection, TransferView};
use std::collections::BTreeMap;
use synx_domain::{ContentHash, Room, TrackState, UserId};
use synx_net::wire::ServerMessage;
use tokio::sync::watch;

/// Bytes that have come of each file, as far as was told.
#[derive(Debug, Clone, Default)]
pub struct Coming(watch::Sender<BTreeMap<ContentHash, u64>>);

impl Coming {
    /// Takes in what is said to the room.
    pub fn take(&self, message: &ServerMessage) {
        if let ServerMessage::UploadProgress { hash, received_bytes, .. } = *message {
            self.0.send_modify(|told| {
                told.insert(hash, received_bytes);
            });
        }
    }

    /// What is told, as it changes.
    pub fn changes(&self) -> watch::Receiver<BTreeMap<ContentHash, u64>> {
        self.0.subscribe()
    }

    /// What a room awaits: from others, and from `me` what is not being sent, as it broke off when one left. What is known of
    /// other files is forgotten.
    pub fn views(&self, room: &Room, me: UserId, sends: impl Fn(&ContentHash) -> bool) -> Vec<TransferView> {
        let uploading = |hash: &ContentHash| match &room.tracks.get(hash)?.state {
            TrackState::Uploading { file_name, size_bytes } => Some((file_name, *size_bytes)),
            _ => None,
        };
        self.0.send_if_modified(|told| {
            told.retain(|hash, _| uploading(hash).is_some());
            false
        });
        let told = self.0.borrow();
        let awaited = room.tracks.iter().filter(|(hash, track)| track.shared_by != me || !sends(hash));
        let coming = awaited.filter_map(|(hash, track)| {
            let (file_name, bytes_total) = uploading(hash)?;
            Some(TransferView {
                track: hash.to_string(),
                file_name: file_name.clone(),
                direction: TransferDirection::Upload,
                user: track.shared_by.to_string(),
                bytes_done: told.get(hash).map_or(0, |bytes| (*bytes).min(bytes_total)),
                bytes_total,
                stopped: track.shared_by == me,
            })
        });
        coming.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::Command;
    use synx_testkit::events::{ADA, BEN, CLEO, RoomLog, hash};

    #[test]
    fn what_others_send_is_listed_until_the_room_says_that_it_ended() {
        let start = |n| Command::StartUpload { hash: hash(n), file_name: format!("{n}.flac"), size_bytes: 9 };
        let log = RoomLog::with_people().shared(3).did(BEN, start(1)).did(CLEO, start(2));
        let coming = Coming::default();
        coming.take(&ServerMessage::UploadProgress {
            user: BEN,
            hash: hash(1),
            received_bytes: 4,
            size_bytes: 9,
        });
        let listed = |log: &RoomLog, me| {
            let views = coming.views(log.room(), me, |_| true).into_iter();
            views.map(|view| (view.file_name, view.bytes_done)).collect::<Vec<_>>()
        };
        let (first, second) = (("1.flac".to_owned(), 4), ("2.flac".to_owned(), 0));
        assert_eq!(listed(&log, ADA), [first.clone(), second.clone()]);
        assert_eq!(listed(&log, BEN), std::slice::from_ref(&second));
        let broke_off = coming.views(log.room(), BEN, |_| false);
        let stops = broke_off.iter().map(|view| (view.bytes_done, view.stopped)).collect::<Vec<_>>();
        assert_eq!(stops, [(4, true), (0, false)], "Ben's own waits for him");
        let log = log.did(BEN, Command::GiveUpUpload { hash: hash(1) });
        assert_eq!(listed(&log, ADA), [second]);
        assert_eq!(listed(&log.did(BEN, start(1)), ADA)[0].1, 0, "it begins anew");
    }
}
