//! Decisions about who is in the room, what they may do, and how room and people present themselves.

use crate::decide::Decision;
use crate::{
    InviteTerms, LeaveReason, Member, Moment, MusicalPreferences, Rejection, Role, Room, RoomEvent,
    RoomSettings, SettingsChange, UserId, UserProfile, validate,
};

impl Room {
    pub(crate) fn create(&self, host: UserId, profile: &UserProfile, settings: &RoomSettings) -> Decision {
        if self.settings.is_some() {
            return Err(Rejection::RoomExists);
        }
        validate::profile(profile)?;
        validate::settings(settings)?;
        Ok(vec![RoomEvent::RoomCreated { host, profile: profile.clone(), settings: settings.clone() }])
    }

    pub(crate) fn join(
        &self,
        user: UserId,
        profile: &UserProfile,
        role: Role,
        invite: Option<&InviteTerms>,
        now: Moment,
    ) -> Decision {
        validate::profile(profile)?;
        let known = self.members.get(&user);
        let named = || UserProfile { name: self.free_name(user, &profile.name), ..profile.clone() };
        if let Some(member) = known.filter(|member| member.present) {
            return if member.profile == *profile { Ok(vec![]) } else { member.present_as(user, named()) };
        }
        if known.is_some_and(|member| member.left == Some(LeaveReason::Removed)) {
            return Err(Rejection::Removed);
        }
        let is_host = self.host == Some(user);
        let limit = self.settings.as_ref().map_or(0, |settings| settings.max_participants);
        if !is_host && self.present_count() >= limit as usize {
            return Err(Rejection::RoomFull { limit });
        }
        let checked = invite.map(|terms| self.check_invite(terms, now.wall_clock_ms).map(|()| *terms));
        // Who is known needs no invite: a bad one only raises nothing.
        let used = if known.is_none() { checked.clone().transpose()? } else { None };
        let granted = checked.and_then(Result::ok).map(|terms| terms.role);
        let invited_as = role.max(granted.unwrap_or(Role::Listener)).min(Role::Dj);
        let role = match known {
            // An old invite must not bring back what the host took away.
            Some(member) if member.role_set => member.role,
            Some(member) => member.role.max(invited_as),
            None => invited_as,
        };
        Ok(vec![RoomEvent::UserJoined { user, profile: named(), role, invite: used }])
    }

    pub(crate) fn update_profile(&self, user: UserId, profile: &UserProfile) -> Decision {
        validate::profile(profile)?;
        let member = self.member(user)?;
        // An unchanged name stays theirs, whatever the rules were when they got it.
        if member.profile.name != profile.name && self.is_taken(user, &profile.name) {
            return Err(Rejection::NameTaken);
        }
        member.present_as(user, profile.clone())
    }

    pub(crate) fn remove_member(&self, user: UserId, may_return: bool) -> Decision {
        let target = self.present(user).ok_or(Rejection::NoSuchMember)?;
        if target.role == Role::Host {
            return Err(Rejection::HostStays);
        }
        let reason = if may_return { LeaveReason::SentOut } else { LeaveReason::Removed };
        // For good means for good: a new key is made in a moment, and would come in by the same link.
        let invite = self.live_invite_of(user).filter(|_| !may_return);
        let revoked = invite.map(|invite| RoomEvent::InviteRevoked { invite });
        Ok([RoomEvent::UserLeft { user, reason }].into_iter().chain(revoked).collect())
    }

    pub(crate) fn lift_ban(&self, user: UserId) -> Decision {
        let target = self.members.get(&user).ok_or(Rejection::NoSuchMember)?;
        let banned = target.left == Some(LeaveReason::Removed);
        Ok(if banned { vec![RoomEvent::BanLifted { user }] } else { vec![] })
    }

    pub(crate) fn change_role(&self, user: UserId, role: Role) -> Decision {
        let target = self.members.get(&user).ok_or(Rejection::NoSuchMember)?;
        if target.role == Role::Host || role == Role::Host {
            return Err(Rejection::HostStays);
        }
        Ok(if target.role == role { vec![] } else { vec![RoomEvent::RoleChanged { user, role }] })
    }

    pub(crate) fn update_settings(&self, change: &SettingsChange) -> Decision {
        validate::settings_change(change)?;
        let unchanged = self.settings.as_ref().is_some_and(|settings| settings.with(change) == *settings);
        Ok(if unchanged { vec![] } else { vec![RoomEvent::SettingsUpdated { change: change.clone() }] })
    }
}

impl Member {
    fn present_as(&self, user: UserId, profile: UserProfile) -> Decision {
        let unchanged = self.profile == profile;
        Ok(if unchanged { vec![] } else { vec![RoomEvent::ProfileUpdated { user, profile }] })
    }

    pub(crate) fn update_preferences(&self, user: UserId, preferences: &MusicalPreferences) -> Decision {
        validate::preferences(preferences)?;
        if self.preferences == *preferences {
            return Ok(vec![]);
        }
        Ok(vec![RoomEvent::MusicalPreferencesUpdated { user, preferences: preferences.clone() }])
    }
}

pub(crate) fn leave(user: UserId, reason: LeaveReason) -> Decision {
    // Removal is the host's alone: `RemoveMember`.
    if matches!(reason, LeaveReason::Removed | LeaveReason::SentOut) {
        return Err(Rejection::NotAllowed { needed: "the host" });
    }
    Ok(vec![RoomEvent::UserLeft { user, reason }])
}
