//! A sign in the desktop's tray that a room is open, so that a window that is closed does not close it for everybody.
//!
//! Must never be needed: many desktops have no tray, and then the window is all there is.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use elsewhere as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use crate::{show_window, words};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use synx_node::Node;
use synx_node::bridge::{LanguageView, NodeEvent, RoomConnection, RoomView};
use tauri::async_runtime::spawn;
use tauri::{AppHandle, Manager};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// The tray's side of the app.
pub struct Tray {
    node: Node,
    shown: Arc<AtomicBool>,
}

/// What the tray says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Status {
    language: LanguageView,
    line: String,
}

/// What somebody chose in the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Show,
    Quit,
}

impl Tray {
    /// Shows what is going on from now on, where there is a tray.
    pub fn start(app: &AppHandle, node: &Node) {
        let shown = Arc::new(AtomicBool::new(false));
        let (told, status) = watch::channel(status(node, node.room().as_ref()));
        spawn(follow(node.clone(), told));
        spawn(platform::run(app.clone(), status, Arc::clone(&shown)));
        app.manage(Self { node: node.clone(), shown });
    }

    /// Who would be thrown out if the app ended now, where the tray leads back to it; none when it can end as well.
    pub fn keeps_open_for(app: &AppHandle) -> Option<(LanguageView, String, usize)> {
        let tray = app.try_state::<Self>().filter(|tray| tray.shown.load(Ordering::Relaxed))?;
        let room = tray.node.room()?;
        let guests = guests(&room).filter(|guests| *guests > 0)?;
        Some((tray.node.language(), room.settings.name, guests))
    }
}

impl Choice {
    fn carry_out(self, app: &AppHandle) {
        match self {
            Self::Show => show_window(app),
            Self::Quit => app.exit(0),
        }
    }

    fn label(self, language: LanguageView) -> &'static str {
        match self {
            Self::Show => words::show_window(language),
            Self::Quit => words::quit(language),
        }
    }
}

async fn follow(node: Node, told: watch::Sender<Status>) {
    let mut events = node.subscribe();
    loop {
        let now = match events.recv().await {
            Ok(NodeEvent::RoomChanged { room }) => status(&node, room.as_deref()),
            Ok(NodeEvent::LanguageChanged { .. }) | Err(RecvError::Lagged(_)) => {
                status(&node, node.room().as_ref())
            }
            Ok(_) => continue,
            Err(RecvError::Closed) => return,
        };
        told.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }
}

/// Those who are in a room of this machine, besides its host; none elsewhere.
fn guests(room: &RoomView) -> Option<usize> {
    let present = room.members.iter().filter(|member| member.present && member.user != room.me).count();
    (room.connection == RoomConnection::Hosting).then_some(present)
}

fn status(node: &Node, room: Option<&RoomView>) -> Status {
    let language = node.language();
    let line = match room.map(|room| (&room.settings.name, guests(room))) {
        None => words::no_room(language).to_owned(),
        Some((name, None)) => words::in_room(language, name),
        Some((name, Some(guests))) => words::hosting(language, name, guests),
    };
    Status { language, line }
}
