//! `cargo xtask bench time-travel [EVENTS]`: how long it takes to look back at a long room, first and from then on.

use std::time::Instant;
use synx_domain::{Command, EventId, NewEvent, RoomEvent};
use synx_log::{Log, LogOptions};
use synx_node::past::Past;
use synx_testkit::Random;
use synx_testkit::events::{ADA, BEN, ROOM, RoomLog, hash};
use uuid::Uuid;

const AT_ONCE: usize = 1000;
const JUMPS: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events: usize = std::env::args().nth(1).as_deref().unwrap_or("100000").parse()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(events))
}

async fn measure(events: usize) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let log = Log::open(&folder.path().join("log.db"), LogOptions::default())?;
    let room = evening(events);
    for (page, chunk) in room.chunks(AT_ONCE).enumerate() {
        log.append(ROOM, (page * AT_ONCE) as u64, chunk.to_vec()).await?;
    }
    let begin = Instant::now();
    let mut past = Past::new(log, ROOM, BEN);
    past.read_on().await?;
    println!("{{\"events\": {}, \"first_ms\": {:.1}}}", past.head(), ms(begin));

    let mut random = Random::new(1);
    let mut took_ms = Vec::new();
    for _ in 0..JUMPS {
        let seq = 1 + random.bits() % past.head();
        let begin = Instant::now();
        let found = past.at(seq).await?;
        took_ms.push(ms(begin));
        assert_eq!(found.room.seq, seq);
    }
    took_ms.sort_by(f64::total_cmp);
    let (median, worst) = (took_ms[JUMPS / 2], took_ms[JUMPS - 1]);
    println!("{{\"jumps\": {JUMPS}, \"median_ms\": {median:.2}, \"worst_ms\": {worst:.2}}}");
    let begin = Instant::now();
    let entries = past.entries(&[synx_node::bridge::LogKindView::Notes], None, 100).await?;
    println!("{{\"entries\": {}, \"page_ms\": {:.2}}}", entries.len(), ms(begin));
    Ok(())
}

fn ms(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

/// Much talk, some seeking, a comment now and then.
fn evening(events: usize) -> Vec<NewEvent> {
    let mut log = RoomLog::with_people().shared(1).did(ADA, Command::Play { track: None });
    let mut new: Vec<NewEvent> = log.envelopes().iter().cloned().map(of).collect();
    let first_ms = log.envelopes().last().map_or(0, |last| last.occurred_at_ms);
    while new.len() < events {
        let n = new.len();
        let command = match n % 50 {
            0 => Command::AddComment {
                track: hash(1),
                position_us: n as i64,
                end_us: None,
                text: "The snare is late here, and again in the second chorus".to_owned(),
                reply_to: None,
            },
            1..5 => Command::Seek { position_us: (n as i64 * 7919) % 170_000_000 },
            _ => Command::PostChatMessage {
                text: format!("Message {n}, as long as people write them at night"),
            },
        };
        // The state's limits refuse what is too much of one kind: then something is said instead.
        let told = log.send(if n.is_multiple_of(3) { ADA } else { BEN }, command);
        let event = told.ok().and_then(|events| events.into_iter().next());
        let event = event.unwrap_or(RoomEvent::ChatMessagePosted { text: format!("Message {n}") });
        new.push(NewEvent {
            event_id: EventId::from_uuid(Uuid::now_v7()),
            actor: ADA,
            command_id: Some(synx_testkit::events::command_id(1_000_000 + n as u64)),
            occurred_at_ms: first_ms + n as i64 * 1000,
            event,
        });
    }
    new
}

fn of(envelope: synx_domain::Envelope) -> NewEvent {
    let synx_domain::Envelope { event_id, actor, command_id, occurred_at_ms, event, .. } = envelope;
    NewEvent { event_id, actor, command_id, occurred_at_ms, event }
}
