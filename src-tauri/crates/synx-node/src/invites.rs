//! Invites of a data folder whose host may or may not be running: what `synx invite` does.

use crate::bridge::{InviteView, RoleView};
use crate::data_dir::{DataDir, DataPaths};
use crate::error::NodeError;
use crate::history::History;
use crate::room::hosted::HostedRoom;
use crate::room::invites::{self, Door, NewInvite, invite_link, invite_views};
use crate::settings::Settings;
use std::path::Path;
use std::time::Duration;
use synx_domain::{Command, Room, UserId};
use synx_log::{Log, LogOptions};
use synx_net::{HostKey, Identity, TlsIdentity};

/// What an invite made outside of the running host shall be.
#[derive(Debug, Clone)]
pub struct InviteOptions {
    /// The room; none where there is one only.
    pub room: Option<String>,
    /// What the invited may do.
    pub role: RoleView,
    /// How long it is good.
    pub expires_in: Duration,
    /// How many people may come in by it.
    pub max_uses: Option<u32>,
    /// Whether the host is asked about each of them.
    pub knock: bool,
    /// Addresses (`host:port`) in place of this machine's.
    pub addresses: Vec<String>,
}

/// Makes an invite link. While the host is running its log is its own: it hears of the invite when somebody comes in by it.
///
/// # Errors
/// When no room was hosted from there, or the log or the keys cannot be read or written.
pub async fn make_invite(data_dir: &Path, options: InviteOptions) -> Result<String, NodeError> {
    let room = History::open(data_dir)?.replay(options.room.as_deref(), None).await?;
    let paths = DataPaths::of(data_dir);
    let offer = Settings::load(paths.settings()).values().offer.clone().ok_or(NodeError::NoSuchRoom)?;
    let fingerprint =
        if offer.tls { Some(TlsIdentity::load_or_create(&paths.tls())?.fingerprint()) } else { None };
    let addresses = if options.addresses.is_empty() { offer.addresses } else { options.addresses };
    let InviteOptions { role, expires_in, max_uses, knock, .. } = options;
    let terms = NewInvite { role: role.into(), expires_in, max_uses, knock }.terms();
    match Closed::open(data_dir, &room).await {
        Ok(closed) => {
            closed.room.execute_as(closed.host, Command::CreateInvite { invite: terms }).await?;
            closed.log.close();
        }
        Err(NodeError::DataDirInUse { .. }) => {}
        Err(error) => return Err(error),
    }
    invite_link(&HostKey::load_or_create(&paths.host_key())?, &room, Door { addresses, fingerprint }, &terms)
}

/// The invites that the room's log knows of, newest first.
///
/// # Errors
/// When no room was hosted from there, or the log cannot be read.
pub async fn list_invites(data_dir: &Path, room: Option<&str>) -> Result<Vec<InviteView>, NodeError> {
    Ok(invite_views(&History::open(data_dir)?.replay(room, None).await?))
}

/// Takes an invite back, by its id or its link.
///
/// # Errors
/// [`NodeError::DataDirInUse`] while the host is running, which is then the one to ask; else as for a room that is open.
pub async fn revoke_invite(data_dir: &Path, room: Option<&str>, id_or_link: &str) -> Result<(), NodeError> {
    let state = History::open(data_dir)?.replay(room, None).await?;
    let closed = Closed::open(data_dir, &state).await?;
    let host_key = HostKey::load_or_create(&DataPaths::of(data_dir).host_key())?;
    let revoked = invites::revoke(&closed.room, closed.host, &host_key, id_or_link).await;
    closed.log.close();
    revoked
}

/// A room whose host is not running, opened to write.
struct Closed {
    room: HostedRoom,
    host: UserId,
    log: Log,
    _data: DataDir,
}

impl Closed {
    async fn open(data_dir: &Path, room: &Room) -> Result<Self, NodeError> {
        let data = DataDir::open(data_dir)?;
        let log = data.paths().open_log(LogOptions::default())?;
        let host = Identity::owner(&data.paths().identity())?;
        let room = HostedRoom::open(log.clone(), room.id.ok_or(NodeError::NoSuchRoom)?).await?;
        Ok(Self { room, host, log, _data: data })
    }
}
