//! What a program without a window needs beyond requests: exact options, the raw messages, and why a room ended.

use crate::bridge::{ChatMessageView, RoomSettingsView, RoomView};
use crate::error::{NodeError, for_people};
use crate::node::Node;
use crate::room::hosting::Opening;
use crate::room::stage::Stage;
use crate::room::view::settings_of;
use crate::sync::SyncMeasure;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use synx_domain::{RoomId, UserId};
use synx_net::wire::ServerMessage;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How to host.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Settings of a new room.
    pub settings: RoomSettingsView,
    /// Where to listen; none is every address, on the port that was used last.
    pub listen: Option<SocketAddr>,
    /// Whether the server encrypts; not behind a proxy that does.
    pub tls: bool,
    /// The address of a proxy with an ordinary certificate that leads here, `https://name`.
    pub public_address: Option<String>,
    /// A room of this data folder to open again, in place of a new one.
    pub room: Option<String>,
}

/// A room that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its id.
    pub room_id: String,
    /// Invite link for listeners.
    pub link: String,
    /// Where it listens.
    pub port: u16,
}

/// How to join.
#[derive(Debug, Clone)]
pub struct JoinOptions {
    /// The invite link.
    pub link: String,
    /// `host:port` in place of the link's addresses.
    pub address: Option<String>,
}

/// Why a room is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomEnd {
    /// Stable code.
    pub code: String,
    /// For a person.
    pub message: String,
}

impl Node {
    /// Opens a room and enters it.
    ///
    /// # Errors
    /// When the port is taken, the log cannot be used, or the room to be opened again is not here.
    pub async fn host(&self, options: HostOptions) -> Result<Opened, NodeError> {
        let HostOptions { settings, listen, tls, public_address, room } = options;
        let opening = match room {
            Some(room) => Opening { settings: None, room: room.parse()?, listen, tls, public_address },
            None => {
                let room = RoomId::from_uuid(Uuid::now_v7());
                Opening { settings: Some(settings_of(settings)), room, listen, tls, public_address }
            }
        };
        self.inner().host(opening).await?;
        let stage = self.inner().stage();
        let Stage::Hosted(hosting) = &*stage else { return Err(NodeError::NoRoom) };
        let room_id = hosting.room().id().to_string();
        Ok(Opened { room_id, link: hosting.link()?.1, port: hosting.port() })
    }

    /// Joins a room.
    ///
    /// # Errors
    /// A link that is none, a host that does not answer, or its refusal.
    pub async fn join(&self, options: JoinOptions) -> Result<RoomView, NodeError> {
        self.inner().join_room(&options.link, options.address, false).await
    }

    /// Every message of the room from now on, in wire form. Ends with the room.
    ///
    /// # Errors
    /// [`NodeError::NoRoom`] outside of one.
    pub fn messages(&self) -> Result<mpsc::UnboundedReceiver<Arc<ServerMessage>>, NodeError> {
        match &*self.inner().stage() {
            Stage::Solo(_) => Err(NodeError::NoRoom),
            Stage::Hosted(hosting) => Ok(hosting.feed().listen()),
            Stage::Joined(joined) => Ok(joined.feed().listen()),
        }
    }

    /// Why the room that was joined is no more.
    pub fn room_end(&self) -> RoomEnd {
        let ended = self.inner().last_end.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (code, message) =
            ended.unwrap_or_else(|| ("room_closed".to_owned(), "the room is closed".to_owned()));
        RoomEnd { code, message: for_people(&message) }
    }

    /// How well this machine plays in time now.
    pub fn measure(&self) -> SyncMeasure {
        self.inner().measure(&self.inner().stage())
    }

    /// The last `limit` messages before one, oldest first.
    pub fn chat(&self, before_seq: Option<u64>, limit: u32) -> Vec<ChatMessageView> {
        self.inner().recent_chat(before_seq, limit)
    }

    /// The name of somebody in the room; empty for who is not known.
    pub fn name_of(&self, user: &str) -> String {
        let Ok(user) = user.parse::<UserId>() else { return String::new() };
        self.inner().stage().with(|room| {
            room.members.get(&user).map(|member| member.profile.name.clone()).unwrap_or_default()
        })
    }
}
