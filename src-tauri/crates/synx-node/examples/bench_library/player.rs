//! A real node that plays to nobody, paced by the real clock, as `synx` without a card does.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_node::bridge::{AppView, LoopView, PlayState, Request, Response, TrackView};
use synx_node::{Node, NodeConfig};

pub struct Player {
    pub node: Node,
}

impl Player {
    pub async fn open(data_dir: &Path) -> Self {
        let config =
            NodeConfig { data_dir: data_dir.to_owned(), device: Some("null".to_owned()), keyring: false };
        Self { node: Node::open(config).await.unwrap() }
    }

    pub async fn done(&self, request: Request) {
        assert_eq!(self.node.call(request).await, Ok(Response::Done));
    }

    pub async fn app(&self) -> AppView {
        match self.node.call(Request::GetApp).await {
            Ok(Response::App { app }) => *app,
            other => panic!("no app: {other:?}"),
        }
    }

    pub async fn add(&self, file: &Path) -> TrackView {
        let paths = vec![file.to_str().unwrap().to_owned()];
        match self.node.call(Request::OpenFiles { paths, play: false }).await {
            Ok(Response::Tracks { tracks }) => tracks[0].clone(),
            other => panic!("not added: {other:?}"),
        }
    }

    /// Plays a file over and over.
    pub async fn repeat(&self, file: &Path) {
        let track = self.add(file).await;
        self.done(Request::Play { track: Some(track.id) }).await;
        let region = LoopView { begin_s: 0.0, end_s: track.duration_s };
        self.done(Request::SetLoop { region: Some(region) }).await;
        self.until("it plays", |app| app.player.state == PlayState::Playing && app.player.position_s > 0.5)
            .await;
    }

    pub async fn until(&self, what: &str, is: impl Fn(&AppView) -> bool) {
        let end = Instant::now() + Duration::from_secs(1_800);
        while !is(&self.app().await) {
            assert!(Instant::now() < end, "never: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo").join(name)
}
