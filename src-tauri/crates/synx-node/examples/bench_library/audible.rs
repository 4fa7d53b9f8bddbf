//! How soon a track of this machine is heard after a double click: from the request to the first frame that is due at the
//! output, by the engine's own clock. The null output has the queue of a real one.

use crate::Bench;
use crate::player::{Player, demo};
use std::time::Instant;
use synx_node::bridge::{Request, TrackList};
use synx_playback::PlayState;

const CLICKS: usize = 40;

pub fn audible(bench: &Bench) {
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let player = Player::open(folder.path()).await;
        let mut ids = Vec::new();
        for name in ["paper-lantern.flac", "tide-line.mp3"] {
            ids.push(player.add(&demo(name)).await.id);
        }
        player.until("both are analysed", |app| app.library.waiting == 0).await;
        let mut ms = Vec::new();
        for click in 0..CLICKS {
            ms.push(clicked(&player, &ids[click % ids.len()]).await);
        }
        ms.sort_by(f64::total_cmp);
        println!(
            "{{\"what\":\"audible after a double click\",\"count\":{CLICKS},\"median_ms\":{:.1},\"max_ms\":{:.1}}}",
            ms[CLICKS / 2],
            ms[CLICKS - 1]
        );
        player.node.close().await;
    });
}

async fn clicked(player: &Player, id: &str) -> f64 {
    let before = player.node.heard().track;
    let start = Instant::now();
    let play =
        Request::PlayFrom { track: id.to_owned(), list: TrackList::All, search: String::new(), order: None };
    player.done(play).await;
    loop {
        let heard = player.node.heard();
        if heard.track != before && heard.state == PlayState::Playing && heard.position_s > 0.0 {
            // It has been heard for as long as it has come.
            return (start.elapsed().as_secs_f64() - heard.position_s) * 1e3;
        }
        tokio::task::yield_now().await;
    }
}
