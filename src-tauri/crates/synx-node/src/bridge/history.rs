//! What a room's log tells, in the form that is drawn.

use super::room::{ChatMessageView, RoomView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

views! {
    /// What an entry of the log is about.
    choice LogKindView {
        /// Who came, went, and may do what.
        People,
        Chat,
        /// What was played, paused and moved.
        Music,
        /// What was shared and queued.
        Tracks,
        /// Comments at moments of a track.
        Notes,
        /// The room itself.
        Room,
    }

    /// How a log is written to a file.
    choice ExportFormat {
        /// JSON Lines: one event a line, with its hash.
        Jsonl,
        /// A page to read.
        Page,
    }

    /// How far a room's log goes back.
    record HistoryView {
        /// Its last event.
        head: u64,
        /// Milliseconds since 1970 UTC.
        first_ms: i64,
        last_ms: i64,
        away: Option<AwayView>,
    }

    /// What happened while one was not in the room.
    record AwayView {
        /// The event by which one left, and the one by which one came back.
        left_seq: u64,
        back_seq: u64,
        /// Milliseconds since 1970 UTC.
        left_at_ms: i64,
        messages: u32,
        tracks: u32,
        notes: u32,
    }

    /// A room as it was after an event.
    record MomentView {
        /// The event.
        entry: LogEntryView,
        room: RoomView,
        /// What had been said last.
        chat: Vec<ChatMessageView>,
        title: Option<String>,
        playing: bool,
        /// Where the track was.
        position_s: f64,
    }

    /// An entry of the room's log.
    record LogEntryView {
        seq: u64,
        kind: LogKindView,
        name: String,
        actor: String,
        actor_name: String,
        at_ms: i64,
        /// What happened, as a sentence.
        summary: String,
    }
}
