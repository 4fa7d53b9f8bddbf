//! Two people who are new to it, from the first start to coming back. What they see at each step is kept as pictures where
//! `SYNX_SCREENSHOTS` says.

use crate::{first_run, of};
use std::path::{Path, PathBuf};
use synx_system_tests::demo_track;
use synx_system_tests::window::{Display, Window};

const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const HOME: &str = "\u{E011}";

/// How many elements with a test id there are.
fn count(id: &str) -> String {
    format!("document.querySelectorAll('[data-testid={id}]').length")
}

/// Whether the page says so anywhere.
fn says(text: &str) -> String {
    format!("document.body.innerText.includes('{text}')")
}

/// As one sees it in a large window by day, and in the smallest by night.
async fn look(window: &Window, name: &str) {
    if !Window::keeps_pictures() {
        return;
    }
    window.screenshot(&format!("{name}-wide")).await;
    window.resize(900, 600).await;
    window.value("void (document.documentElement.dataset.theme = 'dark')").await;
    window.screenshot(&format!("{name}-narrow")).await;
    window.value("void (document.documentElement.dataset.theme = 'light')").await;
    window.resize(1280, 800).await;
}

/// A folder of music.
fn music(folder: &Path) -> PathBuf {
    let music = folder.join("Music");
    std::fs::create_dir(&music).expect("the folder can be made");
    for name in ["paper-lantern.flac", "tide-line.mp3"] {
        std::fs::copy(demo_track(name), music.join(name)).expect("the track can be copied");
    }
    music
}

/// The first start, and a folder let go over the window.
async fn ana_begins(display: &Display, folder: &Path) -> Window {
    let ana = Window::open(display, &folder.join("ana")).await;
    ana.find("first-run-name").await;
    look(&ana, "01-first-run").await;
    first_run(&ana, "Ana").await;
    look(&ana, "02-library-empty").await;
    display.drop_files(&[&music(folder)]);
    let ready = "document.querySelectorAll('[data-testid=library-row][data-state=ready]').length === 2";
    ana.until("the folder's two tracks", ready).await;
    look(&ana, "03-library-folder").await;
    ana
}

/// A room, with a track of the library in it.
async fn ana_hosts(ana: &Window) {
    ana.click("host-room").await;
    ana.fill("host-name", "Friday listening").await;
    look(ana, "04-host-dialog").await;
    ana.click("host-go").await;
    ana.find("room-name").await;
    look(ana, "05-room-empty").await;
    ana.click("share-from-library").await;
    ana.until("how that goes", &of("shares-into", "textContent.includes('Friday listening')")).await;
    look(ana, "06-library-in-room").await;
    ana.press("library-row", ENTER).await;
    ana.until("it is said", &of("notice", "dataset.code === 'share_track'")).await;
    ana.click("nav-room").await;
    ana.until("it can be played", &of("queue-row", "dataset.state === 'ready'")).await;
    look(ana, "07-room-one-track").await;
}

/// The invite that Ana gives out, and Ben who comes in with it.
async fn ben_comes(display: &Display, folder: &Path, ana: &Window) -> Window {
    ana.click("invite-open").await;
    ana.find("invite-qr").await;
    look(ana, "08-invite").await;
    let link = ana.value(&of("invite-link", "value")).await;
    let link = link.as_str().expect("the invite is a link").to_owned();
    ana.press("invite-link", ESCAPE).await;
    let ben = Window::open(display, &folder.join("ben")).await;
    first_run(&ben, "Ben").await;
    ben.click("join-room").await;
    ben.fill("join-link", &link).await;
    look(&ben, "09-join-dialog").await;
    ben.click("join-go").await;
    ben.find("room-name").await;
    ana.until("both are there", &format!("{} === 2", count("member-row"))).await;
    look(&ben, "10-ben-in-room").await;
    ben
}

/// Ben's own file goes to all, and both hear the first at the same time.
async fn both_listen(at_ben: &Display, ana: &Window, ben: &Window) {
    at_ben.drop_files(&[&demo_track("tide-line.mp3")]);
    let ready = "document.querySelectorAll('[data-testid=queue-row][data-state=ready]').length === 2";
    for window in [ana, ben] {
        window.until("two tracks that can be played", ready).await;
        window.until("a tempo", &format!("/[0-9]/.test({})", of("bpm", "textContent"))).await;
    }
    ana.click("play").await;
    let measured = "[...document.querySelectorAll('[data-testid=member-sync]')].every((e) => /[0-9]/.test(e.textContent))";
    for window in [ana, ben] {
        window.until("playing", &of("play", "dataset.state === 'playing'")).await;
        window.until("the waveform", &of("waveform", "dataset.state === 'ready'")).await;
        window.until("everybody's measured error", measured).await;
    }
    look(ana, "11-ana-listens").await;
    look(ben, "12-ben-listens").await;
}

/// What is said, and what is pinned to the waveform, answered and done.
async fn both_talk(ana: &Window, ben: &Window) {
    ben.fill("chat-input", "Good evening! Listen at 0:05.").await;
    ben.click("chat-send").await;
    ana.until("the message", &says("Good evening!")).await;
    ana.click("play").await;
    ana.press("seek", HOME).await;
    ben.until("it pauses", &of("play", "dataset.state !== 'playing'")).await;
    ben.until("the beginning", &format!("Number({}) < 0.5", of("seek", "value"))).await;
    ana.click("play").await;
    ben.click("tab-notes").await;
    ben.click("comment-add").await;
    ben.fill("comment-input", "A touch softer from here?").await;
    look(ben, "13-commenting").await;
    ben.press("comment-input", ENTER).await;
    ana.click("tab-notes").await;
    ana.until("the comment", &of("note", "textContent.includes('A touch softer')")).await;
    ana.click("note-reply").await;
    ana.fill("note-answer-input", "Yes, two dB.").await;
    ana.press("note-answer-input", ENTER).await;
    ana.find("note-answer").await;
    look(ana, "14-answered").await;
    ana.click("note-resolve").await;
    ana.click("tab-chat").await;
    look(ana, "15-chat").await;
}

/// Ben goes and ends the app; meanwhile it goes on without him, and then he finds what he missed.
async fn ben_comes_back(display: &Display, folder: &Path, ana: &Window, ben: Window) -> Window {
    ben.click("leave-room").await;
    look(&ben, "16-leave").await;
    ben.click("confirm-yes").await;
    ben.find("recent-room").await;
    look(&ben, "17-ben-left").await;
    ben.close().await;
    ana.until("Ben is gone", &format!("{} === 1", count("member-row"))).await;
    ana.fill("chat-input", "Sleep well.").await;
    ana.click("chat-send").await;
    ana.press("play", "c").await;
    ana.fill("comment-input", "Fade out here.").await;
    ana.press("comment-input", ENTER).await;
    ana.until("no field any more", &format!("{} === 0", count("comment-input"))).await;
    look(ana, "18-ana-alone").await;
    let ben = Window::open(display, &folder.join("ben")).await;
    ben.find("recent-room").await;
    look(&ben, "19-ben-again").await;
    ben.click("recent-room").await;
    ben.find("room-name").await;
    ben.until("what he missed", &of("missed", "textContent.includes('1 message, 1 note')")).await;
    ben.until("what was said", &says("Sleep well.")).await;
    look(&ben, "20-missed").await;
    ben.click("missed-look").await;
    ben.find("history-away").await;
    look(&ben, "21-history").await;
    ben.click("history-left").await;
    ben.until("the room as he left it", &of("past-room", "textContent.includes('Good evening!')")).await;
    look(&ben, "22-history-moment").await;
    ben.click("history-close").await;
    ben
}

/// Ana closes the room, which Ben is told; another day she opens it again.
async fn ana_closes_and_opens_again(display: &Display, folder: &Path, ana: Window, ben: &Window) {
    ana.click("leave-room").await;
    look(&ana, "23-close").await;
    ana.click("confirm-yes").await;
    ben.until("word that the host is gone", &of("notice", "dataset.code === 'room_closed'")).await;
    ben.find("host-room").await;
    look(ben, "24-room-closed").await;
    ana.close().await;
    let ana = Window::open(display, &folder.join("ana")).await;
    ana.click("recent-room").await;
    ana.find("room-name").await;
    ana.until("what was shared", &format!("{} === 2", count("queue-row"))).await;
    ana.until("what was said", &says("Sleep well.")).await;
    look(&ana, "25-opened-again").await;
    ana.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_are_new_to_it_listen_talk_go_and_come_back() {
    let (at_ana, at_ben) = (Display::start(), Display::start());
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ana = ana_begins(&at_ana, folder).await;
    ana_hosts(&ana).await;
    let ben = ben_comes(&at_ben, folder, &ana).await;
    both_listen(&at_ben, &ana, &ben).await;
    both_talk(&ana, &ben).await;
    let ben = ben_comes_back(&at_ben, folder, &ana, ben).await;
    ana_closes_and_opens_again(&at_ana, folder, ana, &ben).await;
    ben.close().await;
}
