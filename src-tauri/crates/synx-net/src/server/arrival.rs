//! The door of `/ws`: from the upgrade to a peer that is in the room, or a refusal that says why.

use crate::Session;
use crate::server::admission::{heard, session_of};
use crate::server::hall::Hall;
use crate::server::listen::Seat;
use crate::server::meters;
use crate::server::peer::{Peer, refusal, say_last};
use crate::server::socket::{Socket, ready_frame};
use crate::server::{Shared, Shop};
use crate::wire::{ClientMessage, PROTOCOL_VERSION, ServerMessage};
use axum::Extension;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use std::net::IpAddr;
use std::sync::Arc;
use synx_domain::{Room, UserProfile};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Answers the upgrade of a peer.
pub(crate) async fn upgrade(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    request: Request,
) -> Result<Response, WebSocketUpgradeRejection> {
    let (address, longest) = (seat.address, shop.config.limits.message_bytes);
    take_over(request, seat, longest, move |socket| serve(socket, shop, address)).await
}

/// Answers an upgrade and hands the connection on. Whether the request is one is the framework's to say; the connection is then taken over as it is,
/// because ready frames go out beneath any library.
pub(crate) async fn take_over<F: Future<Output = ()> + Send + 'static>(
    request: Request,
    seat: Seat,
    message_bytes: usize,
    serve: impl FnOnce(Socket) -> F + Send + 'static,
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
            serve(Socket::over(upgraded, message_bytes).await).await;
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

/// What is needed on the way in, or out, only is kept apart: a connection has what this holds for as long as it lives.
async fn serve(mut socket: Socket, shop: Arc<Shared>, address: IpAddr) {
    match Box::pin(admit(&shop, address, &mut socket)).await {
        Ok(mut peer) => {
            let ending = peer.run(&mut socket).await;
            Box::pin(peer.farewell(&mut socket, ending)).await;
        }
        Err(Some(error)) => {
            meters::said(&error);
            // Whoever is refused may be gone already.
            let told = Box::pin(timeout(shop.config.limits.stalled, say_last(&mut socket, &error)));
            drop(told.await);
        }
        Err(None) => {}
    }
}

/// Lets a peer in and tells it so, or tells why not; nothing where that was said already.
async fn admit(
    shop: &Arc<Shared>,
    address: IpAddr,
    socket: &mut Socket,
) -> Result<Peer, Option<ServerMessage>> {
    let arrival = Arrival::read(shop, address, socket);
    let Ok(arrival) = timeout(shop.config.limits.handshake, arrival).await else {
        let late = "join_room did not come in time: try again";
        return Err(Some(ServerMessage::error(None, "handshake_timeout", late)));
    };
    let arrival = knock(shop, arrival?, socket).await?;
    let (mut peer, welcome) = arrival.enter(shop).await?;
    let first = vec![ready_frame(&welcome)];
    // It holds the whole room: nothing of it shall live as long as the connection.
    drop(welcome);
    if let Err(ending) = peer.write(socket, first).await {
        peer.farewell(socket, ending).await;
        return Err(None);
    }
    Ok(peer)
}

/// Asks the host about who comes by an invite that wants it, and whom the room does not know. They take no seat meanwhile.
async fn knock(shop: &Shared, arrival: Arrival, socket: &mut Socket) -> Result<Arrival, ServerMessage> {
    let Arrival { hall, session, profile, .. } = &arrival;
    let Some(terms) = session.invite.filter(|terms| terms.knock) else { return Ok(arrival) };
    let is_known = |room: &Room| room.members.contains_key(&session.user);
    if hall.backend.with(is_known).unwrap_or(false) {
        return Ok(arrival);
    }
    // The host is shown it, and so is every node of a cluster.
    profile.check().map_err(|rejection| refusal(None, &rejection.into()))?;
    let refused = |code, message| ServerMessage::error(None, code, message);
    let Some(_waiting) = hall.wait_at_door(session.user, &shop.config.limits) else {
        return Err(refused("too_many_connections", "too many are waiting at the door: try again later"));
    };
    let patience = shop.config.limits.knock;
    let message = "the host is asked whether you may come in: waiting for the host".to_owned();
    let waiting = ServerMessage::Waiting { message, patience_s: patience.as_secs() };
    let closing = || refused("closing", "the room is closing: try again");
    let gone = || refused("connection_lost", "who knocked went away");
    socket.feed([ready_frame(&waiting)]);
    socket.flush().await.map_err(|_| gone())?;
    let mut endings = hall.endings();
    let answer = tokio::select! {
        answer = timeout(patience, hall.backend.knock(session.user, profile.clone(), terms.role)) => answer,
        // Nothing is to be said now; what ends the connection ends the waiting.
        () = silence(socket) => return Err(gone()),
        _ = endings.wait_for(Option::is_some) => return Err(closing()),
        () = shop.draining() => return Err(closing()),
    };
    match answer {
        Ok(true) => Ok(arrival),
        Ok(false) => Err(refused("knock_refused", "the host did not let you in")),
        Err(_) => Err(refused("knock_unanswered", "the host did not answer: try again later, or ask them")),
    }
}

/// Passes over pongs until the peer goes or says something.
async fn silence(socket: &mut Socket) {
    while let Some(Ok(Message::Ping(_) | Message::Pong(_))) = socket.next().await {}
}

/// Who is at the door.
struct Arrival {
    hall: Arc<Hall>,
    session: Session,
    profile: UserProfile,
    last_seq: Option<u64>,
}

impl Arrival {
    async fn read(shop: &Shared, address: IpAddr, socket: &mut Socket) -> Result<Self, ServerMessage> {
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
        let ClientMessage::JoinRoom { protocol, room, token, proof, profile, last_seq } = message else {
            return Err(ServerMessage::error(None, "join_first", "the first message must be join_room"));
        };
        if protocol != PROTOCOL_VERSION {
            let message = format!(
                "this host speaks protocol {PROTOCOL_VERSION}, you {protocol}: update the older side"
            );
            return Err(ServerMessage::error(None, "protocol_version", message));
        }
        let hall = shop
            .hall(room)
            .await
            .map_err(|refusal| ServerMessage::error(None, &refusal.code, refusal.message))?;
        let session = heard(shop, address, || Ok(session_of(shop, room, &token, proof.as_deref())?));
        let session =
            session.map_err(|refusal| ServerMessage::error(None, &refusal.code, refusal.message))?;
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
