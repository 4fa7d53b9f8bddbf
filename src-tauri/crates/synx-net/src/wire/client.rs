//! What a peer says to the host.

use super::{SyncReport, WireError, kind_of, read};
use serde::{Deserialize, Serialize};
use synx_domain::{
    Command, CommandId, ContentHash, InviteId, InviteTerms, LeaveReason, LoopRegion, MusicalPreferences,
    QueueItemId, Role, RoomId, SettingsChange, UserId, UserProfile,
};

/// A message to the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message on `/ws`.
    JoinRoom {
        /// The protocol's version at the peer.
        protocol: u32,
        /// Which room.
        room: RoomId,
        /// The session token that the join request gave.
        token: String,
        /// The signature under it by the person's key, hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<String>,
        /// How the peer appears.
        profile: UserProfile,
        /// The last event the peer has; none asks for the room's state.
        #[serde(default)]
        last_seq: Option<u64>,
    },
    /// How well the peer plays in time.
    SyncReport {
        /// The report.
        report: SyncReport,
    },
    /// The peer is writing.
    Typing,
    /// The host's word about somebody who knocks.
    AnswerKnock {
        /// About whom.
        user: UserId,
        /// Whether they may come in.
        let_in: bool,
    },
    /// A command: answered by `ok` or `error` with its id.
    #[serde(untagged)]
    Command {
        /// Kept over retries.
        id: CommandId,
        /// What is asked.
        #[serde(flatten)]
        request: Request,
    },
}

/// What can be asked of a room by a peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Request {
    LeaveRoom,
    ChatMessage {
        text: String,
    },
    AddComment {
        track: ContentHash,
        position_us: i64,
        #[serde(default)]
        end_us: Option<i64>,
        text: String,
        #[serde(default)]
        reply_to: Option<CommandId>,
    },
    ResolveComment {
        comment: CommandId,
        done: bool,
    },
    /// Announces an upload; its bytes go by HTTP.
    ShareFile {
        hash: ContentHash,
        file_name: String,
        size_bytes: u64,
    },
    /// Awaits an upload no longer.
    GiveUpUpload {
        hash: ContentHash,
    },
    PlaybackPlay {
        #[serde(default)]
        track: Option<ContentHash>,
    },
    PlaybackPause,
    PlaybackSeek {
        position_us: i64,
    },
    PlaybackLoop {
        #[serde(default)]
        region: Option<LoopRegion>,
    },
    PlaybackSkip {
        #[serde(default)]
        to: Option<QueueItemId>,
    },
    QueueAdd {
        track: ContentHash,
        #[serde(default)]
        index: Option<usize>,
    },
    QueueRemove {
        item: QueueItemId,
    },
    QueueMove {
        item: QueueItemId,
        index: usize,
    },
    UpdateSettings {
        change: SettingsChange,
    },
    ChangeRole {
        user: UserId,
        role: Role,
    },
    RemoveMember {
        user: UserId,
        #[serde(default)]
        may_return: bool,
    },
    LiftBan {
        user: UserId,
    },
    CreateInvite {
        invite: InviteTerms,
    },
    RevokeInvite {
        invite: InviteId,
    },
    UpdateProfile {
        profile: UserProfile,
    },
    UpdateMusicalPreferences {
        preferences: MusicalPreferences,
    },
}

impl Request {
    /// Its `type`.
    pub(crate) fn kind(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        kind_of(&text).unwrap_or_default()
    }

    const NAMES: &[&str] = &[
        "leave_room",
        "chat_message",
        "add_comment",
        "resolve_comment",
        "share_file",
        "give_up_upload",
        "playback_play",
        "playback_pause",
        "playback_seek",
        "playback_loop",
        "playback_skip",
        "queue_add",
        "queue_remove",
        "queue_move",
        "update_settings",
        "change_role",
        "remove_member",
        "lift_ban",
        "create_invite",
        "revoke_invite",
        "update_profile",
        "update_musical_preferences",
    ];

    /// The request for a command; none for commands that are the host's own.
    pub fn of(command: Command) -> Option<Self> {
        Some(match command {
            Command::Leave { .. } => Self::LeaveRoom,
            Command::PostChatMessage { text } => Self::ChatMessage { text },
            Command::AddComment { track, position_us, end_us, text, reply_to } => {
                Self::AddComment { track, position_us, end_us, text, reply_to }
            }
            Command::ResolveComment { comment, done } => Self::ResolveComment { comment, done },
            Command::StartUpload { hash, file_name, size_bytes } => {
                Self::ShareFile { hash, file_name, size_bytes }
            }
            Command::GiveUpUpload { hash } => Self::GiveUpUpload { hash },
            Command::Play { track } => Self::PlaybackPlay { track },
            Command::Pause => Self::PlaybackPause,
            Command::Seek { position_us } => Self::PlaybackSeek { position_us },
            Command::SetLoop { region } => Self::PlaybackLoop { region },
            Command::Skip { to } => Self::PlaybackSkip { to },
            Command::Enqueue { track, index } => Self::QueueAdd { track, index },
            Command::Dequeue { id } => Self::QueueRemove { item: id },
            Command::MoveInQueue { id, index } => Self::QueueMove { item: id, index },
            Command::UpdateSettings { change } => Self::UpdateSettings { change },
            Command::ChangeRole { user, role } => Self::ChangeRole { user, role },
            Command::RemoveMember { user, may_return } => Self::RemoveMember { user, may_return },
            Command::LiftBan { user } => Self::LiftBan { user },
            Command::CreateInvite { invite } => Self::CreateInvite { invite },
            Command::RevokeInvite { invite } => Self::RevokeInvite { invite },
            Command::UpdateProfile { profile } => Self::UpdateProfile { profile },
            Command::UpdateMusicalPreferences { preferences } => {
                Self::UpdateMusicalPreferences { preferences }
            }
            Command::CreateRoom { .. }
            | Command::Join { .. }
            | Command::ShareTrack { .. }
            | Command::FailProcessing { .. }
            | Command::RecordAnalysis { .. }
            | Command::Advance { .. }
            | Command::Release { .. }
            | Command::ResumeAfterRestart { .. } => return None,
        })
    }
}

impl From<Request> for Command {
    fn from(request: Request) -> Self {
        match request {
            Request::LeaveRoom => Self::Leave { reason: LeaveReason::Left },
            Request::ChatMessage { text } => Self::PostChatMessage { text },
            Request::AddComment { track, position_us, end_us, text, reply_to } => {
                Self::AddComment { track, position_us, end_us, text, reply_to }
            }
            Request::ResolveComment { comment, done } => Self::ResolveComment { comment, done },
            Request::ShareFile { hash, file_name, size_bytes } => {
                Self::StartUpload { hash, file_name, size_bytes }
            }
            Request::GiveUpUpload { hash } => Self::GiveUpUpload { hash },
            Request::PlaybackPlay { track } => Self::Play { track },
            Request::PlaybackPause => Self::Pause,
            Request::PlaybackSeek { position_us } => Self::Seek { position_us },
            Request::PlaybackLoop { region } => Self::SetLoop { region },
            Request::PlaybackSkip { to } => Self::Skip { to },
            Request::QueueAdd { track, index } => Self::Enqueue { track, index },
            Request::QueueRemove { item } => Self::Dequeue { id: item },
            Request::QueueMove { item, index } => Self::MoveInQueue { id: item, index },
            Request::UpdateSettings { change } => Self::UpdateSettings { change },
            Request::ChangeRole { user, role } => Self::ChangeRole { user, role },
            Request::RemoveMember { user, may_return } => Self::RemoveMember { user, may_return },
            Request::LiftBan { user } => Self::LiftBan { user },
            Request::CreateInvite { invite } => Self::CreateInvite { invite },
            Request::RevokeInvite { invite } => Self::RevokeInvite { invite },
            Request::UpdateProfile { profile } => Self::UpdateProfile { profile },
            Request::UpdateMusicalPreferences { preferences } => {
                Self::UpdateMusicalPreferences { preferences }
            }
        }
    }
}

impl ClientMessage {
    /// The text of the frame.
    pub fn encode(&self) -> String {
        // Every message is a JSON object with text keys: this cannot fail, and an empty frame is refused by the reader.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// What is no message of this protocol version.
    pub fn decode(text: &str) -> Result<Self, WireError> {
        let kind = kind_of(text)?;
        if Request::NAMES.contains(&kind.as_str()) {
            // Read in two passes: flattened into one, serde would copy the whole message first, twice.
            #[derive(Deserialize)]
            struct Named {
                id: CommandId,
            }
            let Named { id } = read(&kind, Request::NAMES, text)?;
            return Ok(Self::Command { id, request: read(&kind, Request::NAMES, text)? });
        }
        read(&kind, &["join_room", "sync_report", "typing", "answer_knock"], text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn giving_an_upload_up_is_written_as_the_protocol_says() {
        let hash = ContentHash::from_bytes([1; 32]);
        let text = format!(
            r#"{{"id":"0198c0de-0000-7000-8000-000000000002","type":"give_up_upload","hash":"{hash}"}}"#
        );
        let message = ClientMessage::decode(&text).unwrap();
        let ClientMessage::Command { request, .. } = &message else { panic!("{message:?}") };
        assert_eq!(Command::from(request.clone()), Command::GiveUpUpload { hash });
        assert_eq!(Request::of(Command::GiveUpUpload { hash }), Some(request.clone()));
        assert_eq!(message.encode(), text);
    }
}
