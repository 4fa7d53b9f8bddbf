//! The control socket of a headless node: the bridge's requests and events as JSON over a WebSocket of this machine.
//!
//! Frames in: first `{"token": …}`, then `{"id": n, "request": {…}}`. Frames out: `{"id": n, "response": {…}}` or
//! `{"id": n, "error": {…}}`, and `{"event": {…}}`. Must never listen beyond loopback: who may speak here is the node's
//! owner. The token keeps out other users of the machine and the pages of their browsers.

use crate::bridge::{CallError, NodeEvent, Request, Response};
use crate::error::NodeError;
use crate::node::Node;
use futures_util::{SinkExt, StreamExt};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

/// A connection that has not said its token by then is closed.
const TOKEN_WAIT: Duration = Duration::from_secs(5);
/// No request is longer.
const FRAME_MAX_BYTES: usize = 1 << 20;
/// Answers that may wait for a slow reader before its requests wait.
const ANSWERS_WAITING: usize = 64;

/// A listening control socket. Dropping it closes it for new connections.
pub struct Control {
    address: SocketAddr,
    token: String,
    task: JoinHandle<()>,
}

impl Control {
    /// Listens on an address of loopback.
    ///
    /// # Errors
    /// [`NodeError::NotLoopback`] for any other address; else when the port is taken.
    pub async fn start(node: Node, listen: SocketAddr) -> Result<Self, NodeError> {
        if !listen.ip().is_loopback() {
            return Err(NodeError::NotLoopback { address: listen });
        }
        let failed = |source| NodeError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let token = new_token();
        let task = tokio::spawn(accept(listener, node, token.clone()));
        Ok(Self { address, token, task })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// What a client says first.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn new_token() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    blake3::Hash::from_bytes(bytes).to_hex().to_string()
}

async fn accept(listener: TcpListener, node: Node, token: String) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, node.clone(), token.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a control connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

#[derive(Deserialize)]
struct Greeting {
    token: String,
}

#[derive(Deserialize)]
struct Asked {
    id: u64,
    request: Request,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Response { id: u64, response: Box<Response> },
    Error { id: u64, error: CallError },
    Event { event: Box<NodeEvent> },
}

async fn serve(stream: TcpStream, node: Node, token: String) {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(FRAME_MAX_BYTES))
        .max_frame_size(Some(FRAME_MAX_BYTES));
    let Ok(mut socket) = tokio_tungstenite::accept_async_with_config(stream, Some(limits)).await else {
        return;
    };
    let greeting = tokio::time::timeout(TOKEN_WAIT, socket.next()).await;
    if !matches!(greeting, Ok(Some(Ok(Message::Text(text)))) if knows(&text, &token)) {
        return tracing::warn!("a control connection without the token was closed");
    }
    converse(socket, node).await;
}

fn knows(text: &str, token: &str) -> bool {
    // Hashes compare in constant time.
    let hash = |text: &str| blake3::hash(text.as_bytes());
    serde_json::from_str::<Greeting>(text).is_ok_and(|greeting| hash(&greeting.token) == hash(token))
}

async fn converse(socket: WebSocketStream<TcpStream>, node: Node) {
    let (mut writer, mut reader) = socket.split();
    let (answers, mut answered) = mpsc::channel(ANSWERS_WAITING);
    let mut events = node.subscribe();
    loop {
        let told = tokio::select! {
            message = reader.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    match serde_json::from_str(&text) {
                        Ok(asked) => drop(tokio::spawn(answer(node.clone(), asked, answers.clone()))),
                        Err(error) => tracing::warn!(%error, "a control frame was not understood"),
                    }
                    continue;
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            Some(told) = answered.recv() => told,
            event = events.recv() => match event {
                Ok(event) => Told::Event { event: Box::new(event) },
                // It comes back and asks for everything again.
                Err(broadcast::error::RecvError::Lagged(_) | broadcast::error::RecvError::Closed) => return,
            },
        };
        let Ok(text) = serde_json::to_string(&told) else { continue };
        if writer.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}

async fn answer(node: Node, asked: Asked, answers: mpsc::Sender<Told>) {
    let told = match node.call(asked.request).await {
        Ok(response) => Told::Response { id: asked.id, response: Box::new(response) },
        Err(error) => Told::Error { id: asked.id, error },
    };
    // A client that is gone needs no answer.
    drop(answers.send(told).await);
}
