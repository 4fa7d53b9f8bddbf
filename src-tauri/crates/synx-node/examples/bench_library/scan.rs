//! Files come into the library while a track plays: how long that takes, and whether the music has a gap.

use crate::Bench;
use crate::music::{Music, made};
use crate::player::{Player, demo};
use std::path::Path;
use std::time::Instant;
use synx_node::bridge::Request;

pub fn scan(bench: &Bench) {
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let music = made(&folder.path().join("music"), bench.files);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for workers in [0, 1] {
        let data_dir = folder.path().join(format!("data-{workers}"));
        runtime.block_on(one(&music, &data_dir, workers, bench.files));
    }
}

/// With so many analyses beside it; none but of what plays where there are no workers.
async fn one(music: &Music, data_dir: &Path, workers: u32, files: u32) {
    let player = Player::open(data_dir).await;
    player.done(Request::SetAnalysisWorkers { count: workers }).await;
    player.repeat(&demo("paper-lantern.flac")).await;
    let (before, start) = (player.node.heard(), Instant::now());
    let paths = vec![music.folder.to_str().unwrap().to_owned()];
    player.done(Request::AddToLibrary { paths, play: false }).await;
    player
        .until("all files are in", |app| app.library.tracks == files + 1 && app.library.scan.is_none())
        .await;
    let (took_s, after) = (start.elapsed().as_secs_f64(), player.node.heard());
    let analysed = files + 1 - player.app().await.library.waiting;
    println!(
        "{{\"scanned\":{files},\"mib\":{},\"workers\":{workers},\"took_s\":{took_s:.1},\"analysed\":{analysed},\"broken\":{},\"gaps\":{},\"ran_dry\":{},\"jumps\":{}}}",
        music.bytes >> 20,
        player.app().await.library.broken,
        after.gaps - before.gaps,
        after.xruns - before.xruns,
        after.reanchors - before.reanchors,
    );
    player.node.close().await;
}
