//! Every door for bytes from outside, as a function that takes any bytes. Each is a fuzz target in `fuzz/` (run for long
//! with coverage by `cargo xtask fuzz`), and is run for a moment over changes of its corpus by this crate's own test.
//!
//! A target is added here, with its seeds in `corpus/<name>/` and a file of its name in `fuzz/fuzz_targets/`. It must never
//! do anything but hand on the bytes, and panic when what comes back cannot be right.

mod archive;
mod audio;

pub use archive::archive;
pub use audio::{analysis, decode};

use std::io::Cursor;
use std::sync::{Arc, LazyLock};
use synx_domain::{Envelope, Room, RoomId, RoomSnapshot};
use synx_log::{Log, LogOptions, MemoryStore};
use synx_net::wire::{ClientMessage, ServerMessage};
use synx_net::{HostKey, InviteLink};

/// A target by its name.
pub struct Target {
    /// As its corpus and its file are called.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "wire_client", run: wire_client },
    Target { name: "wire_server", run: wire_server },
    Target { name: "invite_link", run: invite_link },
    Target { name: "token", run: token },
    Target { name: "log_import", run: log_import },
    Target { name: "archive", run: archive },
    Target { name: "fold", run: fold },
    Target { name: "upload_head", run: upload_head },
    Target { name: "decode", run: decode },
    Target { name: "analysis", run: analysis },
];

/// The room whose tokens the corpus holds.
pub const ROOM: RoomId = RoomId::from_bytes([1; 16]);
/// The secret key that signed them.
pub const SECRET: [u8; 32] = [9; 32];

/// A message of a peer: what is read is written as it was read.
pub fn wire_client(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(message) = ClientMessage::decode(text) {
        assert_eq!(ClientMessage::decode(&message.encode()).as_ref(), Ok(&message));
    }
}

/// A message of a host.
pub fn wire_server(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(message) = ServerMessage::decode(text) {
        assert_eq!(ServerMessage::decode(&message.encode()).as_ref(), Ok(&message));
    }
}

/// A link that somebody clicks.
pub fn invite_link(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(link) = text.parse::<InviteLink>() {
        assert_eq!(link.to_string().parse::<InviteLink>().ok(), Some(link));
    }
}

/// An invite or a session token: nothing but what the host signed is taken, so what is taken is in the corpus.
pub fn token(bytes: &[u8]) {
    static KEY: LazyLock<Option<HostKey>> = LazyLock::new(|| HostKey::from_secret(&SECRET).ok());
    let (Ok(text), Some(key)) = (std::str::from_utf8(bytes), &*KEY) else { return };
    drop(key.check_invite(ROOM, text));
    drop(key.check_session(ROOM, text));
}

/// An export that somebody sends: taken in by its hashes or refused, and what was taken in is sound.
pub fn log_import(bytes: &[u8]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let Ok(log) = Log::over(Arc::new(MemoryStore::new()), LogOptions::default()) else { return };
    runtime.block_on(async {
        drop(log.import_jsonl(Cursor::new(bytes.to_vec())).await);
        let reports = log.verify(None).await.unwrap_or_default();
        assert!(reports.iter().all(|report| report.first_bad.is_none()), "what was taken in is not sound");
    });
    log.close();
}

/// Events of a log that may have been made to do harm, one a line: folded without a panic, to a room that can be sent.
pub fn fold(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut room = Room::default();
    for line in text.lines() {
        if let Ok(message) = ServerMessage::decode(line)
            && let ServerMessage::Event(event) = message
        {
            let envelope: Envelope = event.into_envelope(ROOM);
            room.apply(&envelope);
        }
    }
    let limits = [
        (room.chat.len(), Room::CHAT_KEPT),
        (room.recent_commands.len(), Room::COMMANDS_KEPT),
        (
            room.members.values().filter(|member| !member.present).count(),
            Room::FORMER_KEPT + Room::REMOVED_KEPT + 1,
        ),
    ];
    assert!(limits.iter().all(|(held, limit)| held <= limit));
    drop(RoomSnapshot::of(&room));
}

/// What the head of a transfer says: where in the file it begins.
pub fn upload_head(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for size in [0, 1, 4096, u64::MAX] {
        if let Some(Some((first, last))) = synx_net::byte_range(text, size) {
            assert!(first <= last && last < size, "{first}-{last} of {size}");
        }
    }
}
