//! The fold: one event changes the room's state.
//!
//! Must never fail or panic: whatever is in a log was accepted once, and an event that names something unknown (a log
//! cut by an import, a later version) changes nothing but `seq`.

use crate::{
    AppliedCommand, ChatMessage, Comment, Envelope, Member, MusicalPreferences, Role, Room, RoomEvent,
    RoomSettings, SettingsChange, SharedTrack, TrackState, UserId, UserProfile,
};
use std::collections::VecDeque;

impl Room {
    /// Takes in the next event of the log. An event that is already in (`seq` not above the room's) is ignored, so that
    /// delivery may repeat.
    pub fn apply(&mut self, envelope: &Envelope) {
        if envelope.seq <= self.seq {
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
            RoomEvent::RoomCreated { host, profile, settings } => {
                self.host = Some(*host);
                self.settings = Some(settings.clone());
                self.arrive(*host, profile, Role::Host, envelope.occurred_at_ms);
            }
            RoomEvent::UserJoined { user, profile, role } => {
                self.arrive(*user, profile, *role, envelope.occurred_at_ms);
            }
            RoomEvent::UserLeft { user, reason } => self.with_member(*user, |member| {
                member.present = false;
                member.left = Some(*reason);
            }),
            RoomEvent::RoleChanged { user, role } => self.with_member(*user, |member| member.role = *role),
            RoomEvent::SettingsUpdated { change } => {
                if let Some(settings) = &mut self.settings {
                    settings.apply(change);
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
            RoomEvent::QueueChanged(change) => self.queue.apply(change),
            RoomEvent::PlaybackSynced { transport, .. } => self.transport = Some(transport.clone()),
            RoomEvent::UploadStarted { .. }
            | RoomEvent::UploadCompleted { .. }
            | RoomEvent::FileShared { .. }
            | RoomEvent::AudioAnalyzed { .. }
            | RoomEvent::ProcessingFailed { .. } => self.apply_audio(envelope.actor, &envelope.event),
        }
    }

    fn apply_audio(&mut self, actor: UserId, event: &RoomEvent) {
        match event {
            RoomEvent::UploadStarted { hash, file_name, size_bytes } => {
                let uploading =
                    TrackState::Uploading { file_name: file_name.clone(), size_bytes: *size_bytes };
                let track = self.tracks.entry(*hash).or_insert_with(|| SharedTrack::new(actor));
                track.state = uploading;
            }
            RoomEvent::UploadCompleted { hash } => {
                if let Some(track) = self.tracks.get_mut(hash) {
                    track.state = TrackState::Uploaded;
                }
            }
            RoomEvent::FileShared { track: meta } => {
                let track = self.tracks.entry(meta.hash).or_insert_with(|| SharedTrack::new(actor));
                track.state = TrackState::Shared;
                track.meta = Some(meta.clone());
            }
            RoomEvent::AudioAnalyzed { hash, analysis } => {
                if let Some(track) = self.tracks.get_mut(hash) {
                    track.analysis = Some(analysis.clone());
                }
            }
            RoomEvent::ProcessingFailed { hash, file_name, code, reason } => {
                let track = self.tracks.entry(*hash).or_insert_with(|| SharedTrack::new(actor));
                // A track that plays stays playable when only its analysis failed.
                if track.state != TrackState::Shared {
                    let (file_name, code, reason) = (file_name.clone(), code.clone(), reason.clone());
                    track.state = TrackState::Failed { file_name, code, reason };
                }
            }
            _ => {}
        }
    }

    fn arrive(&mut self, user: UserId, profile: &UserProfile, role: Role, at_ms: i64) {
        let preferences =
            self.members.get(&user).map(|member| member.preferences.clone()).unwrap_or_default();
        self.members.insert(user, Member::arriving(profile.clone(), role, preferences, at_ms));
    }

    fn with_member(&mut self, user: UserId, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.get_mut(&user) {
            change(member);
        }
    }
}

impl Member {
    fn arriving(
        profile: UserProfile,
        role: Role,
        preferences: MusicalPreferences,
        joined_at_ms: i64,
    ) -> Self {
        Self { profile, role, present: true, left: None, preferences, joined_at_ms }
    }
}

impl SharedTrack {
    fn new(shared_by: UserId) -> Self {
        Self { shared_by, state: TrackState::Uploaded, meta: None, analysis: None }
    }
}

impl RoomSettings {
    fn apply(&mut self, change: &SettingsChange) {
        let SettingsChange { name, visibility, max_participants, genres, playback_control } = change.clone();
        self.name = name.unwrap_or_else(|| std::mem::take(&mut self.name));
        self.visibility = visibility.unwrap_or(self.visibility);
        self.max_participants = max_participants.unwrap_or(self.max_participants);
        self.genres = genres.unwrap_or_else(|| std::mem::take(&mut self.genres));
        self.playback_control = playback_control.unwrap_or(self.playback_control);
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
    })
}

fn push_bounded<T>(items: &mut VecDeque<T>, item: T, limit: usize) {
    if items.len() >= limit {
        items.pop_front();
    }
    items.push_back(item);
}
