//! From one stage to the next: alone, in a room, alone again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_node::bridge::{
    AloneView, AppView, LanguageView, LoopView, NodeEvent, PlayState, PlaybackControlView, Request, Response,
    RoleView, RoomSettingsView, RoomTrackState, VisibilityView,
};
use synx_node::{HostOptions, Node, NodeConfig};
use tokio::sync::broadcast::Receiver;

fn demo_track() -> String {
    demo("tide-line.mp3")
}

fn demo(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo").join(name);
    path.to_str().unwrap().to_owned()
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn open(folder: &Path) -> Node {
    Node::open(NodeConfig { data_dir: folder.to_owned(), device: Some("null".to_owned()), keyring: false })
        .await
        .unwrap()
}

async fn host(node: &Node) {
    let settings = RoomSettingsView {
        name: "Friday".to_owned(),
        visibility: VisibilityView::Private,
        max_participants: 8,
        genres: Vec::new(),
        playback_control: PlaybackControlView::Djs,
        storage: None,
        wait_for_all: None,
        archive_after_days: None,
    };
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let options = HostOptions { settings, listen, tls: true, public_address: None, room: None };
    node.host(options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_music_of_a_room_stops_when_it_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    host(&node).await;
    node.call(Request::ShareFiles { paths: vec![demo_track()] }).await.unwrap();
    let is_ready = |node: &Node| {
        node.room().is_some_and(|room| room.tracks.iter().any(|track| track.state == RoomTrackState::Ready))
    };
    eventually("the track is there", || is_ready(&node)).await;
    node.call(Request::Play { track: None }).await.unwrap();
    eventually("it plays", || node.measure().state == "playing").await;
    node.call(Request::LeaveRoom).await.unwrap();
    eventually("it is silent", || node.measure().state == "idle").await;
    node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_is_free_once_its_instance_has_closed_whoever_still_holds_that() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    host(&node).await;
    node.call(Request::ShareFiles { paths: vec![demo_track()] }).await.unwrap();
    let held = node.clone();
    node.close().await;
    open(folder.path()).await.close().await;
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_begins_in_silence_whatever_was_played_before() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    node.call(Request::OpenFiles { paths: vec![demo_track()], play: true }).await.unwrap();
    eventually("it plays", || node.measure().state == "playing").await;
    host(&node).await;
    eventually("it is silent", || node.measure().state == "idle").await;
    node.close().await;
}

async fn app(node: &Node) -> AppView {
    let Response::App { app } = node.call(Request::GetApp).await.unwrap() else { panic!("no app") };
    *app
}

/// Looks at a node until it shows what is waited for.
async fn once<T>(node: &Node, what: &str, found: impl Fn(AppView) -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = found(app(node).await) {
            return found;
        }
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A room of two with two tracks, of which the first plays; the ids of both.
async fn room_of_two(ana: &Node, ben: &Node) -> [String; 2] {
    host(ana).await;
    let paths = vec![demo_track(), demo("paper-lantern.flac")];
    ana.call(Request::ShareFiles { paths }).await.unwrap();
    let link = once(ana, "a link", |app| app.room?.link).await;
    ben.call(Request::JoinRoom { link, address: None, leaving: None }).await.unwrap();
    let here = |app: AppView| {
        let room = app.room?;
        let ready: Vec<_> = room
            .tracks
            .iter()
            .filter(|track| track.state == RoomTrackState::Ready)
            .map(|track| &track.id)
            .collect();
        let queued = room.queue.iter().map(|item| item.track.clone());
        (ready.len() == 2).then(|| queued.collect::<Vec<_>>())
    };
    let tracks = once(ben, "both tracks at Ben's", here).await;
    ana.call(Request::Play { track: None }).await.unwrap();
    // The demo tracks are short, and this one shall not end meanwhile.
    ana.call(Request::SetLoop { region: Some(LoopView { begin_s: 0.0, end_s: 4.0 }) }).await.unwrap();
    once(ben, "the room's music", |app| (app.player.state == PlayState::Playing).then_some(())).await;
    tracks.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listens_alone_while_the_room_goes_on_and_the_others_see_where() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (ana, ben) = (open(folders[0].path()).await, open(folders[1].path()).await);
    let [first, second] = room_of_two(&ana, &ben).await;
    // What the analysis finds is written into the log when it is found.
    let analysed = |app: AppView| app.room?.tracks.iter().all(|track| track.energy.is_some()).then_some(());
    once(&ana, "both tracks analysed", analysed).await;
    let seq = ana.room().unwrap().seq;

    ben.call(Request::ListenAlone { track: second.clone() }).await.unwrap();
    ben.call(Request::Seek { position_s: 5.0 }).await.unwrap();
    let player = app(&ben).await.player;
    assert!(player.alone && player.track.as_ref() == Some(&second) && player.position_s >= 5.0, "{player:?}");
    let at_ben = |app: AppView| {
        let me = app.profile.user;
        app.sync
            .into_iter()
            .filter(|peer| peer.user != me)
            .find_map(|peer| Some((peer.error_us, peer.alone?)))
    };
    let (error_us, alone) = once(&ana, "where Ben is", at_ben).await;
    assert!(alone.track == second && alone.playing && alone.position_s >= 5.0, "{alone:?}");
    assert_eq!(error_us, None, "who listens alone is not out of time");

    // His buttons are for what he hears.
    ben.call(Request::Pause).await.unwrap();
    let paused = |AloneView { playing, .. }| (!playing).then_some(());
    once(&ana, "that Ben pauses", |app| at_ben(app).and_then(|(_, alone)| paused(alone))).await;
    let player = app(&ana).await.player;
    assert!(player.state == PlayState::Playing && !player.alone && player.track.as_ref() == Some(&first));
    assert_eq!(ana.room().unwrap().seq, seq, "nothing of it is in the log");

    // At the end of the track the room is heard again, and so it is when somebody asks for it.
    ben.call(Request::Play { track: None }).await.unwrap();
    let length_s = app(&ben).await.player.duration_s;
    ben.call(Request::Seek { position_s: length_s - 0.2 }).await.unwrap();
    let together =
        |app: AppView| (!app.player.alone && app.player.track.as_ref() == Some(&first)).then_some(());
    once(&ben, "the room's music again", together).await;
    once(&ana, "that Ben is back", |app| at_ben(app).is_none().then_some(())).await;
    ben.call(Request::ListenAlone { track: second }).await.unwrap();
    ben.call(Request::ListenTogether).await.unwrap();
    once(&ben, "the room's music", together).await;
    ben.close().await;
    ana.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_a_track_that_the_room_does_not_share() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (ana, ben) = (open(folders[0].path()).await, open(folders[1].path()).await);
    let [_, second] = room_of_two(&ana, &ben).await;
    let own = folders[1].path().join("of his own.mp3");
    let audio = std::fs::read(demo_track()).unwrap();
    std::fs::write(&own, [audio, vec![0; 64]].concat()).unwrap();
    let paths = vec![own.to_str().unwrap().to_owned()];
    let opened = ben.call(Request::OpenFiles { paths, play: false }).await.unwrap();
    let Response::Tracks { tracks } = opened else { panic!("no tracks") };
    let mut events = ana.subscribe();
    ben.call(Request::ListenAlone { track: tracks[0].id.clone() }).await.unwrap();
    assert!(app(&ben).await.player.alone);
    let silent = |app: AppView| {
        let me = app.profile.user;
        app.sync.iter().any(|peer| peer.user != me && peer.error_us.is_none()).then_some(())
    };
    once(&ana, "that Ben does not hear the room", silent).await;
    ben.call(Request::ListenAlone { track: second.clone() }).await.unwrap();
    let told = async {
        loop {
            if let NodeEvent::SyncMeasured { peers } = events.recv().await.unwrap()
                && let Some(alone) = peers.into_iter().find_map(|peer| peer.alone)
            {
                return alone;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await.expect("Ana hears of Ben");
    assert_eq!(told.track, second);
    // Alone with one's library there is no room to leave.
    ben.call(Request::LeaveRoom).await.unwrap();
    assert!(!app(&ben).await.player.alone);
    assert_eq!(ben.call(Request::ListenAlone { track: second }).await.unwrap_err().code, "no_room");
    ben.close().await;
    ana.close().await;
}

/// What is told of the chat before the room itself is there.
async fn told_before_the_room(events: &mut Receiver<NodeEvent>) -> Vec<String> {
    let told = async {
        let mut said = Vec::new();
        loop {
            match events.recv().await.unwrap() {
                NodeEvent::ChatAppended { messages } => said.extend(messages.into_iter().map(|one| one.text)),
                NodeEvent::RoomChanged { room: Some(_) } => return said,
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("a room that was entered")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_or_comes_back_sees_what_was_said_before() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (ana, ben) = (open(folders[0].path()).await, open(folders[1].path()).await);
    host(&ana).await;
    let say = async |text: &str| ana.call(Request::SendChat { text: text.to_owned() }).await.unwrap();
    say("Who comes?").await;
    let link = once(&ana, "a link", |app| app.room?.link).await;
    let mut events = ben.subscribe();
    ben.call(Request::JoinRoom { link: link.clone(), address: None, leaving: None }).await.unwrap();
    assert_eq!(told_before_the_room(&mut events).await, ["Who comes?"]);
    ben.call(Request::LeaveRoom).await.unwrap();
    say("Come back.").await;
    let mut events = ben.subscribe();
    ben.call(Request::JoinRoom { link, address: None, leaving: None }).await.unwrap();
    assert_eq!(told_before_the_room(&mut events).await, ["Who comes?", "Come back."]);
    ben.close().await;
    // So does who opens the own room again.
    let room = app(&ana).await.room.unwrap().id;
    ana.call(Request::LeaveRoom).await.unwrap();
    let mut events = ana.subscribe();
    ana.call(Request::ReopenRoom { room }).await.unwrap();
    assert_eq!(told_before_the_room(&mut events).await, ["Who comes?", "Come back."]);
    ana.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_opened_again_lists_nobody_who_went_with_its_end() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (ana, ben) = (open(folders[0].path()).await, open(folders[1].path()).await);
    host(&ana).await;
    let link = once(&ana, "a link", |app| app.room?.link).await;
    let mut events = ben.subscribe();
    ben.call(Request::JoinRoom { link, address: None, leaving: None }).await.unwrap();
    let room = app(&ana).await.room.unwrap().id;
    ana.call(Request::LeaveRoom).await.unwrap();
    let told = async {
        loop {
            if let NodeEvent::Notice { code, .. } = events.recv().await.unwrap() {
                return code;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await.expect("Ben is told");
    assert_eq!(told, "room_closed");
    ana.call(Request::ReopenRoom { room }).await.unwrap();
    let members = app(&ana).await.room.unwrap().members;
    let present: Vec<_> = members.iter().filter(|member| member.present).map(|member| &member.role).collect();
    assert_eq!(present, [&RoleView::Host]);
    ben.close().await;
    ana.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_somebody_is_seen_by_the_others() {
    /// One pixel.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc8!'\x07\
        \0\x02\xb6\x01\x054\xa6u\xaa\0\0\0\0IEND\xaeB`\x82";
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (ana, ben) = (open(folders[0].path()).await, open(folders[1].path()).await);
    let file = folders[1].path().join("me.png");
    std::fs::write(&file, PNG).unwrap();
    let make = |path: &str| Request::MakePortrait { path: path.to_owned() };
    let made = ben.call(make(file.to_str().unwrap())).await.unwrap();
    let Response::Portrait { picture: Some(picture) } = made else { panic!("no picture") };
    assert_eq!(ben.call(make(&demo_track())).await.unwrap_err().code, "not_a_picture");
    let mut profile = app(&ben).await.profile;
    (profile.name, profile.picture) = ("Ben".to_owned(), Some(picture.clone()));
    let user = profile.user.clone();
    ben.call(Request::UpdateProfile { profile }).await.unwrap();

    host(&ana).await;
    let link = once(&ana, "a link", |app| app.room?.link).await;
    ben.call(Request::JoinRoom { link, address: None, leaving: None }).await.unwrap();
    let marked = |app: AppView| app.room?.members.into_iter().find(|member| member.name == "Ben")?.picture;
    let mark = once(&ana, "that Ben has a picture", marked).await;
    assert!(mark.len() < 20, "what every change of the room tells is short: {mark}");
    let seen = ana.call(Request::GetPortrait { user }).await.unwrap();
    assert_eq!(seen, Response::Portrait { picture: Some(picture) });
    ben.close().await;
    ana.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_writes_for_people_follows_what_their_window_speaks() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    host(&node).await;
    let written = async || {
        let log = Request::GetLog { before_seq: None, limit: 10, kinds: Vec::new() };
        let Response::Log { entries } = node.call(log).await.unwrap() else { panic!("no log") };
        let network = node.call(Request::TestNetwork { port: None }).await.unwrap();
        let Response::Doctor { checks } = network else { panic!("no checks") };
        (entries.last().unwrap().summary.clone(), format!("{checks:?}"))
    };
    let speak = async |language| node.call(Request::Speak { language }).await.unwrap();
    let choose = async |language| node.call(Request::SetLanguage { language }).await.unwrap();
    speak(LanguageView::De).await;
    let german = written().await;
    assert!(german.0.contains("eröffnet"), "{german:?}");
    let mut events = node.subscribe();
    speak(LanguageView::En).await;
    // The tray hears of it.
    while events.recv().await.unwrap() != (NodeEvent::LanguageChanged { language: None }) {}
    let english = written().await;
    assert!(english.0.contains("opened") && english.1 != german.1, "{english:?}");
    choose(Some(LanguageView::De)).await;
    assert_eq!(written().await, german, "what was chosen comes first");
    choose(None).await;
    assert_eq!(written().await, english);
    node.close().await;
}
