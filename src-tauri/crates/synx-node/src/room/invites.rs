//! Invites of a hosted room: signed with the machine's key, noted in the room's log, given out as links.
//!
//! Must never put a signed invite into the log or a log line: the link alone opens the door.

use crate::bridge::InviteView;
use crate::error::NodeError;
use crate::room::hosted::HostedRoom;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use synx_domain::{Command, InviteId, InviteTerms, Role, Room, RoomInvite, UserId};
use synx_net::{HostKey, InviteLink};
use uuid::Uuid;

/// How long the link that is shown first is good for.
const FIRST_INVITE_LASTS: Duration = Duration::from_secs(30 * 86_400);
/// A room that opens again shows the same link, if it is good for longer than this.
const STILL_GOOD: Duration = Duration::from_secs(7 * 86_400);

/// What a new invite shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewInvite {
    /// What the invited may do.
    pub role: Role,
    /// How long it is good.
    pub expires_in: Duration,
    /// How many people may come in by it; none: any number.
    pub max_uses: Option<u32>,
    /// Whether the host is asked about each of them.
    pub knock: bool,
}

impl NewInvite {
    /// Its terms from now on, under a new id.
    pub fn terms(self) -> InviteTerms {
        let Self { role, expires_in, max_uses, knock } = self;
        let expires_at_s = now_s().saturating_add(expires_in.as_secs().max(1));
        InviteTerms { id: InviteId::from_uuid(Uuid::now_v7()), role, expires_at_s, max_uses, knock }
    }
}

fn now_s() -> u64 {
    u64::try_from(crate::wall_clock_ms() / 1000).unwrap_or(0)
}

/// What every link to a room of this machine has in common.
#[derive(Debug, Clone)]
pub struct Door {
    /// Where the host is reached: `host:port`, or `https://name` of a proxy.
    pub addresses: Vec<String>,
    /// The one certificate to accept; none without encryption.
    pub fingerprint: Option<[u8; 32]>,
}

/// Signs an invite and puts it into a link.
///
/// # Errors
/// When it cannot be signed.
pub fn invite_link(
    host_key: &HostKey,
    room: &Room,
    door: Door,
    terms: &InviteTerms,
) -> Result<String, NodeError> {
    let id = room.id.ok_or(NodeError::NoSuchRoom)?;
    let link = InviteLink {
        room: id,
        name: room.settings.as_ref().map(|settings| settings.name.clone()).unwrap_or_default(),
        addresses: door.addresses,
        fingerprint: door.fingerprint,
        invite: Some(host_key.sign_invite(id, terms)?),
    };
    Ok(link.to_string())
}

/// The invites as they are drawn, newest first.
pub fn invite_views(room: &Room) -> Vec<InviteView> {
    let now_ms = crate::wall_clock_ms();
    let view = |RoomInvite { terms, uses, revoked }: &RoomInvite| InviteView {
        id: terms.id.to_string(),
        role: terms.role.into(),
        expires_at_ms: i64::try_from(terms.expires_at_s).unwrap_or(i64::MAX).saturating_mul(1000),
        uses: *uses,
        max_uses: terms.max_uses,
        knock: terms.knock,
        revoked: *revoked,
        usable: room.check_invite(terms, now_ms).is_ok(),
    };
    room.invites.values().rev().map(view).collect()
}

/// The invite of the link that a room shows, kept good: one that was revoked has another follow it.
pub struct FirstInvite {
    terms: Mutex<InviteTerms>,
}

impl FirstInvite {
    /// Takes the one from before, if it is good for a while yet, or makes one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn of(room: &HostedRoom, host: UserId) -> Result<Self, NodeError> {
        let terms = match room.with(still_good) {
            Some(terms) => terms,
            None => create(room, host, first()).await?,
        };
        Ok(Self { terms: Mutex::new(terms) })
    }

    /// Its terms.
    pub fn terms(&self) -> InviteTerms {
        *self.lock()
    }

    /// Follows the room; `told` is called when there is another.
    pub async fn follow(self: Arc<Self>, room: Arc<HostedRoom>, host: UserId, told: impl Fn() + Send) {
        let mut changes = room.changes();
        while changes.changed().await.is_ok() {
            let id = self.terms().id;
            if room.with(|room| room.invites.get(&id).is_none_or(|invite| !invite.revoked)) {
                continue;
            }
            match create(&room, host, first()).await {
                Ok(terms) => *self.lock() = terms,
                Err(error) => return tracing::warn!(%error, "the room's link is of no more use"),
            }
            told();
        }
    }

    fn lock(&self) -> MutexGuard<'_, InviteTerms> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn first() -> NewInvite {
    NewInvite { role: Role::Listener, expires_in: FIRST_INVITE_LASTS, max_uses: None, knock: false }
}

/// An invite as the first one is, that lasts for a while yet.
fn still_good(room: &Room) -> Option<InviteTerms> {
    let soon_ms = crate::wall_clock_ms().saturating_add(STILL_GOOD.as_millis() as i64);
    let plain =
        |terms: &InviteTerms| terms.role == Role::Listener && terms.max_uses.is_none() && !terms.knock;
    let mut all = room.invites.values().map(|invite| invite.terms);
    all.find(|terms| plain(terms) && room.check_invite(terms, soon_ms).is_ok())
}

/// Makes an invite and notes it in the log.
///
/// # Errors
/// The room's refusal, or a log that cannot be written.
pub async fn create(room: &HostedRoom, host: UserId, new: NewInvite) -> Result<InviteTerms, NodeError> {
    let invite = new.terms();
    room.execute_as(host, Command::CreateInvite { invite }).await?;
    Ok(invite)
}

/// Takes an invite back, by its id or its link. One that the room has not heard of is noted first, so that it stays revoked.
///
/// # Errors
/// What is neither, another room's, or the room's refusal.
pub async fn revoke(
    room: &HostedRoom,
    host: UserId,
    host_key: &HostKey,
    id_or_link: &str,
) -> Result<(), NodeError> {
    let id = match id_or_link.parse::<InviteId>() {
        Ok(id) => id,
        Err(_) => {
            let link: InviteLink = id_or_link.parse()?;
            let signed =
                link.invite.ok_or(synx_net::TokenError::InviteMissing).map_err(synx_net::NetError::from)?;
            let terms = host_key.check_invite(room.id(), &signed).map_err(synx_net::NetError::from)?;
            room.execute_as(host, Command::CreateInvite { invite: terms }).await?;
            terms.id
        }
    };
    room.execute_as(host, Command::RevokeInvite { invite: id }).await?;
    Ok(())
}
