//! One WebSocket to the host, from the upgrade to `room_joined`.

use crate::NetError;
use crate::client::dial::Dialled;
use crate::client::requests::{Pass, lost};
use crate::server::PROOF;
use crate::transport::ByteStream;
use crate::wire::{ClientMessage, ServerMessage};
use futures_util::{SinkExt, Stream, StreamExt};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

pub(crate) type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// From the upgrade to the host's answer.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// Longest wait for a host who is asked whether one may come in.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longest message of a host: a room's whole state.
const MESSAGE_BYTES: usize = 64 << 20;
/// Room for one read, in bytes: the library clears it before each, and most messages are some hundred bytes. A longer message
/// gets the room that it needs.
const READ_BYTES: usize = 8 * 1024;

/// Makes a WebSocket of a connection.
pub(crate) async fn upgrade(dialled: Dialled, path: &str, pass: Option<&Pass>) -> Result<Socket, NetError> {
    let Dialled { io, authority } = dialled;
    let mut request = format!("ws://{authority}{path}").into_client_request().map_err(lost)?;
    if let Some(Pass { token, proof }) = pass {
        let bearer = format!("Bearer {token}").parse().map_err(lost)?;
        request.headers_mut().insert(http::header::AUTHORIZATION, bearer);
        request.headers_mut().insert(PROOF, proof.parse().map_err(lost)?);
    }
    let limits = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(MESSAGE_BYTES))
        .max_frame_size(Some(MESSAGE_BYTES));
    let upgraded = tokio_tungstenite::client_async_with_config(request, io, Some(limits));
    match timeout(HANDSHAKE, upgraded).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(response))) => {
            Err(refusal(response.body().as_deref().unwrap_or_default()))
        }
        Ok(Err(error)) => Err(lost(error)),
        Err(_) => Err(lost("the host does not answer")),
    }
}

/// The host's words in an HTTP answer that is no upgrade.
fn refusal(body: &[u8]) -> NetError {
    #[derive(serde::Deserialize)]
    struct Refused {
        code: String,
        message: String,
    }
    match serde_json::from_slice::<Refused>(body) {
        Ok(Refused { code, message }) => NetError::Refused { code, message },
        // Not the host's words but a proxy's, whose host may come back.
        Err(_) => lost("the connection was refused without a reason"),
    }
}

/// Says `join_room` and waits for the welcome, which is the message returned.
/// While the host is asked, `waiting` is told so, and the answer is awaited for as long as the host says.
pub(crate) async fn enter(
    socket: &mut Socket,
    join: &ClientMessage,
    waiting: &(dyn Fn(&str) + Send + Sync),
) -> Result<ServerMessage, NetError> {
    let late = |_| lost("the host does not answer");
    let mut until = Instant::now() + HANDSHAKE;
    let said = timeout_at(until, socket.send(Message::text(join.encode()))).await;
    said.map_err(late)?.map_err(lost)?;
    loop {
        match timeout_at(until, next(socket)).await.map_err(late)?? {
            Some(welcome @ ServerMessage::RoomJoined { .. }) => return Ok(welcome),
            Some(ServerMessage::Waiting { message, patience_s }) => {
                until = Instant::now() + HANDSHAKE + Duration::from_secs(patience_s).min(PATIENCE);
                waiting(&message);
            }
            Some(ServerMessage::Error { code, message, .. }) => {
                return Err(NetError::Refused { code, message });
            }
            Some(ServerMessage::Bye { code, reason, .. }) => {
                return Err(NetError::Refused { code, message: reason });
            }
            _ => {}
        }
    }
}

/// The next frame of the host; none for one that only shows that the host is alive, or that a later host may send and
/// that is no event.
pub(crate) async fn next(
    socket: &mut (impl Stream<Item = Result<Message, tungstenite::Error>> + Unpin),
) -> Result<Option<ServerMessage>, NetError> {
    let frame = socket.next().await.ok_or_else(|| lost("the host closed the connection"))?;
    match frame.map_err(lost)? {
        Message::Text(text) => match ServerMessage::decode(&text) {
            Ok(message) => Ok(Some(message)),
            Err(error) if text.contains("\"seq\"") => Err(NetError::Protocol(error.to_string())),
            Err(error) => {
                tracing::debug!(%error, "a message was passed over");
                Ok(None)
            }
        },
        Message::Close(_) => Err(lost("the host closed the connection")),
        _ => Ok(None),
    }
}
