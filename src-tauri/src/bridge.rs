//! The bridge between the page and the node: requests in, events out.
//!
//! Must never change what passes over it.

use crate::options::Opened;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_node::Node;
use synx_node::bridge::{CallError, NodeEvent, Request, Response};
use tauri::async_runtime;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State};
use tokio::sync::broadcast::error::RecvError;

/// The node, and the page that listens to it.
pub struct Bridge {
    node: Node,
    page: Arc<Mutex<Page>>,
}

/// Where events go. The page asks for the present when it loads, so nothing is kept for it but links to be opened.
#[derive(Default)]
struct Page {
    channel: Option<Channel<NodeEvent>>,
    links: Vec<String>,
}

/// Asks the node.
#[tauri::command]
pub async fn call(bridge: State<'_, Bridge>, request: Request) -> Result<Response, CallError> {
    bridge.node.call(request).await
}

/// Sends all events from now on to `channel`, in place of the channel of a page that was here before.
#[tauri::command]
pub fn subscribe(bridge: State<'_, Bridge>, channel: Channel<NodeEvent>) {
    let mut page = lock(&bridge.page);
    page.channel = Some(channel);
    for link in std::mem::take(&mut page.links) {
        page.send(NodeEvent::LinkOpened { link });
    }
}

impl Bridge {
    /// Passes on what the node tells from now on.
    pub fn new(app: AppHandle, node: Node) -> Self {
        let page = Arc::<Mutex<Page>>::default();
        let mut events = node.subscribe();
        let to = Arc::clone(&page);
        async_runtime::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(event) => lock(&to).send(event),
                    Err(RecvError::Lagged(_)) => reload(&app),
                    Err(RecvError::Closed) => break,
                }
            }
        });
        Self { node, page }
    }

    /// Gives the bridge of `app` to `act`; there is none while the app starts, or when it could not.
    pub fn of(app: &AppHandle, act: impl FnOnce(&Self)) {
        if let Some(bridge) = app.try_state::<Self>() {
            act(&bridge);
        }
    }

    /// Plays files, and shows links to the page, which asks whether to join.
    pub fn open(&self, opened: Vec<Opened>) {
        let mut paths = Vec::new();
        for one in opened {
            match one {
                Opened::Link(link) => {
                    tracing::info!("a link was opened");
                    lock(&self.page).open_link(link);
                }
                Opened::File(path) => paths.push(path.to_string_lossy().into_owned()),
            }
        }
        if paths.is_empty() {
            return;
        }
        let node = self.node.clone();
        async_runtime::spawn(async move {
            if let Err(error) = node.call(Request::OpenFiles { paths, play: true }).await {
                tracing::warn!(%error, "files could not be opened");
            }
        });
    }

    /// Leaves the room and closes the files before the process ends.
    pub fn close(&self) {
        async_runtime::block_on(self.node.clone().close());
    }
}

impl Page {
    fn open_link(&mut self, link: String) {
        match self.channel {
            Some(_) => self.send(NodeEvent::LinkOpened { link }),
            None => self.links.push(link),
        }
    }

    fn send(&self, event: NodeEvent) {
        if let Some(channel) = &self.channel
            && let Err(error) = channel.send(event)
        {
            tracing::warn!(%error, "the page did not get an event");
        }
    }
}

/// A page that missed events starts over from the present.
fn reload(app: &AppHandle) {
    for window in app.webview_windows().values() {
        if let Err(error) = window.reload() {
            tracing::warn!(%error, "the page that missed events cannot be reloaded");
        }
    }
}

fn lock(page: &Mutex<Page>) -> MutexGuard<'_, Page> {
    page.lock().unwrap_or_else(PoisonError::into_inner)
}
