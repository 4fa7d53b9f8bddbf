//! A room is its log: folding it, from anywhere and however often, gives the room that was lived; and no log, however
//! broken or forged, stops the program.

use crate::commands::{Step, command, extreme, step, user};
use proptest::prelude::*;
use serde_json::Value;
use synx_domain::{
    CommandEnvelope, Envelope, EventId, Moment, QueueChange, Room, RoomEvent, RoomId, RoomSnapshot,
};
use synx_testkit::events::{
    ADA, BEN, CLEO, ROOM, RoomLog, command_id, epoch, hash, one_of_each, profile, settings,
};

fn live(steps: Vec<Step>) -> RoomLog {
    let mut log = RoomLog::open();
    for (nth, step) in steps.into_iter().enumerate() {
        step.run(&mut log, nth);
    }
    log
}

fn fold<'a>(mut room: Room, envelopes: impl IntoIterator<Item = &'a Envelope>) -> Room {
    envelopes.into_iter().for_each(|envelope| room.apply(envelope));
    room
}

/// A leaf of an event with another value of its kind.
fn forged(leaf: &Value, number: i64, pick: usize) -> Value {
    match leaf {
        Value::Number(_) if number == i64::MAX && pick.is_multiple_of(2) => u64::MAX.into(),
        Value::Number(_) => number.into(),
        Value::Bool(_) => pick.is_multiple_of(2).into(),
        Value::String(text) if text.len() == 64 => hash(1 + pick as u8 % 3).to_string().into(),
        // Of a person, or of a command, a queue entry or an epoch with a small number.
        Value::String(text) if text.len() == 36 => match [ADA, BEN, CLEO].get(pick) {
            Some(user) => user.to_string().into(),
            None => command_id(pick as u64 - 2).to_string().into(),
        },
        other => other.clone(),
    }
}

/// Paths of the leaves of a JSON value.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| leaves(value, &format!("{path}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, item)| leaves(item, &format!("{path}/{n}"))).collect()
        }
        _ => vec![path.to_owned()],
    }
}

/// Any event that can be read, with numbers and ids that no `decide` would have let through.
fn hostile_event() -> impl Strategy<Value = RoomEvent> {
    let forgeries = prop::collection::vec((extreme(), 0..6usize), 16);
    // Tracks, queue and transport are where numbers and ids meet.
    let meeting: Vec<_> = one_of_each()
        .into_iter()
        .filter(|event| {
            matches!(event.name().name, "room.file_shared" | "room.queue_changed" | "audio.playback_synced")
        })
        .collect();
    let sample = prop_oneof![prop::sample::select(one_of_each()), prop::sample::select(meeting)];
    (sample, forgeries).prop_map(|(sample, forgeries)| {
        let mut event = serde_json::to_value(&sample).unwrap();
        for (path, (number, pick)) in leaves(&event, "").iter().zip(forgeries) {
            let mut changed = event.clone();
            let leaf = changed.pointer_mut(path).unwrap();
            *leaf = forged(leaf, number, pick);
            if serde_json::from_value::<RoomEvent>(changed.clone()).is_ok() {
                event = changed;
            }
        }
        serde_json::from_value(event).unwrap()
    })
}

prop_compose! {
    fn hostile_envelope()(
        seq in 0..60u64,
        room_id in prop_oneof![8 => Just(ROOM), 1 => Just(RoomId::from_bytes([9; 16]))],
        actor in user(),
        command in prop::option::of(0..9u64),
        occurred_at_ms in extreme(),
        event in hostile_event(),
    ) -> Envelope {
        let (event_id, command_id) = (EventId::from_bytes([1; 16]), command.map(command_id));
        Envelope { seq, event_id, room_id, actor, command_id, occurred_at_ms, event }
    }
}

/// Hostile events, most of them next in the log, some late or twice, the last one at its very end.
fn hostile_log() -> impl Strategy<Value = Vec<Envelope>> {
    let envelopes = prop::collection::vec((hostile_envelope(), 0..8u8), 0..40);
    (envelopes, any::<bool>()).prop_map(|(envelopes, to_the_end)| {
        let place = |(nth, (envelope, odd)): (usize, (Envelope, u8))| match odd {
            0 => envelope,
            _ => Envelope { seq: 1000 + nth as u64, ..envelope },
        };
        let mut log: Vec<_> = envelopes.into_iter().enumerate().map(place).collect();
        if let Some(last) = log.last_mut().filter(|_| to_the_end) {
            last.seq = u64::MAX;
        }
        log
    })
}

prop_compose! {
    fn any_moment()(
        n in 1..3u64,
        room_time_us in extreme(),
        wall_clock_ms in extreme(),
        lead_us in extreme(),
    ) -> Moment {
        Moment { epoch: epoch(n), room_time_us, wall_clock_ms, lead_us }
    }
}

#[test]
fn what_does_not_belong_into_the_log_changes_nothing() {
    let log = RoomLog::with_people().shared(1);
    let next = |event| Envelope { seq: log.room().seq + 1, event, ..log.envelopes()[0].clone() };
    let apply = |envelope: Envelope| {
        let mut room = log.room().clone();
        room.apply(&envelope);
        room
    };
    let said = || next(RoomEvent::ChatMessagePosted { text: "hi".to_owned() });
    assert_eq!(apply(said()).chat.len(), 1);
    assert_eq!(&apply(Envelope { seq: log.room().seq, ..said() }), log.room());
    assert_eq!(&apply(Envelope { room_id: RoomId::from_bytes([9; 16]), ..said() }), log.room());

    let created = RoomEvent::RoomCreated { host: CLEO, profile: profile("Cleo"), settings: settings() };
    let item = log.room().queue.items()[0].clone();
    let again = RoomEvent::QueueChanged(QueueChange::Added { item, index: 0 });
    assert_eq!(apply(next(created)).host, Some(ADA));
    assert_eq!(apply(next(again)).queue, log.room().queue);
}

proptest! {
    #[test]
    fn replay_equals_live(steps in prop::collection::vec(step(), 0..90)) {
        let log = live(steps);
        let room = fold(Room::default(), log.envelopes());
        prop_assert_eq!(&room, log.room());
        // Delivery may repeat.
        prop_assert_eq!(&fold(room, log.envelopes()), log.room());
    }

    #[test]
    fn the_stored_form_loses_nothing(steps in prop::collection::vec(step(), 0..90), cut: prop::sample::Index) {
        let log = live(steps);
        let stored = serde_json::to_string(log.envelopes()).unwrap();
        let envelopes: Vec<Envelope> = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&envelopes[..], log.envelopes());

        let (before, after) = envelopes.split_at(cut.index(envelopes.len() + 1));
        let snapshot = RoomSnapshot::of(&fold(Room::default(), before));
        let stored = serde_json::to_string(&snapshot).unwrap();
        let restored: RoomSnapshot = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&fold(restored.into_room().unwrap(), after), log.room());
    }

    #[test]
    fn any_order_of_a_real_log_is_read(
        steps in prop::collection::vec(step(), 0..60),
        order in prop::collection::vec(any::<u8>(), 200),
    ) {
        let log = live(steps);
        let mut shuffled: Vec<_> = order.iter().zip(log.envelopes()).collect();
        shuffled.sort_by_key(|(key, _)| **key);
        let envelopes = || shuffled.iter().map(|(_, envelope)| *envelope);
        let room = fold(Room::default(), envelopes());
        prop_assert_eq!(room.seq, envelopes().map(|envelope| envelope.seq).max().unwrap_or(0));
    }

    #[test]
    fn any_log_is_read_and_any_command_decided(
        steps in prop::collection::vec(step(), 0..30),
        envelopes in hostile_log(),
        asked in prop::collection::vec((0..99u64, user(), command(), any_moment()), 1..12),
    ) {
        let mut room = fold(live(steps).room().clone(), &envelopes);
        for (id, actor, command, now) in asked {
            let envelope = CommandEnvelope { id: command_id(id), actor, command };
            let events = room.decide(&envelope, now).unwrap_or_default();
            for event in events {
                if let RoomEvent::PlaybackSynced { transport, .. } = &event {
                    let track = transport.current.and_then(|current| room.playable(current.track));
                    let duration_us = track.map_or(0, |meta| meta.duration_us.max(0));
                    prop_assert!((0..=duration_us).contains(&transport.anchor.position_us));
                }
                let seq = room.seq.saturating_add(1);
                let (event_id, command_id) = (EventId::from_bytes([2; 16]), Some(envelope.id));
                let next =
                    Envelope { seq, event_id, room_id: ROOM, actor, command_id, occurred_at_ms: 0, event };
                room.apply(&next);
            }
        }
        let stored = serde_json::to_string(&RoomSnapshot::of(&room)).unwrap();
        let restored: RoomSnapshot = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(restored.room, room);
    }
}
