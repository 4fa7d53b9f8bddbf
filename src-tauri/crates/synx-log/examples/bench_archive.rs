//! What archiving a room saves and costs: the log's size, and how long its history takes to be moved, read and verified.
//!
//! `cargo run --release -p synx-log --example bench_archive -- [FOLDER] [EVENTS]`. Prints one JSON object.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::time::Instant;
use synx_domain::{CommandId, EventId, NewEvent, RoomEvent, RoomId, UserId};
use synx_log::testing::Chance;
use synx_log::{Log, LogOptions, Old};
use uuid::Uuid;

const BATCH: u64 = 1000;
/// Words that people of this bench know, and who they are.
const WORDS: u64 = 2000;
const PEOPLE: u64 = 12;

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let events: u64 = args.next().map_or(200_000, |text| text.parse().expect("a number of events"));
    let scratch = tempfile::tempdir_in(folder).unwrap();
    let at = |name: &str| scratch.path().join(name);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let log = Log::open(&at("log.db"), LogOptions::default()).unwrap();
        let mut chance = Chance(1);
        for batch in 0..events / BATCH {
            let said = (0..BATCH).map(|_| said(&mut chance)).collect();
            log.append(room(), batch * BATCH, said).await.unwrap();
        }
        let before = measured(&log, &at("before.db")).await;
        let begun = Instant::now();
        let old = Old { through_seq: u64::MAX, before_ms: i64::MAX, whole_segments: true };
        let moved = log.archive(room(), old).await.unwrap();
        let archive_s = begun.elapsed().as_secs_f64();
        let after = measured(&log, &at("after.db")).await;
        println!(
            "{{\"events\":{events},\"archived\":{moved},\"archive_s\":{archive_s:.2},{},{}}}",
            before.json("before"),
            after.json("after")
        );
    });
}

struct Measured {
    bytes: u64,
    read_s: f64,
    verify_s: f64,
}

impl Measured {
    fn json(&self, when: &str) -> String {
        let Self { bytes, read_s, verify_s } = self;
        format!("\"{when}\":{{\"bytes\":{bytes},\"read_s\":{read_s:.3},\"verify_s\":{verify_s:.2}}}")
    }
}

/// The size of a copy, which has no free pages, and the times of the log itself.
async fn measured(log: &Log, copy: &Path) -> Measured {
    log.backup(copy).await.unwrap();
    let bytes = std::fs::metadata(copy).unwrap().len();
    let (begun, mut seq) = (Instant::now(), 0);
    while let Some(last) = log.read(room(), seq, 2048).await.unwrap().last() {
        seq = last.seq;
    }
    let read_s = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    assert!(log.verify(None).await.unwrap()[0].first_bad.is_none());
    Measured { bytes, read_s, verify_s: begun.elapsed().as_secs_f64() }
}

fn room() -> RoomId {
    RoomId::from_uuid(Uuid::from_u128(1))
}

/// Ten words or so, as varied as chance makes them.
fn said(chance: &mut Chance) -> NewEvent {
    let count = 4 + chance.below(12);
    let words: Vec<_> = (0..count).map(|_| format!("{:x}", chance.below(WORDS) * 40_503)).collect();
    NewEvent {
        event_id: EventId::from_uuid(Uuid::now_v7()),
        actor: UserId::from_uuid(Uuid::from_u128(u128::from(7 + chance.below(PEOPLE)))),
        command_id: Some(CommandId::from_uuid(Uuid::now_v7())),
        occurred_at_ms: 1_800_000_000_000,
        event: RoomEvent::ChatMessagePosted { text: words.join(" ") },
    }
}
