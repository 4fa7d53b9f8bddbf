//! What everybody is told of a file that cannot be used or kept.

use super::*;
use rusqlite::Connection;
use synx_log::{Log, LogOptions};
use synx_testkit::events::{ADA, ROOM, hash, profile, settings, track};
use tempfile::TempDir;

/// How long a loaded machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_reason_for_everybody_names_no_folder_of_the_host() {
    let path = Path::new("/home/ana/audio/ab/abcd.bin");
    let error = synx_media::probe(path).expect_err("there is no such file").into();
    let reason = public_reason(&error, path, "song.mp3");
    assert!(reason.contains("song.mp3") && !reason.contains("ana"), "{reason}");
    assert!(!reason.contains("os error"), "{reason}");
    let other = NodeError::Closing;
    assert!(public_reason(&other, path, "song.mp3").contains("song.mp3"));
}

/// Ada's room, in which an upload was announced and failed; its log takes no word of that until it is mended.
struct Failed {
    room: Arc<HostedRoom>,
    file: Connection,
    _folder: TempDir,
}

impl Failed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let room = HostedRoom::open(Log::open(&path, LogOptions::default()).unwrap(), ROOM).await.unwrap();
        let (room, file) = (Arc::new(room), Connection::open(path).unwrap());
        let create = Command::CreateRoom { profile: profile("Ada"), settings: settings() };
        let announce =
            Command::StartUpload { hash: hash(7), file_name: "song.mp3".to_owned(), size_bytes: 5 };
        for command in [create, announce] {
            room.execute_as(ADA, command).await.unwrap();
        }
        file.execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON domain_events WHEN NEW.event_name = 'audio.processing_failed'
             BEGIN SELECT RAISE(ABORT, 'full'); END",
        )
        .unwrap();
        let (failed, why) =
            (Self { room, file, _folder: folder }, unavailable("host_disk_full", "it is full"));
        HostBackend::alone(&failed.room).upload_failed(ADA, hash(7), "song.mp3".to_owned(), why).await;
        assert!(matches!(failed.state(), TrackState::Uploading { .. }));
        failed
    }

    fn mend(&self) {
        self.file.execute_batch("DROP TRIGGER full").unwrap();
    }

    fn state(&self) -> TrackState {
        self.room.with(|room| room.tracks[&hash(7)].state.clone())
    }
}

#[tokio::test]
async fn that_an_upload_failed_is_told_once_the_log_takes_it() {
    let failed = Failed::new().await;
    failed.mend();
    let known = || matches!(failed.state(), TrackState::Failed { code, .. } if code == "host_disk_full");
    let mut changes = failed.room.changes();
    let told = tokio::time::timeout(PATIENCE, changes.wait_for(|_| known())).await;
    assert!(told.is_ok(), "{:?}", failed.state());
}

#[tokio::test]
async fn that_an_upload_failed_is_not_told_once_somebody_has_brought_the_audio() {
    let failed = Failed::new().await;
    failed.room.execute_as(ADA, Command::ShareTrack { track: track(7) }).await.unwrap();
    let nobody_tells = async {
        while Arc::strong_count(&failed.room) > 1 {
            tokio::time::sleep(TELL_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, nobody_tells).await.expect("it is tried for ever");
    assert_eq!(failed.state(), TrackState::Shared);
}
