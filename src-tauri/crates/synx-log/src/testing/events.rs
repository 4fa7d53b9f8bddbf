//! Events to fill a log with.

use synx_domain::{
    CommandId, EventId, NewEvent, PlaybackControl, RoomEvent, RoomId, RoomSettings, UserId, UserProfile,
    Visibility,
};
use uuid::Uuid;

/// A room of a test.
pub fn room(number: u128) -> RoomId {
    RoomId::from_uuid(Uuid::from_u128(number))
}

/// A person of a test.
pub fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

/// An event with an id of its own, by user 1.
pub fn new_event(event: RoomEvent) -> NewEvent {
    NewEvent {
        event_id: EventId::from_uuid(Uuid::now_v7()),
        actor: user(1),
        command_id: Some(CommandId::from_uuid(Uuid::now_v7())),
        occurred_at_ms: 1_750_000_000_000,
        event,
    }
}

/// Something said.
pub fn chat(text: &str) -> NewEvent {
    new_event(RoomEvent::ChatMessagePosted { text: text.to_owned() })
}

/// Things said: "1", "2", …
pub fn chats(count: usize) -> Vec<NewEvent> {
    (1..=count).map(|number| chat(&number.to_string())).collect()
}

/// The beginning of a room.
pub fn created() -> NewEvent {
    new_event(RoomEvent::RoomCreated {
        host: user(1),
        profile: UserProfile { name: "Ada".to_owned(), ..UserProfile::default() },
        settings: RoomSettings {
            name: "Basement".to_owned(),
            visibility: Visibility::Private,
            max_participants: 8,
            genres: vec!["dub".to_owned()],
            playback_control: PlaybackControl::Everyone,
            storage: synx_domain::StorageLimits::default(),
            wait_for_all: false,
            archive_after_days: 0,
        },
    })
}
