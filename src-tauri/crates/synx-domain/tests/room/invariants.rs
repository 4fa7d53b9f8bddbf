//! What holds in every room after every command.

use crate::commands::step;
use proptest::prelude::*;
use std::collections::BTreeSet;
use synx_domain::{QueueChange, Role, Room, RoomEvent, SyncCause, Transport};
use synx_testkit::events::RoomLog;

type Held = Result<(), TestCaseError>;

fn revision(room: &Room) -> u64 {
    room.transport.as_ref().map_or(0, |transport| transport.revision)
}

/// A new transport comes after the old one, is due a lead from now at the earliest, and points into a track of the queue.
fn transport_holds(before: &Room, log: &RoomLog, transport: &Transport, cause: SyncCause) -> Held {
    let (room, anchor, now) = (log.room(), transport.anchor, log.now());
    prop_assert_eq!(transport.revision, revision(before) + 1);
    let duration_us = match transport.current {
        Some(current) => {
            prop_assert_eq!(room.queue.get(current.item).map(|item| item.track), Some(current.track));
            room.playable(current.track).expect("what is queued is playable").duration_us
        }
        None => 0,
    };
    prop_assert!((0..=duration_us).contains(&anchor.position_us), "{anchor:?} of {duration_us}");
    prop_assert!(transport.current.is_some() || !transport.playing && !transport.awaits);
    prop_assert!(!(transport.playing && transport.awaits));
    prop_assert_eq!(transport.epoch, now.epoch);
    // The end of a track may lie behind when the scheduler comes late.
    if !matches!(cause, SyncCause::Advance | SyncCause::QueueEnded) {
        prop_assert!(anchor.room_time_us >= now.room_time_us + now.lead_us);
    }
    Ok(())
}

/// Every entry is in the queue once, from the event that added it to the one that removed it.
fn queue_holds(before: &Room, room: &Room, events: &[RoomEvent]) -> Held {
    let mut expected: BTreeSet<_> = before.queue.items().iter().map(|item| item.id).collect();
    for event in events {
        let done = match event {
            RoomEvent::QueueChanged(QueueChange::Added { item, .. }) => expected.insert(item.id),
            RoomEvent::QueueChanged(QueueChange::Removed { id }) => expected.remove(id),
            RoomEvent::QueueChanged(QueueChange::Moved { id, .. }) => expected.contains(id),
            _ => true,
        };
        prop_assert!(done, "{event:?} does not fit the queue");
    }
    let ids: BTreeSet<_> = room.queue.items().iter().map(|item| item.id).collect();
    prop_assert_eq!(&ids, &expected);
    prop_assert_eq!(room.queue.items().len(), ids.len());
    Ok(())
}

fn people_hold(room: &Room) -> Held {
    let hosts: Vec<_> = room.members.iter().filter(|(_, member)| member.role == Role::Host).collect();
    prop_assert_eq!(hosts.len(), 1);
    prop_assert_eq!(Some(*hosts[0].0), room.host);
    for member in room.members.values() {
        prop_assert_eq!(member.present, member.left.is_none());
    }
    Ok(())
}

proptest! {
    #[test]
    fn invariants_hold_after_every_command(steps in prop::collection::vec(step(), 0..90)) {
        let mut log = RoomLog::open();
        for (nth, step) in steps.into_iter().enumerate() {
            let (before, known) = (log.room().clone(), log.envelopes().len());
            step.run(&mut log, nth);
            let new = &log.envelopes()[known..];
            let events: Vec<_> = new.iter().map(|envelope| envelope.event.clone()).collect();
            for event in &events {
                if let RoomEvent::PlaybackSynced { transport, cause } = event {
                    transport_holds(&before, &log, transport, *cause)?;
                }
            }
            queue_holds(&before, log.room(), &events)?;
            people_hold(log.room())?;
            if let Some(last) = new.last() {
                prop_assert_eq!(log.room().applied(last.command_id.expect("a command")), Some(last.seq));
            }
        }
        let comments: BTreeSet<_> = log.room().comments.iter().map(|comment| comment.id).collect();
        prop_assert_eq!(comments.len(), log.room().comments.len());
    }
}
