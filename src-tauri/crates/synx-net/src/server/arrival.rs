//! The door of `/ws`: from the upgrade to a peer that is in the room, or a refusal that says why.

use crate::server::hall::Hall;
use crate::server::listen::Seat;
use crate::server::peer::{Peer, refusal, say_last};
use crate::server::{Shared, Shop};
use crate::wire::{ClientMessage, PROTOCOL_VERSION, ServerMessage};
use crate::{Session, TokenError};
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use std::sync::Arc;
use synx_domain::UserProfile;
use tokio::time::timeout;

pub(crate) async fn upgrade(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let bytes = shop.config.limits.message_bytes;
    upgrade.max_message_size(bytes).max_frame_size(bytes).on_upgrade(async move |socket| {
        serve(socket, shop).await;
        drop(seat);
    })
}

async fn serve(socket: WebSocket, shop: Arc<Shared>) {
    let (mut sink, mut stream) = socket.split();
    let arrival = match timeout(shop.config.limits.handshake, Arrival::read(&shop, &mut stream)).await {
        Ok(arrival) => arrival,
        Err(_) => {
            Err(ServerMessage::error(None, "handshake_timeout", "join_room did not come in time: try again"))
        }
    };
    let entered = match arrival {
        Ok(arrival) => arrival.enter(&shop).await,
        Err(error) => Err(error),
    };
    match entered {
        Ok((mut peer, welcome)) => {
            let ending = match peer.write(&mut sink, vec![welcome.encode().into()]).await {
                Ok(()) => peer.run(&mut sink, &mut stream).await,
                Err(ending) => ending,
            };
            peer.farewell(&mut sink, ending).await;
        }
        Err(error) => {
            // Whoever is refused may be gone already.
            drop(timeout(shop.config.limits.stalled, say_last(&mut sink, &error)).await);
        }
    }
}

/// Who is at the door.
struct Arrival {
    hall: Arc<Hall>,
    session: Session,
    profile: UserProfile,
    last_seq: Option<u64>,
}

impl Arrival {
    async fn read(shop: &Shared, stream: &mut SplitStream<WebSocket>) -> Result<Self, ServerMessage> {
        let text = loop {
            match stream.next().await {
                Some(Ok(Message::Text(text))) => break text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => {
                    return Err(ServerMessage::error(
                        None,
                        "not_a_message",
                        "expected join_room as a text frame",
                    ));
                }
            }
        };
        let message = ClientMessage::decode(&text)
            .map_err(|error| ServerMessage::error(None, error.code(), error.to_string()))?;
        let ClientMessage::JoinRoom { protocol, room, token, profile, last_seq } = message else {
            return Err(ServerMessage::error(None, "join_first", "the first message must be join_room"));
        };
        if protocol != PROTOCOL_VERSION {
            let message = format!(
                "this host speaks protocol {PROTOCOL_VERSION}, you {protocol}: update the older side"
            );
            return Err(ServerMessage::error(None, "protocol_version", message));
        }
        let hall =
            shop.hall(room).map_err(|refusal| ServerMessage::error(None, &refusal.code, refusal.message))?;
        let refused = |error: TokenError| ServerMessage::error(None, error.code(), error.to_string());
        let session = shop.config.host_key.check_session(room, &token).map_err(refused)?;
        Ok(Self { hall, session, profile, last_seq })
    }

    /// Takes a seat and lets the member into the room; the peer with what it is told first.
    async fn enter(self, shop: &Arc<Shared>) -> Result<(Peer, ServerMessage), ServerMessage> {
        let full = || {
            ServerMessage::error(
                None,
                "too_many_connections",
                "the host takes no more connections, or none more of yours: close one, or try again later",
            )
        };
        let mut peer = Peer::seat(shop, self.hall, self.session).ok_or_else(full)?;
        peer.enter(self.profile).await.map_err(|failure| refusal(None, &failure))?;
        let closing = || ServerMessage::error(None, "closing", "the room is closing: try again");
        let welcome = peer.welcome(self.last_seq).ok_or_else(closing)?;
        Ok((peer, welcome))
    }
}
