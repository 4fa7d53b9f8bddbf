//! Public rooms on the local network, by multicast DNS.
//!
//! Must never announce a private room, and never trust an announcement further than to try a connection: the fingerprint
//! in it is what the connection is pinned to.

use crate::{InviteLink, NetError};
use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent, ServiceInfo};
use std::collections::HashMap;
use std::net::SocketAddr;
use synx_domain::RoomId;

const SERVICE: &str = "_synxsphere._tcp.local.";

fn failed(error: impl std::fmt::Display) -> NetError {
    NetError::Discovery(error.to_string())
}

/// Longest text in an announcement, in bytes: a TXT string holds 255 with its key (RFC 6763, 6.1).
const TEXT_BYTES: usize = 200;

/// What a public room says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanNotice {
    /// The room's name.
    pub name: String,
    /// The host's name.
    pub host_name: String,
    /// How many are in it.
    pub participants: u32,
    /// Its genres.
    pub genres: Vec<String>,
}

/// A room that is announced for as long as this lives.
pub struct Announcement {
    daemon: ServiceDaemon,
    room: RoomId,
    port: u16,
    fingerprint: Option<[u8; 32]>,
}

impl Announcement {
    /// Announces a public room.
    ///
    /// # Errors
    /// [`NetError::Discovery`] when multicast is not to be had.
    pub fn start(
        room: RoomId,
        port: u16,
        fingerprint: Option<[u8; 32]>,
        notice: &LanNotice,
    ) -> Result<Self, NetError> {
        let daemon = ServiceDaemon::new().map_err(failed)?;
        let announcement = Self { daemon, room, port, fingerprint };
        announcement.update(notice)?;
        Ok(announcement)
    }

    /// Says something else from now on.
    ///
    /// # Errors
    /// [`NetError::Discovery`].
    pub fn update(&self, notice: &LanNotice) -> Result<(), NetError> {
        let mut properties = HashMap::from([
            ("room".to_owned(), self.room.to_string()),
            ("name".to_owned(), shortened(&notice.name)),
            ("host".to_owned(), shortened(&notice.host_name)),
            ("people".to_owned(), notice.participants.to_string()),
            ("genres".to_owned(), shortened(&notice.genres.join(","))),
        ]);
        if let Some(fingerprint) = self.fingerprint {
            properties.insert("fp".to_owned(), data_encoding::HEXLOWER.encode(&fingerprint));
        }
        let instance = self.room.uuid().simple().to_string();
        let host = format!("synxsphere-{instance}.local.");
        let info = ServiceInfo::new(SERVICE, &instance, &host, "", self.port, properties).map_err(failed)?;
        self.daemon.register(info.enable_addr_auto()).map_err(failed)
    }
}

/// As much of a text as fits, whole characters only.
fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES)].to_owned()
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // The network forgets it by itself when the goodbye cannot be sent.
        drop(self.daemon.shutdown());
    }
}

/// A room that somebody announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanRoom {
    /// The room.
    pub room_id: RoomId,
    /// What it says of itself.
    pub notice: LanNotice,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// SHA-256 of the host's certificate.
    pub fingerprint: Option<[u8; 32]>,
}

impl LanRoom {
    /// The link to it; public rooms need no invite.
    pub fn link(&self) -> InviteLink {
        InviteLink {
            room: self.room_id,
            name: self.notice.name.clone(),
            addresses: self.addresses.iter().map(SocketAddr::to_string).collect(),
            fingerprint: self.fingerprint,
            invite: None,
        }
    }
}

/// A change of what is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LanChange {
    /// A room is there, or has changed.
    Found(LanRoom),
    /// A room is gone.
    Lost(RoomId),
}

/// Listens for announcements for as long as it lives.
pub struct Browser {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
}

impl Browser {
    /// Starts to listen.
    ///
    /// # Errors
    /// [`NetError::Discovery`] when multicast is not to be had.
    pub fn start() -> Result<Self, NetError> {
        let daemon = ServiceDaemon::new().map_err(failed)?;
        let events = daemon.browse(SERVICE).map_err(failed)?;
        Ok(Self { daemon, events })
    }

    /// The next change; none when listening has ended.
    pub async fn next(&mut self) -> Option<LanChange> {
        loop {
            match self.events.recv_async().await.ok()? {
                ServiceEvent::ServiceResolved(service) => {
                    let property =
                        |key: &str| service.get_property_val_str(key).unwrap_or_default().to_owned();
                    let addresses = service
                        .get_addresses()
                        .iter()
                        .map(|ip| SocketAddr::new(ip.to_ip_addr(), service.get_port()));
                    if let Some(room) = room_of(property, addresses.collect()) {
                        return Some(LanChange::Found(room));
                    }
                }
                ServiceEvent::ServiceRemoved(_, name) => {
                    let id = name.split('.').next().and_then(|id| id.parse().ok());
                    if let Some(room) = id {
                        return Some(LanChange::Lost(room));
                    }
                }
                _ => {}
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.daemon.shutdown());
    }
}

/// Longest text and most genres that are believed.
const NAME_CHARS: usize = TEXT_BYTES;
const GENRES: usize = 16;

/// What an announcement says; none for one that makes no sense.
fn room_of(property: impl Fn(&str) -> String, addresses: Vec<SocketAddr>) -> Option<LanRoom> {
    let fingerprint = match property("fp").as_str() {
        "" => None,
        text => Some(data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()?),
    };
    let text = |key| property(key).chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect::<String>();
    let notice = LanNotice {
        name: text("name"),
        host_name: text("host"),
        participants: property("people").parse().unwrap_or(0),
        genres: text("genres").split(',').filter(|g| !g.is_empty()).take(GENRES).map(str::to_owned).collect(),
    };
    Some(LanRoom { room_id: property("room").parse().ok()?, notice, addresses, fingerprint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_that_makes_no_sense_is_no_room() {
        let address: SocketAddr = "192.0.2.1:47900".parse().unwrap();
        let id = "01890000-0000-7000-8000-000000000001";
        let with = |room: &'static str, fp: &'static str| {
            room_of(
                move |key| {
                    match key {
                        "room" => room,
                        "fp" => fp,
                        "genres" => "dub,ambient",
                        "people" => "3",
                        "host" => "Ana\u{7}",
                        _ => "Friday",
                    }
                    .to_owned()
                },
                vec![address],
            )
        };
        let room = with(id, "").unwrap();
        let notice = LanNotice {
            name: "Friday".to_owned(),
            host_name: "Ana".to_owned(),
            participants: 3,
            genres: vec!["dub".to_owned(), "ambient".to_owned()],
        };
        assert_eq!((room.notice.clone(), room.link().invite), (notice, None));
        assert_eq!(with("nonsense", ""), None);
        assert_eq!(with(id, "abc"), None);
    }
}
