//! A server with years behind it: how soon it is there, and how soon a peer has the present or the whole past of a room.

use crate::Bench;
use crate::house::House;
use crate::peers::{Ear, Peer, Person, Target, run, until};
use crate::serve::{room_id, settings};
use crate::tally::Tally;
use serde_json::json;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;
use synx_domain::{EventId, NewEvent, RoomEvent, UserId, UserProfile};
use synx_log::{Log, LogOptions};
use uuid::Uuid;

/// Events in all, and in the room that is looked at.
const EVENTS: u64 = 1_000_000;
const BIG_ROOM: u64 = 100_000;
/// Rooms that hold the others.
const SMALL_ROOMS: u64 = 900;
const BATCH: u64 = 500;
const TRIES: usize = 5;

/// Starts on a log of a million events, and joins a room of 100,000 of them.
pub fn history(bench: &Bench, tls: bool) {
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(fill(folder.path()));
    let mut starts = Vec::new();
    for _ in 0..TRIES {
        let begin = Instant::now();
        let house = House::open(folder.path(), 1, 1, tls);
        let (join_ms, _) = run(join(&house, folder.path(), tls, None));
        let first_peer_in_ms = ms(begin.elapsed());
        starts.push(json!({"listening_ms": ms(house.ready), "join_ms": join_ms, "first_peer_in_ms": first_peer_in_ms}));
    }
    let house = House::open(folder.path(), 1, 1, tls);
    let mut joins = Vec::new();
    for _ in 0..TRIES {
        let (present_ms, _) = run(join(&house, folder.path(), tls, None));
        let (whole_ms, events) = run(join(&house, folder.path(), tls, Some(1)));
        joins.push(json!({"present_ms": present_ms, "whole_ms": whole_ms, "events": events}));
    }
    println!("{}", json!({"measure": "history", "tls": tls, "starts": starts, "joins": joins}));
}

/// Joins and reads up to the room's end; how long that took, and how many events came.
async fn join(house: &House, folder: &Path, tls: bool, last_seq: Option<u64>) -> (f64, u64) {
    let (tally, target) = (Tally::new(1), Target::new(house.at, folder, tls));
    let ear: Rc<dyn Ear> = Rc::<Tally>::clone(&tally);
    let begin = Instant::now();
    let peer = Peer::start(&target, 0, 0, last_seq, ear);
    let there = || {
        let (head, heard) = tally.heads.borrow()[0];
        head != u64::MAX && (last_seq.is_none() || heard >= head)
    };
    assert!(until(there).await && !peer.over.get(), "the room was not reached");
    (ms(begin.elapsed()), tally.deliveries.get())
}

fn ms(took: std::time::Duration) -> f64 {
    (took.as_secs_f64() * 1e4).round() / 10.0
}

async fn fill(folder: &Path) {
    let log = Log::open(&folder.join("log.db"), LogOptions::default()).unwrap();
    let host = Person::numbered(0).user_id();
    for small in 0..=SMALL_ROOMS {
        let profile = UserProfile { name: "Host".to_owned(), ..UserProfile::default() };
        let created = RoomEvent::RoomCreated { host, profile, settings: settings() };
        log.append(room_id(small as usize), 0, vec![event(host, created)]).await.unwrap();
    }
    let mut heads = vec![1; SMALL_ROOMS as usize + 1];
    for batch in 0..EVENTS / BATCH {
        // Each tenth batch is the big room's, so that it lies all over the file.
        let room =
            if batch % (EVENTS / BIG_ROOM) == 0 { 0 } else { 1 + batch as usize % SMALL_ROOMS as usize };
        let said = |number| RoomEvent::ChatMessagePosted { text: format!("~{number}~{}", "x".repeat(190)) };
        let events = (0..BATCH).map(|number| event(host, said(heads[room] + number))).collect();
        log.append(room_id(room), heads[room], events).await.unwrap();
        heads[room] += BATCH;
    }
    log.close();
}

fn event(actor: UserId, event: RoomEvent) -> NewEvent {
    let event_id = EventId::from_uuid(Uuid::now_v7());
    NewEvent { event_id, actor, command_id: None, occurred_at_ms: 1_800_000_000_000, event }
}
