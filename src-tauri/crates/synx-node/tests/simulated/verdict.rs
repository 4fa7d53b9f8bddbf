//! What must hold when all is quiet again, whatever happened before.

use crate::house::House;
use crate::peer::{Diary, Peer, Shown};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use synx_domain::{CommandId, Envelope, Room, RoomEvent};

/// Codes by which the room may refuse what people here ask: nothing plays, or nothing follows.
const REFUSALS: [&str; 2] = ["nothing_to_play", "no_such_queue_item"];

/// All wrongs there are; none in a run that went well.
pub async fn wrongs(house: &House, peers: &[Peer]) -> Vec<String> {
    let log = log_of(house).await;
    let mut wrongs = Vec::new();
    let running = house.room();
    let live = running.with(Room::clone);
    if running.log().fold(house.room, None).await.unwrap() != live {
        wrongs.push("the log folds to another room than the one that runs".to_owned());
    }
    let reports = running.log().verify(None).await.unwrap();
    wrongs.extend(reports.iter().filter(|report| report.first_bad.is_some()).map(|bad| format!("{bad:?}")));
    if let Some(id) = done_twice(&log) {
        wrongs.push(format!("command {id} was done twice"));
    }
    for peer in peers {
        let diary = peer.diary.lock().unwrap();
        let said = diary.wrongs.iter().cloned();
        let own = said.chain(histories(&diary, &log, &live)).chain(deeds(&diary, &log));
        wrongs.extend(own.map(|wrong| format!("{}: {wrong}", peer.name)));
    }
    wrongs
}

async fn log_of(house: &House) -> Vec<Arc<Envelope>> {
    let mut all = Vec::new();
    loop {
        let page = house.room().log().read(house.room, all.len() as u64, 4096).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// A command whose events are at more than one place.
fn done_twice(log: &[Arc<Envelope>]) -> Option<CommandId> {
    let mut ended = HashSet::new();
    let mut last = None;
    for id in log.iter().map(|envelope| envelope.command_id).filter(|id| id.is_some()) {
        if id != last && !ended.insert(id) {
            return id;
        }
        last = id;
    }
    None
}

/// What the peer was shown against what is in the log.
fn histories(diary: &Diary, log: &[Arc<Envelope>], live: &Room) -> Vec<String> {
    let mut wrongs = Vec::new();
    let snapshots = diary.shown.iter().filter_map(|shown| match shown {
        Shown::State(snapshot) => Some((snapshot.room.seq, &snapshot.room)),
        Shown::Event(_) => None,
    });
    let mut snapshots: Vec<_> = snapshots.collect();
    snapshots.sort_by_key(|(seq, _)| *seq);
    let (mut room, mut folded) = (Room::default(), log.iter());
    for (seq, snapshot) in snapshots {
        while room.seq < seq {
            let Some(envelope) = folded.next() else { break };
            room.apply(envelope);
        }
        if room != *snapshot {
            wrongs.push(format!("the state that was shown at {seq} is not the log's"));
        }
    }
    for shown in &diary.shown {
        if let Shown::Event(envelope) = shown
            && log.get(envelope.seq as usize - 1) != Some(envelope)
        {
            wrongs.push(format!("event {} is another one in the log", envelope.seq));
        }
    }
    match &diary.replica {
        Some(replica) if replica == live => {}
        Some(replica) => wrongs.push(format!("has event {} of {}, or another room", replica.seq, live.seq)),
        None => wrongs.push("is not in the room".to_owned()),
    }
    wrongs
}

/// What the peer did against what is in the log.
fn deeds(diary: &Diary, log: &[Arc<Envelope>]) -> Vec<String> {
    let mut said: HashMap<&str, Vec<u64>> = HashMap::new();
    for envelope in log {
        if let RoomEvent::ChatMessagePosted { text, .. } | RoomEvent::CommentAdded { text, .. } =
            &envelope.event
        {
            said.entry(text).or_default().push(envelope.seq);
        }
    }
    let mut wrongs = Vec::new();
    for (number, deed) in diary.deeds.iter().enumerate() {
        let seqs = deed.words.as_deref().map(|words| said.get(words).map_or(&[][..], Vec::as_slice));
        match (&deed.outcome, seqs) {
            (Some(Ok(seq)), Some(seqs)) if seqs == [*seq] => {}
            (Some(Ok(seq)), Some(seqs)) => {
                wrongs.push(format!("{number} was acknowledged at {seq}, and is at {seqs:?}"))
            }
            (Some(Ok(seq)), None) if *seq as usize <= log.len() => {}
            (Some(Err(code)), None) if REFUSALS.contains(&code.as_str()) => {}
            (None, seqs) if deed.forgotten && seqs.is_none_or(|seqs| seqs.len() < 2) => {}
            (outcome, seqs) => wrongs.push(format!("{number} came to {outcome:?}, and is at {seqs:?}")),
        }
    }
    wrongs
}
