//! The app as a person uses it: alone, in a room, and on a desktop.
#![allow(clippy::expect_used, clippy::unwrap_used)]

#[cfg(target_os = "linux")]
mod evening;

#[cfg(target_os = "linux")]
use serde_json::json;
use std::path::Path;
#[cfg(target_os = "linux")]
use synx_system_tests::Instance;
use synx_system_tests::player::DesktopPlayer;
use synx_system_tests::window::{Display, Window};
use synx_system_tests::{PATIENCE, demo_track};

/// The app that others hand their arguments to: there is one on a bus at a time.
static FIRST: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";

async fn first_run(window: &Window, name: &str) {
    window.fill("first-run-name", name).await;
    window.click("first-run-go").await;
    window.find("nav-library").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_file_is_opened_seen_and_played() {
    let display = Display::start();
    let folder = tempfile::tempdir().unwrap();
    let window = Window::open(&display, &folder.path().join("solo")).await;
    window.screenshot("first-run").await;
    first_run(&window, "Ana").await;
    window.screenshot("library-empty").await;

    window.click("open-files").await;
    window.fill("open-path", demo_track("paper-lantern.flac").to_str().unwrap()).await;
    window.click("open-path-go").await;
    window.find("library-row").await;
    window
        .until("playing", "document.querySelector('[data-testid=play]')?.dataset.state === 'playing'")
        .await;
    window
        .until("the waveform", "document.querySelector('[data-testid=waveform]')?.dataset.state === 'ready'")
        .await;
    window
        .until("a tempo", "/[0-9]/.test(document.querySelector('[data-testid=bpm]')?.textContent ?? '')")
        .await;
    window
        .until("a key", "document.querySelector('[data-testid=key]')?.textContent?.trim().length > 1")
        .await;
    window.screenshot("library-playing").await;
    window.press("play", "]").await;
    window.find("loop-region").await;
    window
        .until(
            "repeating",
            "document.querySelector('[data-testid=loop]')?.getAttribute('aria-pressed') === 'true'",
        )
        .await;
    window.screenshot("library-looping").await;
    window.click("loop").await;
    window.until("no region", "!document.querySelector('[data-testid=loop-region]')").await;
    window.click("play").await;
    window.until("paused", "document.querySelector('[data-testid=play]')?.dataset.state === 'paused'").await;
    window.close().await;
}

/// What `expression` says of the element with a test id.
fn of(id: &str, expression: &str) -> String {
    format!("document.querySelector('[data-testid={id}]')?.{expression}")
}

/// Gives a file a cover of one pixel.
fn put_picture(path: &Path) {
    use lofty::picture::{MimeType, Picture, PictureType};
    use lofty::tag::TagExt;
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc8!'\x07\
        \0\x02\xb6\x01\x054\xa6u\xaa\0\0\0\0IEND\xaeB`\x82";
    let picture = Picture::unchecked(PNG.to_vec()).pic_type(PictureType::CoverFront).mime_type(MimeType::Png);
    let mut file = lofty::read_from_path(path).unwrap();
    let tag = lofty::file::TaggedFileExt::primary_tag_mut(&mut file).expect("the demo track is tagged");
    tag.push_picture(picture.build());
    tag.save_to_path(path, lofty::config::WriteOptions::default()).unwrap();
}

/// Watches a folder with names as people have them, finds a track by a slip of the pen, and plays it.
async fn finds_and_plays(window: &Window, music: &Path) {
    std::fs::create_dir(music).unwrap();
    std::fs::copy(demo_track("paper-lantern.flac"), music.join("🎉 שלום .flac")).unwrap();
    std::fs::copy(demo_track("tide-line.mp3"), music.join(format!("{}.mp3", "ä".repeat(125)))).unwrap();
    put_picture(&music.join("🎉 שלום .flac"));
    window.click("open-files").await;
    window.fill("open-path", music.to_str().unwrap()).await;
    window.click("open-path-go").await;
    let rows = "document.querySelectorAll('[data-testid=library-row][data-state=ready]').length";
    window.until("two analysed tracks", &format!("{rows} === 2")).await;
    window.fill("library-filter", "lantren").await;
    window.until("one track", &format!("{rows} === 1")).await;
    window.press("library-row", ENTER).await;
    window.until("playing", &of("play", "dataset.state === 'playing'")).await;
    window.until("the waveform", &of("waveform", "dataset.state === 'ready'")).await;
    let drawn = "document.querySelector('footer [data-testid=cover] img')?.naturalWidth > 0";
    window.until("its picture", drawn).await;
}

/// Steers the music by the desktop's own control, which shows what plays.
async fn obeys_media_keys(window: &Window, data_dir: &Path) {
    let player = DesktopPlayer::of(data_dir);
    player.until("Metadata", "Paper Lantern");
    player.until("Metadata", "file:///");
    player.until("PlaybackStatus", "Playing");
    player.press("PlayPause", &[]);
    window.until("paused", &of("play", "dataset.state === 'paused'")).await;
    player.until("PlaybackStatus", "Paused");
    // A place in another track comes too late.
    player.press("SetPosition", &["objpath:/another", "int64:3000000"]);
    player.press("SetPosition", &[&format!("objpath:{}", player.track()), "int64:8000000"]);
    window.until("the place", &of("position", "textContent === '0:08'")).await;
    player.until("Position", "int64 8000000");
}

/// Corrects the tempo, repeats a part, sorts, and queues the other track.
async fn works_with_it(window: &Window) {
    window.click("bpm").await;
    window.click("bpm-halve").await;
    window.until("the tempo by hand", &of("bpm", "title.includes('set by you')")).await;
    window.press("bpm-value", ESCAPE).await;
    window.press("play", "[").await;
    window.find("loop-region").await;
    window.press("play", "+").await;
    window.until("the zoom is kept", "localStorage.getItem('view')").await;
    window.screenshot("alone-by-hand").await;
    window.press("library-filter", ESCAPE).await;
    window.click("sort-title").await;
    let second = "document.querySelectorAll('[data-testid=library-row]')[1]?.textContent";
    window.until("both, by title", &format!("{second}.includes('Tide Line')")).await;
    window.click("sort-title").await;
    window.until("the other way", &of("library-row", "textContent.includes('Tide Line')")).await;
    window.press("library-row", "q").await;
    window.click("up-next").await;
    window.until("it is queued", &of("queued", "textContent.includes('Tide Line')")).await;
    window.press("up-next", ESCAPE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listens_alone_and_finds_it_as_one_left_it() {
    let display = Display::start();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("alone");
    let window = Window::open(&display, &data_dir).await;
    first_run(&window, "Ana").await;
    finds_and_plays(&window, &folder.path().join("Musik – Überraschungen")).await;
    obeys_media_keys(&window, &data_dir).await;
    works_with_it(&window).await;
    let bpm = window.value(&of("bpm", "textContent")).await;
    window.resize(1000, 700).await;
    kept(&data_dir.join("settings.json"), r#""by":"title","down":true"#).await;
    DesktopPlayer::of(&data_dir).quit();
    window.close().await;

    let window = Window::open(&display, &data_dir).await;
    window.until("the track", &of("waveform", "dataset.state === 'ready'")).await;
    window.until("its size", "innerWidth === 1000 && innerHeight === 700").await;
    window.until("its place", &of("position", "textContent === '0:08'")).await;
    window.find("loop-region").await;
    let part = "[...document.querySelectorAll('[data-testid=waveform] button')].some((b) => b.textContent.trim() === 'Whole')";
    window.until("the part that was looked at", part).await;
    assert_eq!(window.value(&of("play", "dataset.state")).await, "paused");
    assert_eq!(window.value(&of("bpm", "textContent")).await, bpm);
    window.until("the order", &of("library-row", "textContent.includes('Tide Line')")).await;
    window.click("up-next").await;
    window.until("what was queued", &of("queued", "textContent.includes('Tide Line')")).await;
    window.screenshot("alone-again").await;
    window.close().await;
    let log = std::fs::read_dir(data_dir.join("logs")).unwrap().next().expect("a log is written").unwrap();
    assert!(log.file_name().to_string_lossy().starts_with("synxsphere."));
}

/// Waits until a file holds a text, whatever its spaces.
async fn kept(file: &Path, text: &str) {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let found = std::fs::read_to_string(file).unwrap_or_default();
        let found: String = found.split_whitespace().collect();
        if found.contains(text) {
            return;
        }
        assert!(std::time::Instant::now() < end, "never {text} in {found}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clicked_link_reaches_the_app_whether_it_runs_or_not() {
    let _alone = FIRST.lock().await;
    let display = Display::start();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("first");
    let window = Window::open_first(&display, &data_dir).await;
    first_run(&window, "Ana").await;
    let link =
        "synxsphere://join?v=1&room=01890000-0000-7000-8000-000000000001&name=Friday&a=192.0.2.1%3A47900";
    assert!(display.start_again(link).success());
    window.find("join-link").await;
    let offered = window.value("document.querySelector('[data-testid=join-link]').value").await;
    assert_eq!(offered, link);
    window.screenshot("join-by-click").await;
    // The next to be the first must not find it.
    DesktopPlayer::of(&data_dir).quit();
    window.close().await;
    let window = Window::open_with(&display, &data_dir, std::path::Path::new(link)).await;
    window.find("join-link").await;
    let offered = window.value("document.querySelector('[data-testid=join-link]').value").await;
    assert_eq!(offered, link, "also where it starts the app");
    DesktopPlayer::of(&data_dir).quit();
    window.close().await;
}

#[cfg(target_os = "linux")]
/// The app as one starts it on a folder. It ends with what this gives.
#[cfg(target_os = "linux")]
fn start_on(display: &Display, data_dir: &Path) -> tokio::process::Child {
    let mut app = tokio::process::Command::from(display.app());
    app.args(["--new-instance", "--device", "null", "--data-dir"]).arg(data_dir).env("LANG", "C");
    app.kill_on_drop(true).spawn().expect("synxsphere is built")
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_cannot_have_its_folder_says_so_in_place_of_its_window() {
    let (display, folder) = (Display::start(), tempfile::tempdir().unwrap());
    let until_titles = async |titles: &[&str]| {
        let end = std::time::Instant::now() + PATIENCE;
        while display.titles() != titles {
            assert!(std::time::Instant::now() < end, "never {titles:?} but {:?}", display.titles());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let file = folder.path().join("no-folder");
    std::fs::write(&file, "").unwrap();
    let below_a_file = start_on(&display, &file.join("profile"));
    until_titles(&["SynxSphere cannot start"]).await;
    drop(below_a_file);
    until_titles(&[]).await;

    let data_dir = folder.path().join("profile");
    let _has_it = start_on(&display, &data_dir);
    until_titles(&["SynxSphere"]).await;
    let _too_late = start_on(&display, &data_dir);
    until_titles(&["SynxSphere", "SynxSphere cannot start"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn music_comes_in_as_the_desktop_has_it() {
    let _alone = FIRST.lock().await;
    let display = Display::start();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("first");
    let music = folder.path().join("Gezogen & losgelassen – 100 %");
    std::fs::create_dir(&music).unwrap();
    std::fs::copy(demo_track("tide-line.mp3"), music.join("🎉 שלום.mp3")).unwrap();
    let lantern = folder.path().join("paper lantern #1.flac");
    std::fs::copy(demo_track("paper-lantern.flac"), &lantern).unwrap();
    let playing = |title: &str| {
        let title = of("what-plays", &format!("textContent.includes('{title}')"));
        format!("{title} && {}", of("play", "dataset.state === 'playing'"))
    };

    // A folder is watched from then on, and a file is played, however they were let go.
    let window = Window::open_first(&display, &data_dir).await;
    first_run(&window, "Ana").await;
    display.drop_files(&[&music]);
    let rows = "document.querySelectorAll('[data-testid=library-row]').length";
    window.until("the folder's track", &format!("{rows} === 1")).await;
    window.click("open-files").await;
    window.until("the folder is watched", "document.body.innerText.includes('losgelassen')").await;
    window.press("open-files", ESCAPE).await;
    display.drop_files(&[&lantern]);
    window.until("the file plays", &playing("Paper Lantern")).await;
    window.until("both are there", &format!("{rows} === 2")).await;

    // “Open with” reaches the app that runs, and starts the one that does not.
    let song = music.join("🎉 שלום.mp3");
    assert!(display.start_again(song.to_str().unwrap()).success());
    window.until("the other file plays", &playing("Tide Line")).await;
    window.screenshot("opened-with").await;
    DesktopPlayer::of(&data_dir).quit();
    window.close().await;
    display.until_windows(0);
    let window = Window::open_with(&display, &data_dir, &lantern).await;
    window.until("the file that it was started with", &playing("Paper Lantern")).await;
    DesktopPlayer::of(&data_dir).quit();
    window.close().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_desktop_is_told_what_plays_and_who_is_hosted() {
    let desk = synx_system_tests::desk::Desk::start().await;
    let display = Display::start();
    let folder = tempfile::tempdir().unwrap();
    let host = Window::open(&display, &folder.path().join("host")).await;
    first_run(&host, "Ana").await;
    // A page that is driven counts as looked at.
    host.value("void (document.hasFocus = () => false)").await;
    host.click("open-files").await;
    host.fill("open-path", demo_track("paper-lantern.flac").to_str().unwrap()).await;
    host.click("open-path-go").await;
    assert_eq!(desk.notification(), "Paper Lantern: SynxSphere");
    host.click("play").await;
    host.until("paused", &of("play", "dataset.state === 'paused'")).await;
    host.click("host-room").await;
    host.fill("host-name", "Friday listening").await;
    host.click("host-go").await;
    host.find("room-name").await;
    let link = host.value("document.querySelector('[data-testid=room-link]')?.dataset.link").await;
    let link = link.as_str().expect("the room shows its link").to_owned();
    let at = loopback(&link);
    let mut ben = Instance::join(&link, "Ben", &folder.path().join("ben"), &["--address", &at]);
    ben.next("room_joined");
    desk.until_tray_says("Hosting 1 person in “Friday listening”").await;
    assert_eq!(desk.notification(), "Friday listening: Ben joined");

    // Closed, it goes on for Ben, and the tray leads back to it.
    assert_eq!(display.ask_to_close(), 1);
    display.until_windows(0);
    assert!(desk.notification().starts_with("“Friday listening” is still open: It goes on for 1 person."));
    ben.must("say", json!({"type": "chat_message", "text": "Still here?"}));
    desk.click_tray().await;
    display.until_windows(1);
    host.until("the message", "document.body.innerText.includes('Still here?')").await;

    // Nobody would miss it any more: it ends.
    ben.must("go", json!({"type": "leave"}));
    desk.until_tray_says("“Friday listening” is open").await;
    assert_eq!(display.ask_to_close(), 1);
    display.until_windows(0);
    drop(host);
}

/// The host's port on loopback: in a test both windows are on one machine, whatever networks it has.
fn loopback(link: &str) -> String {
    let address =
        link.split(['?', '&']).find_map(|part| part.strip_prefix("a=")).expect("the link names an address");
    let port = address.rsplit("%3A").next().expect("an address has a port");
    format!("127.0.0.1:{port}")
}
