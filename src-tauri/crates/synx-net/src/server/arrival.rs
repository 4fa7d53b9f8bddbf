//! The door of `/ws`: from the upgrade to a peer that is in the room, or a refusal that says why.

use crate::server::hall::Hall;
use crate::server::listen::Seat;
use crate::server::peer::{Peer, refusal, say_last};
use crate::server::socket::{Socket, ready_frame};
use crate::server::{Shared, Shop};
use crate::wire::{ClientMessage, PROTOCOL_VERSION, ServerMessage};
use crate::{Session, TokenError};
use axum::Extension;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use std::sync::Arc;
use synx_domain::UserProfile;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Answers the upgrade. Whether the request is one is the framework's to say; the connection is then taken over as it is,
/// because ready frames go out beneath any library.
pub(crate) async fn upgrade(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    request: Request,
) -> Result<Response, WebSocketUpgradeRejection> {
    let mut parts = request.into_parts().0;
    let connection = parts.extensions.get::<OnUpgrade>().cloned();
    drop(WebSocketUpgrade::from_request_parts(&mut parts, &()).await?);
    let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    let accept = HeaderValue::from_str(&derive_accept_key(key));
    tokio::spawn(async move {
        if let Some(connection) = connection
            && let Ok(upgraded) = connection.await
        {
            let socket = Socket::over(upgraded, shop.config.limits.message_bytes).await;
            serve(socket, shop).await;
        }
        drop(seat);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = accept {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(response)
}

async fn serve(mut socket: Socket, shop: Arc<Shared>) {
    let arrival = match timeout(shop.config.limits.handshake, Arrival::read(&shop, &mut socket)).await {
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
            let first = vec![ready_frame(&welcome.encode())];
            // It holds the whole room: nothing of it shall live as long as the connection.
            drop(welcome);
            let welcomed = peer.write(&mut socket, first).await;
            let ending = match welcomed {
                Ok(()) => peer.run(&mut socket).await,
                Err(ending) => ending,
            };
            peer.farewell(&mut socket, ending).await;
        }
        Err(error) => {
            // Whoever is refused may be gone already.
            drop(timeout(shop.config.limits.stalled, say_last(&mut socket, &error)).await);
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
    async fn read(shop: &Shared, socket: &mut Socket) -> Result<Self, ServerMessage> {
        let text = loop {
            match socket.next().await {
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
