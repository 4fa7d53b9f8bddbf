//! `synx play`: plays files one after the other and shows where it is.

use crate::args::Play;
use crate::exit::Exit;
use std::io::{IsTerminal, Write};
use synx_node::bridge::{NodeEvent, PlayState, PlayerView, Request};
use synx_node::{Node, NodeConfig, NodeError};

/// Runs the command until the last track has ended or the user stops it.
pub async fn run(args: Play, config: NodeConfig) -> Result<Exit, NodeError> {
    let node = Node::open(config).await?;
    let mut events = node.subscribe();
    node.call(Request::OpenFiles { paths: crate::room::texts(&args.paths), play: true })
        .await
        .map_err(NodeError::from)?;
    let mut screen = Screen::default();
    let stop = crate::interrupted();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => break,
            event = events.recv() => match event {
                Ok(NodeEvent::PlayerChanged { player }) => {
                    screen.show(&player);
                    if ended(&player) {
                        break;
                    }
                }
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
            }
        }
    }
    screen.end();
    node.close().await;
    Ok(Exit::Done)
}

fn ended(player: &PlayerView) -> bool {
    player.state == PlayState::Paused && player.duration_s > 0.0 && player.position_s >= player.duration_s
}

/// One line that is written over on a terminal; one line a track elsewhere.
#[derive(Default)]
struct Screen {
    title: String,
}

impl Screen {
    fn show(&mut self, player: &PlayerView) {
        let title = [player.artist.clone(), player.title.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" — ");
        let terminal = std::io::stdout().is_terminal();
        if title != self.title && !title.is_empty() {
            if terminal && !self.title.is_empty() {
                println!();
            }
            let silent = if player.audible { "" } else { "  (no sound: there is no output device)" };
            println!("{title}  [{}]{silent}", player.device);
            self.title = title;
        }
        if terminal {
            print!("\r{} / {} ", clock(player.position_s), clock(player.duration_s));
            // A terminal that is gone shows nothing, and that is all.
            drop(std::io::stdout().flush());
        }
    }

    fn end(&self) {
        if std::io::stdout().is_terminal() {
            println!();
        }
    }
}

/// Seconds as minutes and seconds.
pub fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}
