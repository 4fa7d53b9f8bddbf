//! A room in the app: how soon after the click on a link it plays, and what the app takes while the room is open and paused.

use crate::process::{SETTLE, tell, watch};
use serde_json::json;
use std::path::Path;
use std::time::Instant;
use synx_system_tests::window::{Display, Window};
use synx_system_tests::{Instance, demo_track};
use tempfile::TempDir;

const CLICKS: usize = 10;
const TRACK: &str = "paper-lantern.flac";

/// A room that plays one track over and over.
struct House {
    host: Instance,
    link: String,
    _home: TempDir,
}

impl House {
    fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut host = Instance::host(home.path(), &[]);
        let link = host.next("room_opened")["link"].as_str().unwrap().to_owned();
        host.must("share", json!({"type": "share_file", "path": demo_track(TRACK)}));
        let duration_us = host.next("file_shared")["track"]["duration_us"].as_f64().unwrap();
        host.must("play", json!({"type": "playback_play"}));
        let region = json!({"begin_s": 0, "end_s": duration_us / 1e6});
        host.must("repeat", json!({"type": "playback_loop", "region": region}));
        Self { host, link, _home: home }
    }
}

/// From the start of the app with a link, over the answer that one wants to join, to its place in the room, and to the first error
/// that it measures at its output, which it does once a second while it plays. The file is in its library.
pub async fn link(display: &Display, data_dir: &Path) {
    keep_the_file(display, data_dir).await;
    let mut house = House::open();
    let (mut joined_ms, mut playing_ms) = (Vec::new(), Vec::new());
    for _ in 0..CLICKS {
        display.until_windows(0);
        let begun = Instant::now();
        let window = Window::open_with(display, data_dir, Path::new(&house.link)).await;
        window.click("join-go").await;
        house.host.next("user_joined");
        joined_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        let mine = "document.querySelector('[data-testid=member-sync]')?.textContent ?? ''";
        window.until("an error of its own", &format!("/[0-9]/.test({mine})")).await;
        playing_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        window.close().await;
        house.host.next("user_left");
    }
    tell("link_to", [("joined", joined_ms), ("playing", playing_ms)]);
}

async fn keep_the_file(display: &Display, data_dir: &Path) {
    let window = Window::open(display, data_dir).await;
    window.click("open-files").await;
    window.fill("open-path", demo_track(TRACK).to_str().unwrap()).await;
    window.press("open-path", "\u{E007}").await;
    window
        .until("the file", "document.querySelector('[data-testid=waveform]')?.dataset.state === 'ready'")
        .await;
    window.close().await;
}

/// An open window in a room that is paused.
pub async fn paused(display: &Display, data_dir: &Path) {
    display.until_windows(0);
    let mut house = House::open();
    let window = Window::open_with(display, data_dir, Path::new(&house.link)).await;
    window.click("join-go").await;
    house.host.next("user_joined");
    house.host.must("pause", json!({"type": "playback_pause"}));
    std::thread::sleep(SETTLE);
    watch("paused", window.id());
    window.close().await;
}
