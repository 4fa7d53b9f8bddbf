//! What can be asked of a log: to look into it, prove it, copy it, and make it smaller.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Log {
    #[command(subcommand)]
    pub action: LogAction,
    /// The room; not needed where there is one only
    #[arg(long, global = true, value_name = "ID")]
    pub room: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum LogAction {
    /// List events
    Show {
        /// Only events after this place in the whole log (the first column)
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: u64,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// Only events of this name, as in `room.chat_message_posted`
        #[arg(long, value_name = "NAME")]
        event: Option<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Prove that no event was changed, removed or put in
    Verify,
    /// Print the room as it was after an event
    Replay {
        /// The event; the last one by default
        #[arg(long, value_name = "SEQ")]
        to: Option<u64>,
    },
    /// Write all events as JSON Lines with their hashes
    Export,
    /// Take in exported events; what is here already is passed over, and another history is refused
    Import {
        /// The export; `-` is standard input
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Move old events to the log's archive, where everything still finds them and they take a fraction of the space
    Archive {
        /// Those older than this
        #[arg(
            long,
            value_name = "DAYS",
            conflicts_with = "keep_events",
            required_unless_present = "keep_events"
        )]
        older_than: Option<u32>,
        /// All but the latest so many
        #[arg(long, value_name = "N")]
        keep_events: Option<u64>,
    },
    /// Drop archived events for good, in whole segments; the room goes on from the state after them, and the proof too
    Drop {
        /// The last event to drop, by its number in the room
        #[arg(long, value_name = "SEQ")]
        through: u64,
        /// Says that you mean it: what is dropped cannot be had back but from a backup
        #[arg(long, required = true)]
        for_good: bool,
    },
    /// Copy the whole log to a new file, also while a host is writing it, and prove the copy
    Backup {
        /// The new file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Put a backup in the place of the log; the log that was there is kept beside it
    Restore {
        /// The backup
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}
