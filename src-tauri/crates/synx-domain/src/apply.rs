//! The fold: one event changes the room's state.
//!
//! Must never fail or panic: whatever is in a log was accepted once, and an event that names something unknown (a log
//! cut by an import, a later version) changes nothing but `seq`.

use crate::{
    AppliedCommand, ChatMessage, Comment, ContentHash, Envelope, LeaveReason, Member, MusicalPreferences,
    Role, Room, RoomEvent, RoomSettings, SettingsChange, SharedTrack, TrackState, UserId, UserProfile,
};
use std::collections::VecDeque;

impl Room {
    /// Takes in the next event of the log. An event that is already in (`seq` not above the room's) is ignored, so that
    /// delivery may repeat; so is one of another room's log.
    pub fn apply(&mut self, envelope: &Envelope) {
        if envelope.seq <= self.seq || self.id.is_some_and(|id| id != envelope.room_id) {
            return;
        }
        self.seq = envelope.seq;
        self.id.get_or_insert(envelope.room_id);
        if let Some(id) = envelope.command_id {
            self.remember(AppliedCommand { id, seq: envelope.seq });
        }
        self.apply_event(envelope);
    }

    fn remember(&mut self, applied: AppliedCommand) {
        match self.recent_commands.back_mut() {
            Some(last) if last.id == applied.id => *last = applied,
            _ => push_bounded(&mut self.recent_commands, applied, Self::COMMANDS_KEPT),
        }
    }

    fn apply_event(&mut self, envelope: &Envelope) {
        match &envelope.event {
            // A room is created once: a second beginning would make a second host.
            RoomEvent::RoomCreated { .. } if self.settings.is_some() => {}
            RoomEvent::RoomCreated { host, profile, settings } => {
                self.host = Some(*host);
                self.settings = Some(settings.clone());
                self.arrive(*host, profile, Role::Host, envelope);
            }
            RoomEvent::UserJoined { user, profile, role, invite } => {
                self.arrive(*user, profile, *role, envelope);
                if let Some(terms) = invite {
                    let known = self.note_invite(terms, envelope.occurred_at_ms);
                    known.uses = known.uses.saturating_add(1);
                    self.with_member(*user, |member| member.invite = Some(terms.id));
                }
            }
            RoomEvent::InviteCreated { invite } => {
                self.note_invite(invite, envelope.occurred_at_ms);
            }
            RoomEvent::InviteRevoked { invite } => {
                if let Some(invite) = self.invites.get_mut(invite) {
                    invite.revoked = true;
                }
            }
            RoomEvent::UserLeft { user, reason } => self.depart(*user, *reason, envelope.seq),
            RoomEvent::BanLifted { user } => {
                if self.members.get(user).is_some_and(|member| member.left == Some(LeaveReason::Removed)) {
                    self.depart(*user, LeaveReason::SentOut, envelope.seq);
                }
            }
            RoomEvent::RoleChanged { user, role } => self.with_member(*user, |member| {
                member.role = *role;
                member.role_set = true;
            }),
            RoomEvent::SettingsUpdated { change } => {
                if let Some(settings) = &mut self.settings {
                    *settings = settings.with(change);
                }
            }
            RoomEvent::ProfileUpdated { user, profile } => {
                self.with_member(*user, |member| member.profile = profile.clone());
            }
            RoomEvent::MusicalPreferencesUpdated { user, preferences } => {
                self.with_member(*user, |member| member.preferences = preferences.clone());
            }
            RoomEvent::UserCreated { .. } => {}
            RoomEvent::ChatMessagePosted { text } => {
                let message = ChatMessage {
                    seq: envelope.seq,
                    author: envelope.actor,
                    text: text.clone(),
                    posted_at_ms: envelope.occurred_at_ms,
                };
                push_bounded(&mut self.chat, message, Self::CHAT_KEPT);
            }
            RoomEvent::CommentAdded { .. } => self.comments.extend(comment(envelope)),
            RoomEvent::CommentResolved { comment, done } => {
                if let Some(comment) = self.comments.iter_mut().find(|known| known.id == *comment) {
                    comment.done = *done;
                }
            }
            RoomEvent::QueueChanged(change) => self.queue.apply(change),
            RoomEvent::PlaybackSynced { transport, .. } => self.transport = Some(transport.clone()),
            RoomEvent::UploadStarted { .. }
            | RoomEvent::UploadCompleted { .. }
            | RoomEvent::FileShared { .. }
            | RoomEvent::AudioAnalyzed { .. }
            | RoomEvent::ProcessingFailed { .. } => self.apply_audio(envelope),
        }
    }

    fn apply_audio(&mut self, envelope: &Envelope) {
        let (actor, seq) = (envelope.actor, envelope.seq);
        match &envelope.event {
            RoomEvent::UploadStarted { hash, file_name, size_bytes } => {
                let uploading =
                    TrackState::Uploading { file_name: file_name.clone(), size_bytes: *size_bytes };
                let track = self.track(*hash, actor);
                if track.state != TrackState::Shared {
                    // Who announced it last answers for what comes.
                    track.shared_by = actor;
                }
                track.progress_to(uploading, seq);
            }
            RoomEvent::UploadCompleted { hash } => {
                if let Some(track) = self.tracks.get_mut(hash) {
                    track.progress_to(TrackState::Uploaded, seq);
                }
            }
            RoomEvent::FileShared { track: meta } => {
                let track = self.track(meta.hash, actor);
                track.progress_to(TrackState::Shared, seq);
                track.meta = Some(meta.clone());
            }
            RoomEvent::AudioAnalyzed { hash, analysis } => {
                if let Some(track) = self.tracks.get_mut(hash) {
                    track.analysis = Some(analysis.clone());
                }
            }
            RoomEvent::ProcessingFailed { hash, file_name, code, reason } => {
                let (file_name, code, reason) = (file_name.clone(), code.clone(), reason.clone());
                self.track(*hash, actor).progress_to(TrackState::Failed { file_name, code, reason }, seq);
                self.forget_failed();
            }
            _ => {}
        }
    }

    fn arrive(&mut self, user: UserId, profile: &UserProfile, role: Role, at: &Envelope) {
        let known = self.members.get(&user);
        let member = Member {
            profile: profile.clone(),
            role,
            role_set: known.is_some_and(|member| member.role_set),
            present: true,
            left: None,
            preferences: known.map(|member| member.preferences.clone()).unwrap_or_default(),
            joined_at_ms: at.occurred_at_ms,
            since_seq: at.seq,
            invite: known.and_then(|member| member.invite),
        };
        self.members.insert(user, member);
    }

    fn depart(&mut self, user: UserId, reason: LeaveReason, seq: u64) {
        self.with_member(user, |member| {
            member.present = false;
            member.left = Some(reason);
            member.since_seq = seq;
            // Of the many who left the state keeps what is needed to know them again.
            member.profile.picture = None;
            if reason == LeaveReason::Removed {
                member.profile.bio = None;
                member.preferences = MusicalPreferences::default();
            }
        });
        self.forget_former();
    }

    fn track(&mut self, hash: ContentHash, brought_by: UserId) -> &mut SharedTrack {
        self.tracks.entry(hash).or_insert_with(|| SharedTrack {
            shared_by: brought_by,
            state: TrackState::Uploaded,
            meta: None,
            analysis: None,
            since_seq: 0,
        })
    }

    fn with_member(&mut self, user: UserId, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.get_mut(&user) {
            change(member);
        }
    }
}

impl SharedTrack {
    /// A track that can be played stays so: a second upload of it, or an analysis that failed, takes nothing away.
    fn progress_to(&mut self, state: TrackState, seq: u64) {
        if self.state != TrackState::Shared {
            (self.state, self.since_seq) = (state, seq);
        }
    }
}

impl RoomSettings {
    /// These settings after a change.
    pub(crate) fn with(&self, change: &SettingsChange) -> Self {
        let SettingsChange {
            name,
            visibility,
            max_participants,
            genres,
            playback_control,
            storage,
            wait_for_all,
            archive_after_days,
        } = change.clone();
        Self {
            name: name.unwrap_or_else(|| self.name.clone()),
            visibility: visibility.unwrap_or(self.visibility),
            max_participants: max_participants.unwrap_or(self.max_participants),
            genres: genres.unwrap_or_else(|| self.genres.clone()),
            playback_control: playback_control.unwrap_or(self.playback_control),
            storage: storage.unwrap_or(self.storage),
            wait_for_all: wait_for_all.unwrap_or(self.wait_for_all),
            archive_after_days: archive_after_days.unwrap_or(self.archive_after_days),
        }
    }
}

fn comment(envelope: &Envelope) -> Option<Comment> {
    let RoomEvent::CommentAdded { track, position_us, end_us, text, reply_to } = &envelope.event else {
        return None;
    };
    Some(Comment {
        id: envelope.command_id?,
        track: *track,
        position_us: *position_us,
        end_us: *end_us,
        author: envelope.actor,
        text: text.clone(),
        reply_to: *reply_to,
        posted_at_ms: envelope.occurred_at_ms,
        done: false,
    })
}

fn push_bounded<T>(items: &mut VecDeque<T>, item: T, limit: usize) {
    if items.len() >= limit {
        items.pop_front();
    }
    items.push_back(item);
}
