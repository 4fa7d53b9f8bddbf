//! Invites as the room knows them: made, used, revoked. What is signed and given away is the host's business; whether it
//! still opens the room is decided here, in the order of the log, so that the last use of an invite is one person's.

use crate::decide::Decision;
use crate::{InviteId, Moment, Rejection, Role, Room, RoomEvent, UserId};
use serde::{Deserialize, Serialize};

/// What an invite grants, as the host signed it. Its id is no secret: the signature is what opens the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteTerms {
    /// Names the invite.
    pub id: InviteId,
    /// What the invited may do, at most [`Role::Dj`].
    pub role: Role,
    /// Until when it is good, by the host's wall clock, seconds since 1970 UTC.
    pub expires_at_s: u64,
    /// How many people may come in by it; none: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// Whether the host is asked before somebody comes in by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub knock: bool,
}

/// An invite in the room's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInvite {
    /// What it grants.
    #[serde(flatten)]
    pub terms: InviteTerms,
    /// How many people came in by it.
    pub uses: u32,
    /// Whether the host took it back.
    pub revoked: bool,
}

impl InviteTerms {
    fn has_expired(&self, now_ms: i64) -> bool {
        u64::try_from(now_ms / 1000).is_ok_and(|now_s| now_s >= self.expires_at_s)
    }
}

impl RoomInvite {
    pub(crate) fn new(terms: InviteTerms) -> Self {
        Self { terms, uses: 0, revoked: false }
    }
}

impl Room {
    /// Invites that have not expired.
    pub const INVITES_MAX: usize = 256;

    /// Whether somebody new may come in by this invite. One that the room has not heard of yet (the host signed it while
    /// its room was closed, say) is as good as its signature.
    ///
    /// # Errors
    /// Expired, revoked or used up.
    pub fn check_invite(&self, terms: &InviteTerms, now_ms: i64) -> Result<(), Rejection> {
        let known = self.invites.get(&terms.id);
        if terms.has_expired(now_ms) {
            return Err(Rejection::InviteExpired);
        }
        if known.is_some_and(|invite| invite.revoked) {
            return Err(Rejection::InviteRevoked);
        }
        let uses = known.map_or(0, |invite| invite.uses);
        if terms.max_uses.is_some_and(|max| uses >= max) {
            return Err(Rejection::InviteUsedUp);
        }
        if known.is_none() { self.room_for_invite(now_ms) } else { Ok(()) }
    }

    fn room_for_invite(&self, now_ms: i64) -> Result<(), Rejection> {
        let live = self.invites.values().filter(|invite| !invite.terms.has_expired(now_ms)).count();
        if live < Self::INVITES_MAX {
            return Ok(());
        }
        let remedy = "wait until one of them has expired";
        Err(Rejection::TooMany { what: "invites", limit: Self::INVITES_MAX, remedy })
    }

    pub(crate) fn create_invite(&self, terms: &InviteTerms, now: Moment) -> Decision {
        if self.invites.contains_key(&terms.id) {
            return Ok(vec![]);
        }
        let problem = match terms {
            InviteTerms { role: Role::Host, .. } => Some(("role", "must be listener or dj")),
            InviteTerms { max_uses: Some(0), .. } => Some(("max_uses", "must be at least 1")),
            terms if terms.has_expired(now.wall_clock_ms) => Some(("expires_at_s", "must lie ahead")),
            _ => None,
        };
        if let Some((field, problem)) = problem {
            return Err(Rejection::Invalid { field, problem: problem.to_owned() });
        }
        self.room_for_invite(now.wall_clock_ms)?;
        Ok(vec![RoomEvent::InviteCreated { invite: *terms }])
    }

    pub(crate) fn revoke_invite(&self, id: InviteId) -> Decision {
        let known = self.invites.get(&id).ok_or(Rejection::NoSuchInvite)?;
        Ok(if known.revoked { vec![] } else { vec![RoomEvent::InviteRevoked { invite: id }] })
    }

    /// The invite by which a member came, if it would still let somebody in.
    pub(crate) fn live_invite_of(&self, user: UserId) -> Option<InviteId> {
        let id = self.members.get(&user)?.invite?;
        self.invites.get(&id).filter(|invite| !invite.revoked).map(|invite| invite.terms.id)
    }

    /// Notes an invite, and forgets those that had expired by then: their signature lets nobody in any more.
    pub(crate) fn note_invite(&mut self, terms: &InviteTerms, now_ms: i64) -> &mut RoomInvite {
        self.invites.retain(|id, invite| *id == terms.id || !invite.terms.has_expired(now_ms));
        self.invites.entry(terms.id).or_insert_with(|| RoomInvite::new(*terms))
    }
}
