//! Whether a command is allowed now, and what follows from it.
//!
//! Must never change the room: the events go to the log first, and come back through [`Room::apply`].

use crate::{
    Command, CommandEnvelope, ContentHash, LeaveReason, Member, Moment, QueueChange, QueueItem, Rejection,
    Role, Room, RoomEvent, TrackState, UserId, UserProfile, validate,
};

/// What follows from a command: its events, or why there are none.
pub(crate) type Decision = Result<Vec<RoomEvent>, Rejection>;

impl Room {
    /// Decides a command against the present state. An accepted command may have no events, when what it asks for is so
    /// already. Whoever calls this has checked [`Room::applied`] before.
    ///
    /// [`Command::ShareTrack`], [`Command::FailProcessing`], [`Command::RecordAnalysis`], [`Command::Advance`] and
    /// [`Command::ResumeAfterRestart`] are the host process's own; its server takes none of them from a peer.
    ///
    /// # Errors
    /// The [`Rejection`] that the sender is told.
    pub fn decide(&self, envelope: &CommandEnvelope, now: Moment) -> Decision {
        let actor = envelope.actor;
        match &envelope.command {
            Command::CreateRoom { profile, settings } => {
                if self.settings.is_some() {
                    return Err(Rejection::RoomExists);
                }
                validate::profile(profile)?;
                validate::settings(settings)?;
                let (profile, settings) = (profile.clone(), settings.clone());
                Ok(vec![RoomEvent::RoomCreated { host: actor, profile, settings }])
            }
            _ if self.settings.is_none() => Err(Rejection::NoSuchRoom),
            Command::Join { profile, role } => self.join(actor, profile, *role),
            Command::ShareTrack { .. }
            | Command::FailProcessing { .. }
            | Command::RecordAnalysis { .. }
            | Command::StartUpload { .. } => self.decide_audio(envelope),
            Command::Advance { revision } => self.advance(*revision),
            Command::ResumeAfterRestart { elapsed_us } => self.resume(*elapsed_us, now),
            _ => self.decide_as_member(self.present(actor).ok_or(Rejection::NotAMember)?, envelope, now),
        }
    }

    fn decide_as_member(&self, member: &Member, envelope: &CommandEnvelope, now: Moment) -> Decision {
        let user = envelope.actor;
        match &envelope.command {
            Command::Leave { reason } => Ok(vec![RoomEvent::UserLeft { user, reason: *reason }]),
            Command::RemoveMember { user } => self.remove_member(member, *user),
            Command::ChangeRole { user, role } => self.change_role(member, *user, *role),
            Command::UpdateSettings { change } => {
                needs_host(member)?;
                validate::settings_change(change)?;
                Ok(vec![RoomEvent::SettingsUpdated { change: change.clone() }])
            }
            Command::PostChatMessage { text } => {
                validate::text(text)?;
                Ok(vec![RoomEvent::ChatMessagePosted { text: text.clone() }])
            }
            Command::AddComment { .. } => self.add_comment(&envelope.command),
            Command::UpdateProfile { profile } => {
                validate::profile(profile)?;
                Ok(vec![RoomEvent::ProfileUpdated { user, profile: profile.clone() }])
            }
            Command::UpdateMusicalPreferences { preferences } => {
                validate::preferences(preferences)?;
                Ok(vec![RoomEvent::MusicalPreferencesUpdated { user, preferences: preferences.clone() }])
            }
            Command::Enqueue { track, index } => {
                self.playable(*track).ok_or(Rejection::NoSuchTrack)?;
                // Everybody may add at the end; only who controls the queue may jump it.
                index.map_or(Ok(()), |_| self.needs_control(member))?;
                Ok(vec![self.enqueued(envelope, *track, *index)])
            }
            _ => self.decide_playback(member, envelope, now),
        }
    }

    fn join(&self, user: UserId, profile: &UserProfile, invited_as: Role) -> Decision {
        validate::profile(profile)?;
        let known = self.members.get(&user);
        if known.is_some_and(|member| member.left == Some(LeaveReason::Removed)) {
            return Err(Rejection::Removed);
        }
        if let Some(member) = known.filter(|member| member.present) {
            let changed = member.profile != *profile;
            let event = RoomEvent::ProfileUpdated { user, profile: profile.clone() };
            return Ok(if changed { vec![event] } else { vec![] });
        }
        let is_host = self.host == Some(user);
        let limit = self.settings.as_ref().map_or(0, |settings| settings.max_participants);
        if !is_host && self.present_count() >= limit as usize {
            return Err(Rejection::RoomFull { limit });
        }
        let role = match known {
            _ if is_host => Role::Host,
            Some(member) => invited_as.min(Role::Dj).max(member.role),
            None => invited_as.min(Role::Dj),
        };
        Ok(vec![RoomEvent::UserJoined { user, profile: profile.clone(), role }])
    }

    fn remove_member(&self, member: &Member, user: UserId) -> Decision {
        needs_host(member)?;
        let target = self.present(user).ok_or(Rejection::NoSuchMember)?;
        if target.role == Role::Host {
            return Err(Rejection::NotAllowed { needed: "nobody" });
        }
        Ok(vec![RoomEvent::UserLeft { user, reason: LeaveReason::Removed }])
    }

    fn change_role(&self, member: &Member, user: UserId, role: Role) -> Decision {
        needs_host(member)?;
        let target = self.members.get(&user).ok_or(Rejection::NoSuchMember)?;
        if target.role == Role::Host || role == Role::Host {
            return Err(Rejection::NotAllowed { needed: "nobody" });
        }
        Ok(if target.role == role { vec![] } else { vec![RoomEvent::RoleChanged { user, role }] })
    }

    fn add_comment(&self, command: &Command) -> Decision {
        let Command::AddComment { track, position_us, end_us, text, reply_to } = command else {
            return Ok(vec![]);
        };
        validate::text(text)?;
        let duration_us = self.playable(*track).ok_or(Rejection::NoSuchTrack)?.duration_us;
        if !(0..=duration_us).contains(position_us)
            || end_us.is_some_and(|end| end < *position_us || end > duration_us)
        {
            let problem = "must lie within the track, its end not before its start".to_owned();
            return Err(Rejection::Invalid { field: "position_us", problem });
        }
        if reply_to.is_some_and(|parent| !self.comments.iter().any(|comment| comment.id == parent)) {
            return Err(Rejection::NoSuchComment);
        }
        let (track, position_us, end_us) = (*track, *position_us, *end_us);
        Ok(vec![RoomEvent::CommentAdded {
            track,
            position_us,
            end_us,
            text: text.clone(),
            reply_to: *reply_to,
        }])
    }

    fn decide_audio(&self, envelope: &CommandEnvelope) -> Decision {
        match &envelope.command {
            Command::StartUpload { hash, file_name, size_bytes } => {
                self.present(envelope.actor).ok_or(Rejection::NotAMember)?;
                validate::file_name(file_name)?;
                if self.playable(*hash).is_some() {
                    return Ok(vec![self.enqueued(envelope, *hash, None)]);
                }
                let (hash, file_name, size_bytes) = (*hash, file_name.clone(), *size_bytes);
                Ok(vec![RoomEvent::UploadStarted { hash, file_name, size_bytes }])
            }
            Command::ShareTrack { track } => {
                let queued = self.enqueued(envelope, track.hash, None);
                if self.playable(track.hash).is_some() {
                    return Ok(vec![queued]);
                }
                let mut events = vec![];
                let state = self.tracks.get(&track.hash).map(|shared| &shared.state);
                if matches!(state, Some(TrackState::Uploading { .. })) {
                    events.push(RoomEvent::UploadCompleted { hash: track.hash });
                }
                events.extend([RoomEvent::FileShared { track: track.clone() }, queued]);
                Ok(events)
            }
            Command::FailProcessing { hash, file_name, code, reason } => {
                Ok(vec![RoomEvent::ProcessingFailed {
                    hash: *hash,
                    file_name: file_name.clone(),
                    code: code.clone(),
                    reason: reason.clone(),
                }])
            }
            Command::RecordAnalysis { hash, analysis } => {
                self.playable(*hash).ok_or(Rejection::NoSuchTrack)?;
                Ok(vec![RoomEvent::AudioAnalyzed { hash: *hash, analysis: analysis.clone() }])
            }
            _ => Ok(vec![]),
        }
    }

    /// The event that puts `track` into the queue under the command's id.
    pub(crate) fn enqueued(
        &self,
        envelope: &CommandEnvelope,
        track: ContentHash,
        index: Option<usize>,
    ) -> RoomEvent {
        let end = self.queue.items().len();
        let item = QueueItem { id: envelope.id, track, added_by: envelope.actor };
        RoomEvent::QueueChanged(QueueChange::Added { item, index: index.unwrap_or(end).min(end) })
    }

    /// Refuses whoever may not control playback here.
    pub(crate) fn needs_control(&self, member: &Member) -> Result<(), Rejection> {
        let needed = match self.settings.as_ref().map(|settings| settings.playback_control) {
            Some(crate::PlaybackControl::Djs) => "the host and DJs",
            _ => "the host",
        };
        if self.may_control(member.role) { Ok(()) } else { Err(Rejection::NotAllowed { needed }) }
    }
}

fn needs_host(member: &Member) -> Result<(), Rejection> {
    if member.role == Role::Host { Ok(()) } else { Err(Rejection::NotAllowed { needed: "the host" }) }
}
