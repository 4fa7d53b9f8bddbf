//! A peer's WebSocket by hand: frames as they are.

use crate::house::{House, profile};
use crate::room::command_id;
use crate::soon;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use synx_domain::{CommandId, RoomId, UserId};
use synx_net::wire::ServerMessage;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

pub struct Peer {
    pub socket: WebSocketStream<TcpStream>,
}

/// The first message, as it should be.
pub fn join_room(room: RoomId, token: &str) -> Value {
    json!({"type": "join_room", "protocol": 1, "room": room, "token": token, "profile": profile("Raw")})
}

impl Peer {
    /// At the door: `join_room` is still to be said.
    pub async fn at_door(at: SocketAddr) -> Self {
        Self::connect(at, "/ws", None).await
    }

    pub async fn connect(at: SocketAddr, path: &str, token: Option<&str>) -> Self {
        let stream = TcpStream::connect(at).await.unwrap();
        let mut request = format!("ws://{at}{path}").into_client_request().unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let (socket, _) = soon(tokio_tungstenite::client_async(request, stream)).await.unwrap();
        Self { socket }
    }

    /// In the room, by a token that the host signed.
    pub async fn join(house: &House, user: UserId) -> Self {
        let (mut peer, welcome) = Self::knock(house, join_room(house.room.id(), &house.token(user))).await;
        assert!(matches!(welcome, ServerMessage::RoomJoined { .. }), "{welcome:?}");
        peer.until_seq(house.room.seq(), &welcome).await;
        peer
    }

    /// Says the first message; what the host answers.
    pub async fn knock(house: &House, first: Value) -> (Self, ServerMessage) {
        let mut peer = Self::at_door(house.at()).await;
        peer.say(&first).await;
        let answer = peer.hear().await.expect("an answer");
        (peer, answer)
    }

    /// The code with which the door stays shut.
    pub async fn refusal(house: &House, first: Value) -> String {
        let (mut peer, answer) = Self::knock(house, first).await;
        let ServerMessage::Error { id: None, code, .. } = answer else { panic!("let in: {answer:?}") };
        assert_eq!(peer.hear().await, None, "who is refused is not kept waiting");
        code
    }

    /// Passes over events that were there before the welcome's head.
    async fn until_seq(&mut self, seq: u64, welcome: &ServerMessage) {
        let ServerMessage::RoomJoined { head_seq, .. } = welcome else { unreachable!() };
        let mut here = *head_seq;
        while here < seq {
            if let Some(ServerMessage::Event(event)) = self.hear().await {
                here = event.header.seq;
            }
        }
    }

    pub async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        soon(self.socket.send(message)).await.expect("the host still listens");
    }

    /// A command under a new id.
    pub async fn command(&mut self, mut command: Value) -> CommandId {
        let id = command_id();
        command["id"] = json!(id);
        self.say(&command).await;
        id
    }

    pub async fn chat(&mut self, text: &str) -> CommandId {
        self.command(json!({"type": "chat_message", "text": text})).await
    }

    /// The next message; none when the connection has ended.
    pub async fn hear(&mut self) -> Option<ServerMessage> {
        soon(self.next()).await
    }

    async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => return Some(ServerMessage::decode(&text).expect("a message")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Whether anything came before the end.
    pub async fn hear_anything(&mut self) -> bool {
        matches!(soon(self.socket.next()).await, Some(Ok(_)))
    }

    /// All that the host says until it answers a command, the answer last.
    pub async fn until_answered(&mut self, command: CommandId) -> Vec<ServerMessage> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.hear().await.expect("an answer"));
            match heard.last() {
                Some(ServerMessage::Ok { id, .. }) if *id == command => return heard,
                Some(ServerMessage::Error { id, .. }) if *id == Some(command) => return heard,
                _ => {}
            }
        }
    }

    /// The seq, or the refusal's code.
    pub async fn answer(&mut self, command: CommandId) -> Result<u64, String> {
        match self.until_answered(command).await.pop() {
            Some(ServerMessage::Ok { seq, .. }) => Ok(seq),
            Some(ServerMessage::Error { code, .. }) => Err(code),
            other => unreachable!("{other:?}"),
        }
    }

    /// The next error, whatever else comes before it: its id, code and words.
    pub async fn next_error(&mut self) -> (Option<CommandId>, String, String) {
        let error = async {
            loop {
                if let ServerMessage::Error { id, code, message } = self.next().await.expect("an error") {
                    return (id, code, message);
                }
            }
        };
        soon(error).await
    }

    /// The code of the goodbye, if there is one before the end.
    pub async fn until_bye(&mut self) -> Option<String> {
        loop {
            if let ServerMessage::Bye { code, .. } = self.hear().await? {
                return Some(code);
            }
        }
    }
}
