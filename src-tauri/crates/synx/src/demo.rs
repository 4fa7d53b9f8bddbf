//! `synx demo`: a host and two peers in one process, over loopback: joins, shares, analyses, plays, seeks, shows how far
//! apart they are, and stops by itself. What it prints is measured, not staged.

use crate::args::Demo;
use crate::exit::Exit;
use crate::play::clock;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use synx_node::bridge::{
    PlaybackControlView, ProfileView, Request, RoomSettingsView, RoomTrackView, VisibilityView,
};
use synx_node::{HostOptions, JoinOptions, Node, NodeConfig, NodeError, SyncMeasure};

/// Longest wait for a step; on loopback each takes a fraction of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the table of errors is printed.
const LOOK: Duration = Duration::from_secs(1);

/// Runs the demo; fails when the peers are not in sync at its end.
pub async fn run(args: Demo) -> Result<Exit, NodeError> {
    let folder = std::env::temp_dir().join(format!("synx-demo-{}", std::process::id()));
    let nodes = open_nodes(&folder).await?;
    let outcome = play(&nodes, &args).await;
    for node in nodes {
        node.close().await;
    }
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        crate::complain(&format!("the demo's folder {} stays behind: {error}", folder.display()));
    }
    outcome
}

async fn open_nodes(folder: &std::path::Path) -> Result<Vec<Node>, NodeError> {
    let mut nodes = Vec::new();
    for name in ["Ana", "Ben", "Cy"] {
        let config =
            NodeConfig { data_dir: folder.join(name), device: Some("null".to_owned()), keyring: false };
        let node = Node::open(config).await?;
        let profile = ProfileView { name: name.to_owned(), ..node.profile().await };
        node.call(Request::UpdateProfile { profile }).await.map_err(NodeError::from)?;
        nodes.push(node);
    }
    Ok(nodes)
}

async fn play(nodes: &[Node], args: &Demo) -> Result<Exit, NodeError> {
    let [host, peers @ ..] = nodes else { return Ok(Exit::Failed) };
    let settings = RoomSettingsView {
        name: "Demo".to_owned(),
        visibility: VisibilityView::Private,
        max_participants: 8,
        genres: Vec::new(),
        playback_control: PlaybackControlView::Djs,
        wait_for_all: None,
        archive_after_days: None,
        storage: None,
    };
    let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let options = HostOptions { settings, listen: Some(listen), tls: true, public_address: None, room: None };
    let opened = host.host(options).await?;
    println!("Ana opened a room on port {}", opened.port);
    for (peer, name) in peers.iter().zip(["Ben", "Cy"]) {
        let options =
            JoinOptions { link: opened.link.clone(), address: Some(format!("127.0.0.1:{}", opened.port)) };
        peer.join(options).await?;
        println!("{name} joined by link");
    }
    let path = args.track.to_string_lossy().into_owned();
    ask(host, Request::ShareFiles { paths: vec![path] }).await?;
    let track = wait(host, "the analysis", |track| track.energy.is_some()).await?;
    let tempo = track.tempo.as_ref().map_or("no tempo".to_owned(), |tempo| format!("{:.1} BPM", tempo.bpm));
    let key = track.key.as_ref().map_or("no key".to_owned(), |key| format!("{} ({})", key.name, key.camelot));
    println!("Ana shared “{}”: {tempo}, {key}, {} long", track.title, clock(track.duration_s));
    for peer in peers {
        wait(peer, "the file", |track| track.state == synx_node::bridge::RoomTrackState::Ready).await?;
    }
    ask(host, Request::Play { track: None }).await?;
    println!(
        "\nplaying; measured at each output, in microseconds:\n{:>8}  {:>22}  {:>22}",
        "position", "Ben", "Cy"
    );
    watch(peers, args.seconds.div_ceil(2)).await;
    let position_s = track.duration_s / 2.0;
    ask(host, Request::Seek { position_s }).await?;
    println!("Ana moved to {}", clock(position_s));
    let last = watch(peers, args.seconds / 2).await;
    let together = last.iter().all(|measure| measure.in_sync);
    println!("\n{}", if together { "All peers are in sync." } else { "The peers are NOT in sync." });
    Ok(if together { Exit::Done } else { Exit::Failed })
}

async fn ask(node: &Node, request: Request) -> Result<(), NodeError> {
    node.call(request).await.map(drop).map_err(NodeError::from)
}

/// Waits until the room's one track fits.
async fn wait(
    node: &Node,
    what: &'static str,
    fits: impl Fn(&RoomTrackView) -> bool,
) -> Result<RoomTrackView, NodeError> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let track = node.room().and_then(|room| room.tracks.into_iter().next());
        if let Some(track) = track.filter(&fits) {
            return Ok(track);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(NodeError::NotReady { what })
}

/// Prints each peer's error once a second; the last measures.
async fn watch(peers: &[Node], seconds: u64) -> Vec<SyncMeasure> {
    let mut last = Vec::new();
    for _ in 0..seconds {
        tokio::time::sleep(LOOK).await;
        last = peers.iter().map(Node::measure).collect();
        let position = last.first().and_then(|measure| measure.position_s).unwrap_or_default();
        let columns: Vec<String> = last.iter().map(column).collect();
        println!("{:>8}  {}", clock(position), columns.join("  "));
    }
    last
}

fn column(measure: &SyncMeasure) -> String {
    match (measure.error_us, measure.uncertainty_us) {
        (Some(error), Some(uncertainty)) => format!("{error:>+9.1} ± {uncertainty:<7.1} µs"),
        _ => format!("{:>22}", measure.state),
    }
}
