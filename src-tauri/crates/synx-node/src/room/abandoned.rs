//! Uploads that nobody goes on with: given up after a while, so that they hold neither disk nor anybody's share of it.

use crate::room::hosted::HostedRoom;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{Command, ContentHash, Room, TrackState, UserId};
use synx_net::AudioStore;
use tokio::time::MissedTickBehavior;

/// An upload to which nothing came for this long is given up: a laptop that was shut over night goes on.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(86_400);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Looks when the room opens, and every hour.
pub async fn give_up(room: Arc<HostedRoom>, audio: AudioStore) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let of_room = audio.of_room(room.id());
        for (hash, user, file_name) in room.with(|room| stale(room, &of_room)) {
            let (code, reason) =
                ("upload_abandoned".to_owned(), "The upload broke off and was not gone on with.".to_owned());
            let failed = Command::FailProcessing { hash, file_name, code, reason };
            if let Err(error) = room.execute_as(user, failed).await {
                tracing::warn!(%hash, %error, "an abandoned upload stays listed");
            }
        }
        let audio = audio.clone();
        match tokio::task::spawn_blocking(move || audio.remove_stale_parts(GIVEN_UP_AFTER)).await {
            Ok(Err(error)) => tracing::warn!(%error, "what is left of broken transfers stays on disk"),
            Ok(Ok(count)) => tracing::debug!(count, "partial files removed"),
            Err(error) => tracing::debug!(%error, "partial files were not looked at"),
        }
    }
}

/// Announced audio of which nothing came lately, or nothing at all and whose sender is gone.
fn stale(room: &Room, audio: &AudioStore) -> Vec<(ContentHash, UserId, String)> {
    let is_stale = |hash: ContentHash, user: UserId| match audio.partial_written(hash) {
        Some(at) => at.elapsed().is_ok_and(|age| age > GIVEN_UP_AFTER),
        None => room.present(user).is_none(),
    };
    let uploading = room.tracks.iter().filter_map(|(hash, track)| match &track.state {
        TrackState::Uploading { file_name, .. } => Some((*hash, track.shared_by, file_name.clone())),
        _ => None,
    });
    uploading.filter(|(hash, user, _)| is_stale(*hash, *user)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::Role;
    use synx_testkit::events::{BEN, CLEO, RoomLog, hash};

    #[test]
    fn an_upload_is_stale_when_nothing_came_and_its_sender_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let audio = AudioStore::open(folder.path()).unwrap();
        let upload =
            |n| Command::StartUpload { hash: hash(n), file_name: format!("{n}.flac"), size_bytes: 9 };
        let log = RoomLog::open()
            .joined(BEN, "Ben", Role::Listener)
            .joined(CLEO, "Cleo", Role::Listener)
            .did(BEN, upload(1))
            .did(CLEO, upload(2))
            .did(CLEO, Command::Leave { reason: synx_domain::LeaveReason::Left });
        assert_eq!(stale(log.room(), &audio), [(hash(2), CLEO, "2.flac".to_owned())]);
    }
}
