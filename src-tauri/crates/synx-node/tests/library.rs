//! The library of a node: watched folders, corrections, playlists, the queue, and what becomes of files that move.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_node::bridge::{
    AppView, Availability, CallError, KeyNotation, LibraryLookView, LoopView, PlayState, QueuedView, Request,
    Response, TrackColumn, TrackList, TrackOrder, TrackPageView, TrackView,
};
use synx_node::{Node, NodeConfig};

const DEMOS: [&str; 2] = ["paper-lantern.flac", "tide-line.mp3"];

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo").join(name)
}

/// A node with a music folder beside its data.
struct House {
    folder: tempfile::TempDir,
    node: Node,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("music")).unwrap();
        let node = Self::open(folder.path()).await;
        Self { folder, node }
    }

    async fn open(folder: &Path) -> Node {
        let config =
            NodeConfig { data_dir: folder.join("data"), device: Some("null".to_owned()), keyring: false };
        Node::open(config).await.unwrap()
    }

    async fn reopened(self) -> Self {
        self.node.close().await;
        let node = Self::open(self.folder.path()).await;
        Self { folder: self.folder, node }
    }

    fn music(&self, name: &str) -> PathBuf {
        self.folder.path().join("music").join(name)
    }

    fn put(&self, from: &str, name: &str) {
        let to = self.music(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(demo(from), to).unwrap();
    }

    async fn watch(&self) {
        let paths = vec![text(&self.folder.path().join("music"))];
        self.done(Request::AddToLibrary { paths, play: false }).await;
    }

    async fn done(&self, request: Request) {
        assert_eq!(self.node.call(request).await, Ok(Response::Done));
    }

    async fn refused(&self, request: Request) -> CallError {
        self.node.call(request).await.unwrap_err()
    }

    async fn list(&self, list: TrackList, search: &str) -> TrackPageView {
        let request =
            Request::ListTracks { list, search: search.to_owned(), order: None, from: 0, count: 100 };
        match self.node.call(request).await {
            Ok(Response::TrackPage { page }) => *page,
            other => panic!("no page: {other:?}"),
        }
    }

    async fn tracks(&self) -> Vec<TrackView> {
        self.list(TrackList::All, "").await.rows
    }

    async fn app(&self) -> AppView {
        match self.node.call(Request::GetApp).await {
            Ok(Response::App { app }) => *app,
            other => panic!("no app: {other:?}"),
        }
    }

    /// The tracks once something holds of them.
    async fn once(&self, what: &str, holds: impl Fn(&[TrackView]) -> bool) -> Vec<TrackView> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let tracks = self.tracks().await;
            if holds(&tracks) {
                return tracks;
            }
            assert!(Instant::now() < end, "never: {what}; there is {tracks:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn queue_once(&self, what: &str, holds: impl Fn(&[QueuedView]) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !holds(&self.app().await.queue) {
            assert!(Instant::now() < end, "never: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn all_ready(tracks: &[TrackView]) -> bool {
    tracks.iter().all(|track| track.availability == Availability::Ready)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_is_followed_and_a_moved_file_keeps_what_was_set_by_hand() {
    let house = House::new().await;
    house.put(DEMOS[0], "a/one.flac");
    house.watch().await;
    let [track] = &house.once("one track", |tracks| tracks.len() == 1 && all_ready(tracks)).await[..] else {
        panic!("one track")
    };
    let id = track.id.clone();
    house.done(Request::CorrectTempo { track: id.clone(), bpm: Some(46.0), first_beat_s: Some(0.25) }).await;
    house.done(Request::CorrectKey { track: id.clone(), key: Some("9A".to_owned()) }).await;

    house.put(DEMOS[1], "b/new.mp3");
    house.once("the new file", |tracks| tracks.len() == 2 && all_ready(tracks)).await;

    fs::create_dir(house.music("c")).unwrap();
    fs::rename(house.music("a/one.flac"), house.music("c/moved.flac")).unwrap();
    let moved =
        house.once("the moved file", |tracks| tracks.iter().any(|t| t.path.ends_with("moved.flac"))).await;
    let moved = moved.iter().find(|track| track.id == id).expect("the same track");
    assert_eq!((moved.tempo.as_ref().unwrap().bpm, moved.tempo.as_ref().unwrap().by_hand), (46.0, true));
    assert_eq!((moved.key.as_ref().unwrap().camelot.as_str(), moved.added_at_ms), ("9A", track.added_at_ms));

    fs::remove_file(house.music("c/moved.flac")).unwrap();
    house.once("the deleted file is gone", |tracks| tracks.len() == 1).await;
    house.put(DEMOS[0], "back.flac");
    let back = house.once("it came back", |tracks| tracks.len() == 2).await;
    assert!(back.iter().any(|track| track.id == id && track.key.as_ref().unwrap().by_hand));
    house.node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_takes_nothing_with_it() {
    let house = House::new().await;
    house.put(DEMOS[1], "one.mp3");
    house.watch().await;
    house.once("one track", |tracks| tracks.len() == 1).await;
    let (music, away) = (house.folder.path().join("music"), house.folder.path().join("away"));
    fs::rename(&music, &away).unwrap();
    house.once("out of reach", |tracks| tracks[0].availability == Availability::Missing).await;
    let house = house.reopened().await;
    house.once("still out of reach", |tracks| tracks[0].availability == Availability::Missing).await;
    let id = house.tracks().await[0].id.clone();
    let play = Request::PlayFrom { track: id, list: TrackList::All, search: String::new(), order: None };
    assert_eq!(house.refused(play).await.code, "file_missing");
    // A place where nothing is mounted is an empty folder.
    fs::create_dir(&music).unwrap();
    fs::rename(away.join("one.mp3"), music.join("one.mp3")).unwrap();
    let house = house.reopened().await;
    house.once("back again", |tracks| tracks.len() == 1 && all_ready(tracks)).await;
    house.node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn awkward_names_and_broken_files_are_in_the_library_with_their_reason() {
    let house = House::new().await;
    let long = format!("{}.flac", "ä".repeat(125));
    assert_eq!(long.len(), 255);
    let names =
        ["🎉 party 🪩.flac", "שלום עולם.flac", "  spaces  .flac", "50% off?.flac", "a\nb.flac", &long];
    let audio = fs::read(demo(DEMOS[0])).unwrap();
    for (number, name) in names.iter().enumerate() {
        // Each a content of its own: what follows the audio is not audio.
        let mut bytes = audio.clone();
        bytes.extend_from_slice(&[0, number as u8]);
        fs::write(house.music(name), bytes).unwrap();
    }
    fs::write(house.music("short.mp3"), [0xff; 200]).unwrap();
    fs::write(house.music("empty.wav"), []).unwrap();
    fs::write(
        house.music("broken tags.mp3"),
        [b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f".as_slice(), &[0; 64]].concat(),
    )
    .unwrap();
    fs::write(house.music("notes.txt"), "no music").unwrap();
    house.watch().await;
    let tracks = house.once("all files", |tracks| tracks.len() == names.len() + 3).await;
    let broken: Vec<_> = tracks.iter().filter(|track| track.availability == Availability::Broken).collect();
    assert_eq!(broken.len(), 3);
    for error in broken.iter().map(|track| track.error.as_ref().unwrap()) {
        assert!(error.code.starts_with("media_") && error.message.len() > 20, "{error:?}");
    }
    assert_eq!(house.app().await.library.broken, 3);
    assert_eq!(house.list(TrackList::All, "is:broken").await.total, 3);
    for search in ["party", "עולם", "spaces", "file:50"] {
        assert!(house.list(TrackList::All, search).await.total >= 1, "{search}");
    }
    let play = |id: &str| Request::PlayFrom {
        track: id.to_owned(),
        list: TrackList::All,
        search: String::new(),
        order: None,
    };
    assert_eq!(Some(house.refused(play(&broken[0].id)).await), broken[0].error);
    house.node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_tags_change_stays_the_same_track() {
    let house = House::new().await;
    house.put(DEMOS[0], "one.flac");
    house.watch().await;
    let before = house.once("one track", |tracks| tracks.len() == 1).await[0].clone();
    house.done(Request::CorrectKey { track: before.id.clone(), key: Some("1m".to_owned()) }).await;
    let create = Request::CreatePlaylist { name: "Mine".to_owned(), tracks: vec![before.id.clone()] };
    house.done(create).await;
    let mut bytes = fs::read(demo(DEMOS[0])).unwrap();
    bytes.extend_from_slice(b"as another tag would");
    fs::write(house.music("one.flac"), bytes).unwrap();
    let after = house.once("another content", |t| t.len() == 1 && t[0].id != before.id).await[0].clone();
    assert!(after.key.as_ref().is_some_and(|key| key.by_hand && key.camelot == "8A"));
    assert_eq!(after.added_at_ms, before.added_at_ms);
    assert_eq!(house.app().await.library.playlists[0].tracks, 1);
    house.node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_by_hand_must_make_sense_and_can_be_reset() {
    let house = House::new().await;
    let opened = Request::OpenFiles { paths: vec![text(&demo(DEMOS[0]))], play: false };
    house.node.call(opened).await.unwrap();
    let track = house.once("it is analysed", all_ready).await[0].clone();
    let tempo = |bpm, first_beat_s| Request::CorrectTempo { track: track.id.clone(), bpm, first_beat_s };
    let key =
        |key: Option<&str>| Request::CorrectKey { track: track.id.clone(), key: key.map(str::to_owned) };
    assert_eq!(house.refused(tempo(Some(f64::NAN), None)).await.code, "bad_value");
    assert_eq!(house.refused(tempo(Some(5.0), None)).await.code, "bad_value");
    assert_eq!(house.refused(tempo(None, Some(1e9))).await.code, "bad_value");
    assert_eq!(house.refused(key(Some("H major"))).await.code, "bad_value");
    house.done(tempo(Some(120.0), Some(1.1))).await;
    let analysis = match house.node.call(Request::GetAnalysis { track: track.id.clone() }).await.unwrap() {
        Response::Analysis { analysis } => analysis,
        other => panic!("no analysis: {other:?}"),
    };
    assert_eq!(analysis.tempo.as_ref().map(|tempo| (tempo.bpm, tempo.by_hand)), Some((120.0, true)));
    assert_eq!(analysis.found_tempo.map(|tempo| tempo.bpm), track.tempo.as_ref().map(|tempo| tempo.bpm));
    assert!((analysis.beats_s[0] - 0.1).abs() < 1e-9 && (analysis.beats_s[1] - 0.6).abs() < 1e-9);
    house.done(tempo(None, None)).await;
    let reset = house.tracks().await[0].clone();
    assert_eq!((reset.tempo, reset.key), (track.tempo, track.key));
    house.node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn playlists_are_made_changed_and_played() {
    let house = House::new().await;
    DEMOS.iter().for_each(|name| house.put(name, name));
    house.watch().await;
    let ids: Vec<_> =
        house.once("two tracks", |tracks| tracks.len() == 2).await.iter().map(|t| t.id.clone()).collect();
    assert_eq!(
        house.refused(Request::CreatePlaylist { name: " ".to_owned(), tracks: vec![] }).await.code,
        "bad_value"
    );
    house.done(Request::CreatePlaylist { name: "Late".to_owned(), tracks: ids.clone() }).await;
    let playlist = house.app().await.library.playlists[0].id;
    let list = TrackList::Playlist { playlist };
    house.done(Request::AddToPlaylist { playlist, tracks: vec![ids[0].clone()] }).await;
    house.done(Request::MoveInPlaylist { playlist, from: 1, to: 0 }).await;
    let order = |page: TrackPageView| page.rows.into_iter().map(|track| track.id).collect::<Vec<_>>();
    assert_eq!(order(house.list(list.clone(), "").await), [ids[1].clone(), ids[0].clone(), ids[0].clone()]);
    house.done(Request::RemoveFromPlaylist { playlist, place: 2 }).await;
    house.done(Request::RenamePlaylist { playlist, name: "Later".to_owned() }).await;
    let shown = &house.app().await.library.playlists[0];
    assert_eq!((shown.name.as_str(), shown.tracks), ("Later", 2));

    let play = Request::PlayFrom { track: ids[1].clone(), list, search: String::new(), order: None };
    house.done(play).await;
    house.queue_once("what follows", |queue| queue.len() == 1 && queue[0].track == ids[0]).await;
    house.done(Request::QueueTrack { track: ids[1].clone(), next: true }).await;
    house
        .queue_once("what was chosen", |queue| queue.len() == 2 && queue[0].chosen && !queue[1].chosen)
        .await;
    let second = house.app().await.queue[1].id.clone();
    house.done(Request::QueueMove { item: second, index: 0 }).await;
    house.queue_once("the other first", |queue| queue[0].track == ids[0] && queue[1].track == ids[1]).await;
    house.done(Request::SaveQueue { name: "Tonight".to_owned() }).await;
    assert_eq!(house.app().await.library.playlists[1].tracks, 3);
    house.done(Request::DeletePlaylist { playlist }).await;
    assert_eq!(house.refused(Request::DeletePlaylist { playlist }).await.code, "no_such_playlist");
    house.node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_finds_it_as_one_left_it() {
    let house = House::new().await;
    DEMOS.iter().for_each(|name| house.put(name, name));
    house.watch().await;
    let tracks = house.once("two tracks", |tracks| tracks.len() == 2 && all_ready(tracks)).await;
    let look = LibraryLookView {
        list: TrackList::All,
        list_title: String::new(),
        search: "synx".to_owned(),
        order: Some(TrackOrder { by: TrackColumn::Title, down: false }),
        columns: vec![TrackColumn::Title, TrackColumn::Bpm],
        notation: KeyNotation::OpenKey,
        covers: true,
    };
    house.done(Request::KeepLook { look: Box::new(look.clone()) }).await;
    let first = tracks.iter().find(|track| track.title == "Paper Lantern").unwrap();
    let play = Request::PlayFrom {
        track: first.id.clone(),
        list: look.list.clone(),
        search: look.search.clone(),
        order: look.order,
    };
    house.done(play).await;
    house.done(Request::Seek { position_s: 5.0 }).await;
    house.done(Request::Pause).await;
    let region = LoopView { begin_s: 4.0, end_s: 8.5 };
    house.done(Request::SetLoop { region: Some(region.clone()) }).await;
    house.done(Request::QueueTrack { track: first.id.clone(), next: false }).await;
    let house = house.reopened().await;
    let app = house.app().await;
    assert_eq!(app.look, Some(look));
    assert_eq!((app.player.state, app.player.track.as_ref()), (PlayState::Paused, Some(&first.id)));
    assert!((4.9..7.0).contains(&app.player.position_s), "{}", app.player.position_s);
    assert_eq!(app.player.loop_region, Some(region));
    assert_eq!(app.current.map(|track| track.id), Some(first.id.clone()));
    house
        .queue_once("what was queued, and what followed", |queue| {
            queue.len() == 2
                && (queue[0].chosen && queue[0].track == first.id)
                && (!queue[1].chosen && queue[1].track != first.id)
        })
        .await;
    house.node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_workers_only_what_is_played_is_analysed_until_there_are_some_again() {
    let house = House::new().await;
    house.done(Request::SetAnalysisWorkers { count: 0 }).await;
    DEMOS.iter().for_each(|name| house.put(name, name));
    house.watch().await;
    let tracks = house.once("two tracks", |tracks| tracks.len() == 2).await;
    let id = tracks[1].id.clone();
    let play =
        Request::PlayFrom { track: id.clone(), list: TrackList::All, search: String::new(), order: None };
    house.done(play).await;
    let ready = |tracks: &[TrackView], wanted: &str| {
        tracks.iter().any(|t| t.id == wanted && t.availability == Availability::Ready)
    };
    let played = house.once("what is played is analysed", |tracks| ready(tracks, &id)).await;
    assert!(!ready(&played, &tracks[0].id));
    let house = house.reopened().await;
    assert_eq!(house.app().await.library.workers, 0);
    assert!(!ready(&house.tracks().await, &tracks[0].id));
    house.done(Request::SetAnalysisWorkers { count: u32::MAX }).await;
    house.once("all are analysed", all_ready).await;
    let library = house.app().await.library;
    assert_eq!(library.workers, library.workers_most);
    house.node.close().await;
}

/// A PNG of one colour.
fn cover(colour: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(900, 900, image::Rgb([colour, 20, 20]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Puts a picture of any bytes into a file.
fn put_picture(path: &Path, bytes: Vec<u8>) {
    use lofty::picture::{MimeType, Picture, PictureType};
    use lofty::tag::TagExt;
    let mut tag = lofty::tag::Tag::new(lofty::tag::TagType::VorbisComments);
    let picture =
        Picture::unchecked(bytes).pic_type(PictureType::CoverFront).mime_type(MimeType::Png).build();
    tag.push_picture(picture);
    tag.save_to_path(path, lofty::config::WriteOptions::default()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_track_shows_its_picture_and_one_that_has_none_none() {
    let house = House::new().await;
    // An analysis would change the library meanwhile.
    house.done(Request::SetAnalysisWorkers { count: 0 }).await;
    for name in ["1 with.flac", "2 the same.flac", "3 without.flac", "4 broken.flac"] {
        house.put(DEMOS[0], name);
    }
    put_picture(&house.music("1 with.flac"), cover(200));
    put_picture(&house.music("2 the same.flac"), cover(200));
    put_picture(&house.music("4 broken.flac"), vec![0x89; 5_000]);
    // Another content than the first for all that is not its picture.
    let mut bytes = fs::read(house.music("2 the same.flac")).unwrap();
    bytes.push(0);
    fs::write(house.music("2 the same.flac"), bytes).unwrap();
    house.watch().await;
    let mut tracks = house.once("all four", |tracks| tracks.len() == 4).await;
    tracks.sort_by(|a, b| a.path.cmp(&b.path));
    let mut addresses = Vec::new();
    for track in &tracks {
        for large in [false, true] {
            match house.node.call(Request::GetPicture { track: track.id.clone(), large }).await.unwrap() {
                Response::Picture { address } => addresses.push(address),
                other => panic!("no picture: {other:?}"),
            }
        }
    }
    let [small, large, same_small, same_large, rest @ ..] = &addresses[..] else { panic!("eight") };
    assert!(small.as_ref().is_some_and(|address| address.starts_with("data:image/jpeg;base64,")));
    assert!(small.as_ref().map(String::len) < large.as_ref().map(String::len));
    assert_eq!((small, large), (same_small, same_large));
    assert_eq!(rest, [None, None, None, None]);
    // Two tracks, one picture.
    assert_eq!(fs::read_dir(house.folder.path().join("data/artwork")).unwrap().count(), 2);
    let file = house.node.picture(&tracks[0].id).await.expect("a file for the desktop");
    assert_eq!(image::open(file).unwrap().width(), 640);
    assert_eq!(house.node.picture(&tracks[2].id).await, None);

    // Pictures are only kept: what was deleted is made again.
    fs::remove_dir_all(house.folder.path().join("data/artwork")).unwrap();
    let house = house.reopened().await;
    let again = Request::GetPicture { track: tracks[0].id.clone(), large: false };
    assert_eq!(house.node.call(again).await.unwrap(), Response::Picture { address: small.clone() });
    let unknown = Request::GetPicture { track: "ab".repeat(32), large: true };
    assert_eq!(house.node.call(unknown).await.unwrap(), Response::Picture { address: None });
    house.node.close().await;
}
