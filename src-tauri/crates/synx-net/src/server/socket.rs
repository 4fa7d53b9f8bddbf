//! A peer's WebSocket: the library reads and speaks for itself (pings, pongs, the close), and frames that are ready go out
//! beneath it, many in one call to the system.
//!
//! Must never copy an event for a peer: a frame's bytes are made once and shared by all. Nor may a frame come between the
//! halves of another: what was begun is written to its end before anything else.

use crate::server::ahead::Ahead;
use crate::wire::ServerMessage;
use bytes::{Buf, Bytes};
use futures_util::{SinkExt, Stream, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// What the library takes at once: most commands whole. Each connection has as much memory for as long as it lives.
const READ_BYTES: usize = 512;
/// Frames in one call to the system: as many as fill a socket's buffer with ordinary events.
const FRAMES_AT_ONCE: usize = 64;
/// Queues that were longer give their memory back.
const QUEUE_KEPT: usize = 16;

/// The code of a text frame that is a whole message (RFC 6455, 5.2).
pub(super) const TEXT: u8 = 0x81;

/// Memory that a thread keeps for the text of the next message.
const TEXT_KEPT: usize = 64 * 1024;

thread_local! {
    static TEXT_BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A message as a server's frame: its header and its text, ready for any number of peers.
pub(crate) fn ready_frame(message: &ServerMessage) -> Bytes {
    TEXT_BYTES.with_borrow_mut(|text| {
        text.clear();
        message.encode_into(text);
        let frame = whole_frame(TEXT, text);
        text.shrink_to(TEXT_KEPT);
        frame
    })
}

/// A message in one frame.
pub(super) fn whole_frame(code: u8, payload: &[u8]) -> Bytes {
    let header = match payload.len() {
        0..126 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    let mut frame = Vec::with_capacity(header + payload.len());
    frame.push(code);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 126 => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame.into()
}

pub(crate) struct Socket {
    inner: WebSocketStream<Ahead<TokioIo<Upgraded>>>,
    /// Frames that are to be written; of the first one a part may have been.
    waiting: VecDeque<Bytes>,
}

impl Socket {
    /// The server's side of a connection that was upgraded. Messages may have `message_bytes`.
    pub async fn over(upgraded: Upgraded, message_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(message_bytes))
            .max_frame_size(Some(message_bytes));
        let io = Ahead::of(TokioIo::new(upgraded));
        let inner = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        Self { inner, waiting: VecDeque::new() }
    }

    /// The next message; none at the end.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        self.inner.next().await
    }

    /// The next message, if it is here already.
    pub async fn at_once(&mut self) -> Option<Option<Result<Message, Error>>> {
        at_once(&mut self.inner).await
    }

    /// Puts frames behind those that wait. [`Socket::flush`] writes them.
    pub fn feed(&mut self, frames: impl IntoIterator<Item = Bytes>) {
        self.waiting.extend(frames);
    }

    /// Writes all that waits. May be dropped and called again: it goes on where it was.
    pub async fn flush(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // What the library has to say may be half said.
        self.inner.flush().await?;
        poll_fn(|context| self.poll_waiting(context)).await?;
        if self.waiting.capacity() > QUEUE_KEPT {
            self.waiting = VecDeque::new();
        }
        Ok(())
    }

    /// Asks for a sign of life.
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.inner.send(Message::Ping(Bytes::new())).await
    }

    /// Writes all that waits, and says that this was the end.
    pub async fn close(&mut self) -> Result<(), Error> {
        self.flush().await?;
        self.inner.close(None).await
    }

    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let mut slices = [IoSlice::new(&[]); FRAMES_AT_ONCE];
            let count = self.waiting.len().min(FRAMES_AT_ONCE);
            for (slice, frame) in slices.iter_mut().zip(&self.waiting) {
                *slice = IoSlice::new(frame);
            }
            let io = Pin::new(self.inner.get_mut());
            match ready!(io.poll_write_vectored(context, &slices[..count]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written(written),
            }
        }
        Pin::new(self.inner.get_mut()).poll_flush(context)
    }

    fn written(&mut self, mut bytes: usize) {
        while let Some(first) = self.waiting.front_mut() {
            if first.len() > bytes {
                return first.advance(bytes);
            }
            bytes -= first.len();
            self.waiting.pop_front();
        }
    }
}

/// The next of a stream, if it is there already.
pub(super) async fn at_once<S: Stream + Unpin>(stream: &mut S) -> Option<Option<S::Item>> {
    poll_fn(|context| match stream.poll_next_unpin(context) {
        Poll::Ready(next) => Poll::Ready(Some(next)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::protocol::frame::FrameSocket;

    #[test]
    fn a_ready_frame_is_what_the_library_reads() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 200_000] {
            let text = "x".repeat(length);
            let mut socket = FrameSocket::from_partially_read(
                io::Cursor::new(Vec::new()),
                whole_frame(TEXT, text.as_bytes()).to_vec(),
            );
            let frame = socket.read(None).unwrap().unwrap();
            assert!(frame.header().is_final && frame.header().mask.is_none());
            assert_eq!(frame.into_text().unwrap().as_str(), text);
        }
    }
}
