//! How long a log of a million events takes to open, to give a room's present, to read a room's history, to verify.
//!
//! `cargo run --release -p synx-log --example bench_start -- [FOLDER] [EVENTS]`. Prints one JSON object.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::time::Instant;
use synx_domain::{EventId, NewEvent, RoomEvent, RoomId, UserId};
use synx_log::{Log, LogOptions};
use uuid::Uuid;

const ROOMS: u64 = 10;
const BATCH: u64 = 1000;

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let events: u64 = args.next().map_or(1_000_000, |text| text.parse().expect("a number of events"));
    let scratch = tempfile::tempdir_in(folder).unwrap();
    let path = scratch.path().join("log.db");
    let open = || Log::open(&path, LogOptions::default()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let log = open();
        let fill_s = timed(fill(&log, events)).await;
        log.close();
        let start = Instant::now();
        let log = open();
        let open_s = start.elapsed().as_secs_f64();
        let first_fold_s = timed(async { drop(log.fold(room(0), None).await.unwrap()) }).await;
        let next_fold_s = timed(async { drop(log.fold(room(0), None).await.unwrap()) }).await;
        let history_s = timed(history(&log)).await;
        let verify_s = timed(async { drop(log.verify(None).await.unwrap()) }).await;
        println!(
            "{{\"events\":{events},\"rooms\":{ROOMS},\"fill_s\":{fill_s:.2},\"open_s\":{open_s:.4},\
             \"first_fold_s\":{first_fold_s:.3},\"next_fold_s\":{next_fold_s:.4},\
             \"read_{}_events_s\":{history_s:.3},\"verify_s\":{verify_s:.2}}}",
            events / ROOMS
        );
    });
}

async fn timed(work: impl Future<Output = ()>) -> f64 {
    let start = Instant::now();
    work.await;
    start.elapsed().as_secs_f64()
}

/// Rooms take turns, so that each one's events are spread over the whole file.
async fn fill(log: &Log, events: u64) {
    for batch in 0..events / BATCH {
        let head = batch / ROOMS * BATCH;
        log.append(room(batch % ROOMS), head, (0..BATCH).map(|_| message()).collect()).await.unwrap();
    }
}

async fn history(log: &Log) {
    let mut seq = 0;
    while let Some(last) = log.read(room(0), seq, 2048).await.unwrap().last() {
        seq = last.seq;
    }
}

fn room(number: u64) -> RoomId {
    RoomId::from_uuid(Uuid::from_u128(u128::from(number) + 1))
}

fn message() -> NewEvent {
    NewEvent {
        event_id: EventId::from_uuid(Uuid::now_v7()),
        actor: UserId::from_uuid(Uuid::from_u128(7)),
        command_id: None,
        occurred_at_ms: 1_800_000_000_000,
        event: RoomEvent::ChatMessagePosted { text: "What a bass line, and what a snare!".to_owned() },
    }
}
