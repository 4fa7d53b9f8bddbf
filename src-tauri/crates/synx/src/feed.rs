//! The JSON Lines side of `synx host` and `synx join`: everything that happens out, commands in.
//!
//! Names and fields are those of the wire (docs/protocol.md). A line that is no command is answered with an error that
//! says why; it never ends the program.

use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write;
use synx_node::bridge::{CallError, LoopView, Request, RoleView, RoomSettingsView};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

/// Writes one line. A reader that is gone ends nothing: the room goes on until it is told to stop.
pub fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// Says that something failed.
pub fn say_error(code: &str, message: &str) {
    let message = synx_node::for_people(message);
    say(&json!({"type": "error", "code": code, "message": message}));
}

/// A command line: what is asked, and the id that the answer repeats.
#[derive(Debug)]
pub struct Asked {
    /// As it was sent; null if there was none.
    pub id: Value,
    /// What it is.
    pub request: Result<Request, CallError>,
}

/// Commands as they come on standard input.
pub struct Commands {
    lines: Lines<BufReader<Stdin>>,
    ended: bool,
}

impl Commands {
    /// Reads standard input.
    pub fn new() -> Self {
        Self { lines: BufReader::new(tokio::io::stdin()).lines(), ended: false }
    }

    /// The next command. Waits for ever once the input has ended: a room outlives the terminal it was started from.
    pub async fn next(&mut self) -> Asked {
        while !self.ended {
            match self.lines.next_line().await {
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => return parse(&line),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    say_error("bad_input", &format!("standard input cannot be read any more: {error}"));
                }
            }
        }
        std::future::pending().await
    }
}

/// Says how a command ended.
pub fn answer(id: &Value, outcome: &Result<(), CallError>) {
    let mut line = match outcome {
        Ok(()) => json!({"type": "ok"}),
        Err(error) => json!({"type": "error", "code": error.code, "message": error.message}),
    };
    if !id.is_null() {
        line["id"] = id.clone();
    }
    say(&line);
}

fn parse(line: &str) -> Asked {
    match serde_json::from_str::<Value>(line) {
        Ok(value) => {
            let id = value.get("id").cloned().unwrap_or(Value::Null);
            Asked { id, request: request(value) }
        }
        Err(error) => {
            Asked { id: Value::Null, request: Err(bad_command(format!("this line is no JSON: {error}"))) }
        }
    }
}

fn bad_command(message: String) -> CallError {
    CallError { code: "bad_command".to_owned(), message }
}

fn request(value: Value) -> Result<Request, CallError> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !WireCommand::NAMES.contains(&kind.as_str()) {
        let known = WireCommand::NAMES.join(", ");
        return Err(bad_command(format!("there is no command {kind:?}: use one of {known}")));
    }
    let command: WireCommand = serde_json::from_value(value)
        .map_err(|error| bad_command(format!("{kind} cannot be read: {error}")))?;
    Ok(command.into())
}

/// The commands by their wire names.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireCommand {
    ShareFile {
        path: String,
    },
    GiveUpUpload {
        track: String,
    },
    PlaybackPlay {
        track: Option<String>,
    },
    PlaybackPause,
    PlaybackSeek {
        position_s: f64,
    },
    PlaybackLoop {
        region: Option<LoopView>,
    },
    PlaybackSkip {
        to: Option<String>,
    },
    ChatMessage {
        text: String,
    },
    AddComment {
        track: String,
        position_s: f64,
        end_s: Option<f64>,
        text: String,
        reply_to: Option<String>,
    },
    ResolveComment {
        comment: String,
        done: bool,
    },
    QueueAdd {
        track: String,
    },
    QueueRemove {
        item: String,
    },
    QueueMove {
        item: String,
        index: u32,
    },
    UpdateSettings {
        settings: RoomSettingsView,
    },
    ChangeRole {
        user: String,
        role: RoleView,
    },
    RemoveMember {
        user: String,
        #[serde(default)]
        may_return: bool,
    },
    LiftBan {
        user: String,
    },
    RevokeInvite {
        invite: String,
    },
    AnswerKnock {
        user: String,
        let_in: bool,
    },
    Volume {
        volume: f64,
        #[serde(default)]
        muted: bool,
    },
    LatencyOffset {
        offset_ms: f64,
    },
    Leave,
}

impl WireCommand {
    const NAMES: &[&str] = &[
        "share_file",
        "give_up_upload",
        "playback_play",
        "playback_pause",
        "playback_seek",
        "playback_loop",
        "playback_skip",
        "chat_message",
        "add_comment",
        "resolve_comment",
        "queue_add",
        "queue_remove",
        "queue_move",
        "update_settings",
        "change_role",
        "remove_member",
        "lift_ban",
        "revoke_invite",
        "answer_knock",
        "volume",
        "latency_offset",
        "leave",
    ];
}

impl From<WireCommand> for Request {
    fn from(command: WireCommand) -> Self {
        match command {
            WireCommand::ShareFile { path } => Self::ShareFiles { paths: vec![path] },
            WireCommand::GiveUpUpload { track } => Self::GiveUpTransfer { track },
            WireCommand::PlaybackPlay { track } => Self::Play { track },
            WireCommand::PlaybackPause => Self::Pause,
            WireCommand::PlaybackSeek { position_s } => Self::Seek { position_s },
            WireCommand::PlaybackLoop { region } => Self::SetLoop { region },
            WireCommand::PlaybackSkip { to } => Self::Skip { to },
            WireCommand::ChatMessage { text } => Self::SendChat { text },
            WireCommand::AddComment { track, position_s, end_s, text, reply_to } => {
                Self::AddComment { track, position_s, end_s, text, reply_to }
            }
            WireCommand::QueueAdd { track } => Self::QueueAdd { track },
            WireCommand::QueueRemove { item } => Self::QueueRemove { item },
            WireCommand::QueueMove { item, index } => Self::QueueMove { item, index },
            WireCommand::UpdateSettings { settings } => Self::UpdateRoomSettings { settings },
            WireCommand::ChangeRole { user, role } => Self::ChangeRole { user, role },
            WireCommand::RemoveMember { user, may_return } => Self::RemoveMember { user, may_return },
            WireCommand::LiftBan { user } => Self::LiftBan { user },
            WireCommand::ResolveComment { comment, done } => Self::ResolveComment { comment, done },
            WireCommand::RevokeInvite { invite } => Self::RevokeInvite { invite },
            WireCommand::AnswerKnock { user, let_in } => Self::AnswerKnock { user, let_in },
            WireCommand::Volume { volume, muted } => Self::SetVolume { volume, muted },
            WireCommand::LatencyOffset { offset_ms } => Self::SetLatencyOffset { offset_ms },
            WireCommand::Leave => Self::LeaveRoom,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_its_id_whatever_it_is() {
        let asked = parse(r#"{"type":"playback_seek","position_s":12.5,"id":7}"#);
        assert_eq!(asked.id, json!(7));
        assert_eq!(asked.request, Ok(Request::Seek { position_s: 12.5 }));
    }

    #[test]
    fn what_is_no_command_is_named() {
        let unknown = parse(r#"{"type":"dance","id":"a"}"#);
        assert_eq!(unknown.id, json!("a"));
        assert!(unknown.request.unwrap_err().message.contains("dance"));
        assert!(parse("play!").request.is_err());
        assert!(parse(r#"{"type":"playback_seek","position_s":"far"}"#).request.is_err());
    }
}
