//! What a room says, in wire form, to whoever listens on this machine: the JSON output of `synx host` and `synx join`.

use std::sync::{Arc, Mutex, PoisonError};
use synx_net::wire::ServerMessage;
use tokio::sync::mpsc;

/// Fans messages out to the listeners of this process. A listener gets every message from its start on, in order; one
/// that is gone is forgotten.
#[derive(Debug, Default)]
pub struct Feed {
    listeners: Mutex<Vec<mpsc::UnboundedSender<Arc<ServerMessage>>>>,
}

impl Feed {
    /// Listens from now on. The listener must keep up: it is a part of this program, not a peer.
    pub fn listen(&self) -> mpsc::UnboundedReceiver<Arc<ServerMessage>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Says something.
    pub fn send(&self, message: &ServerMessage) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if listeners.is_empty() {
            return;
        }
        let message = Arc::new(message.clone());
        listeners.retain(|listener| listener.send(Arc::clone(&message)).is_ok());
    }
}
