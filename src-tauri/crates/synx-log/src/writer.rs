//! The only one who writes: takes what has gathered, checks it, stores it in one commit, and then lets it be seen.
//!
//! Must never publish or answer what is not durable, and must check everything that can be wrong with one append before the
//! commit, so that none of the others in it suffers. Where others append to the same store, what they did is seen in the store
//! and nowhere else.

use crate::codec::{self, Draft};
use crate::inbox::{Answer, Append, Appended, Inbox, Job, Taken};
use crate::meters::Meters;
use crate::tail::{Fresh, Tails};
use crate::{ChainHash, EventStore, LogError, Record, RoomHead, StoreHead, StoredSnapshot, Upcasters};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;
use synx_domain::{Envelope, EventId, NewEvent, RoomId};

/// Events of others that are read at once, and their bytes.
const NEWS_EVENTS: usize = 512;
const NEWS_BYTES: usize = 4 << 20;

/// What the writer and the log's handles share.
pub(crate) struct Desk {
    pub store: Arc<dyn EventStore>,
    pub inbox: Arc<Inbox>,
    pub tails: Tails,
    /// Snapshots of each room that are kept.
    pub snapshots_kept: usize,
    /// How old payloads are read.
    pub upcasters: Upcasters,
    pub meters: Meters,
}

/// Runs until the inbox is closed and empty.
pub(crate) fn run(desk: &Desk, head: StoreHead) {
    // However the writer ends, nobody may wait for it.
    struct Farewell<'a>(&'a Desk);
    impl Drop for Farewell<'_> {
        fn drop(&mut self) {
            self.0.inbox.abandon();
            self.0.tails.close();
        }
    }
    let _farewell = Farewell(desk);
    let mut writer = Writer { desk, damaged: damaged(&head), end: LogEnd::of(head) };
    let (max_events, max_bytes) = (desk.store.commit_events(), desk.store.commit_bytes());
    while let Some(Taken { jobs, news }) = desk.inbox.take(max_events, max_bytes) {
        desk.meters.waiting.set(desk.inbox.waiting_events() as f64);
        news.into_iter().for_each(|(room, appended)| writer.take_in(room, appended));
        writer.work(jobs);
    }
}

/// Where the log ends: what is on disk, or would be after a commit that is being prepared.
struct LogEnd {
    rooms: HashMap<RoomId, (u64, ChainHash)>,
    log_seq: u64,
    greatest_event_id: Option<EventId>,
}

impl LogEnd {
    fn of(head: StoreHead) -> Self {
        Self {
            rooms: head.rooms.into_iter().map(|head| (head.room_id, (head.seq, head.hash))).collect(),
            log_seq: head.log_seq,
            greatest_event_id: head.greatest_event_id,
        }
    }

    /// The end before anything of a commit is prepared. Rooms are looked up in what is on disk when they are touched.
    fn untouched(&self) -> Self {
        Self { rooms: HashMap::new(), log_seq: self.log_seq, greatest_event_id: self.greatest_event_id }
    }

    fn advance(&mut self, by: Self) {
        self.rooms.extend(by.rooms);
        // What others have appended meanwhile may be further.
        self.log_seq = self.log_seq.max(by.log_seq);
        self.greatest_event_id = self.greatest_event_id.max(by.greatest_event_id);
    }
}

/// A commit that is being prepared.
struct Plan {
    end: LogEnd,
    records: Vec<Record>,
    accepted: Vec<Accepted>,
    ids: HashSet<EventId>,
}

struct Accepted {
    expected_seq: u64,
    head: RoomHead,
    fresh: Vec<Fresh>,
    answer: Answer<Vec<Arc<Envelope>>>,
    cause: tracing::Span,
}

struct Writer<'a> {
    desk: &'a Desk,
    /// Rooms that are not what was written; an append would hide the damage.
    damaged: HashSet<RoomId>,
    end: LogEnd,
}

impl Writer<'_> {
    fn work(&mut self, jobs: Vec<Job>) {
        self.catch_up_with(&jobs);
        let mut plan = Plan {
            end: self.end.untouched(),
            records: Vec::with_capacity(jobs.len()),
            accepted: Vec::with_capacity(jobs.len()),
            ids: HashSet::with_capacity(jobs.len()),
        };
        let mut snapshots = Vec::new();
        for job in jobs {
            match job {
                Job::Append(append) => self.admit(append, &mut plan),
                Job::Snapshot(snapshot, answer) => snapshots.push((snapshot, answer)),
            }
        }
        if !plan.records.is_empty() {
            self.commit(plan);
        }
        for (snapshot, answer) in snapshots {
            self.save_snapshot(&snapshot, answer);
        }
    }

    /// Where others append too, an appender may have read further than the writer was told.
    fn catch_up_with(&mut self, jobs: &[Job]) {
        if !self.desk.store.is_shared() {
            return;
        }
        let mut looked_at = HashSet::new();
        for job in jobs {
            let Job::Append(Append { room, expected_seq, .. }) = job else { continue };
            let known = self.end.rooms.get(room).map_or(0, |(seq, _)| *seq);
            // Later ones of the same room follow the first.
            if looked_at.insert(*room) && *expected_seq > known {
                self.read_news(*room);
            }
        }
    }

    fn admit(&self, mut append: Append, plan: &mut Plan) {
        let records = self.place(&mut append, plan).and_then(|records| {
            self.claim_ids(&append.drafts, plan)?;
            Ok(records)
        });
        match records {
            Ok(records) => plan.accept(append, records),
            Err(error) => tell(append.answer, Err(error)),
        }
    }

    /// The rows of an append, if it is about the room as it will be then. They take the payloads along.
    fn place(&self, append: &mut Append, plan: &Plan) -> Result<Vec<Record>, LogError> {
        let (room, expected) = (append.room, append.expected_seq);
        if self.damaged.contains(&room) {
            let detail = format!("the end of room {room} is not the one that was written");
            return Err(LogError::Corrupt { detail });
        }
        let known = plan.end.rooms.get(&room).or_else(|| self.end.rooms.get(&room));
        let (actual, mut hash) = known.copied().unwrap_or((0, ChainHash::START));
        if expected != actual {
            return Err(LogError::Conflict { room, expected, actual });
        }
        let mut records = Vec::with_capacity(append.drafts.len());
        for (offset, draft) in (1..).zip(&mut append.drafts) {
            let record = chained(room, actual + offset, plan.end.log_seq + offset, draft, hash);
            if draft.hash.is_some_and(|elsewhere| elsewhere != record.hash) {
                return Err(LogError::ForeignHistory { room, seq: record.seq });
            }
            hash = record.hash;
            records.push(record);
        }
        Ok(records)
    }

    /// Takes the ids of an append, all or none of them.
    fn claim_ids(&self, drafts: &[Draft], plan: &mut Plan) -> Result<(), LogError> {
        for (index, draft) in drafts.iter().enumerate() {
            let event_id = draft.event.event_id;
            let refused = match self.stored(event_id) {
                Ok(false) if plan.ids.insert(event_id) => continue,
                Ok(_) => LogError::DuplicateEvent { event_id },
                Err(error) => error,
            };
            for claimed in drafts.iter().take(index) {
                plan.ids.remove(&claimed.event.event_id);
            }
            return Err(refused);
        }
        Ok(())
    }

    /// Ids are time-ordered: one above all that are stored is new without a look.
    fn stored(&self, event_id: EventId) -> Result<bool, LogError> {
        match self.end.greatest_event_id {
            Some(greatest) if event_id <= greatest => self.desk.store.contains(event_id),
            _ => Ok(false),
        }
    }

    fn commit(&mut self, mut plan: Plan) {
        let span = tracing::info_span!("log_commit", events = plan.records.len());
        for accepted in &plan.accepted {
            span.follows_from(&accepted.cause);
        }
        let _in_it = span.enter();
        loop {
            let begun = Instant::now();
            match self.desk.store.commit(&plan.records) {
                Ok(()) => {
                    self.desk.meters.committed(plan.records.len(), begun.elapsed());
                    return self.publish(plan);
                }
                Err(LogError::Conflict { room, actual, .. }) if plan.is_about(room) => {
                    self.leave_out(room, actual, &mut plan);
                    if plan.records.is_empty() {
                        return;
                    }
                }
                // An id that somebody else has taken meanwhile.
                Err(LogError::DuplicateEvent { event_id }) if plan.refuse_id(event_id) => {
                    if plan.records.is_empty() {
                        return;
                    }
                }
                Err(error) => {
                    self.desk.meters.failed(&error);
                    tracing::error!(%error, events = plan.records.len(), "the log could not store events");
                    plan.accepted.into_iter().for_each(|accepted| tell(accepted.answer, Err(error.clone())));
                    return;
                }
            }
        }
    }

    /// Refuses what is behind another event than was believed: of this room, and of the others that somebody else appended to
    /// meanwhile. The rest is none the worse for it.
    fn leave_out(&mut self, conflicting: RoomId, actual: u64, plan: &mut Plan) {
        for room in plan.end.rooms.keys().copied().collect::<Vec<_>>() {
            let before = self.end.rooms.get(&room).map_or(0, |(seq, _)| *seq);
            self.read_news(room);
            let now = self.end.rooms.get(&room).map_or(0, |(seq, _)| *seq);
            if room == conflicting || now != before {
                plan.refuse(room, if now == before { actual } else { now });
            }
        }
    }

    fn publish(&mut self, plan: Plan) {
        self.end.advance(plan.end);
        for Accepted { head, fresh, answer, .. } in plan.accepted {
            let envelopes = fresh.iter().map(|(envelope, _)| Arc::clone(envelope)).collect();
            self.desk.tails.publish(head, fresh);
            tell(answer, Ok(envelopes));
        }
    }

    /// Takes in what others have appended to a room, as far as it is not known.
    fn take_in(&mut self, room: RoomId, Appended { mut records, more }: Appended) {
        let (known, _) = self.end.rooms.get(&room).copied().unwrap_or((0, ChainHash::START));
        records.retain(|record| record.seq > known);
        match (records.first(), records.last()) {
            (Some(first), Some(last)) if first.seq == known + 1 => self.show(RoomHead::at(last), &records),
            (None, None) => {}
            _ => return self.read_news(room),
        }
        if more {
            self.read_news(room);
        }
    }

    /// Takes in what others have appended to a room by the store.
    fn read_news(&mut self, room: RoomId) {
        loop {
            let (seq, _) = self.end.rooms.get(&room).copied().unwrap_or((0, ChainHash::START));
            match self.desk.store.read(room, seq, NEWS_EVENTS, NEWS_BYTES) {
                Ok(records) => match records.last() {
                    Some(last) => self.show(RoomHead::at(last), &records),
                    None => return,
                },
                // It is told again with the next event.
                Err(error) => {
                    return tracing::warn!(%error, %room, "what others have appended cannot be read");
                }
            }
        }
    }

    fn show(&mut self, head: RoomHead, records: &[Record]) {
        self.desk.meters.followed.increment(records.len() as u64);
        self.end.rooms.insert(head.room_id, (head.seq, head.hash));
        for record in records {
            self.end.log_seq = self.end.log_seq.max(record.log_seq);
            self.end.greatest_event_id = self.end.greatest_event_id.max(Some(record.event_id));
        }
        let read = |record: &Record| {
            let envelope = codec::envelope(&self.desk.upcasters, record)?;
            Ok::<Fresh, LogError>((Arc::new(envelope), record.data.len()))
        };
        match records.iter().map(read).collect() {
            Ok(fresh) => self.desk.tails.publish(head, fresh),
            // Whoever reads it is told why not.
            Err(_) => self.desk.tails.publish_unread(head),
        }
    }

    fn save_snapshot(&self, snapshot: &StoredSnapshot, answer: Answer<()>) {
        tell(answer, self.desk.store.save_snapshot(snapshot, self.desk.snapshots_kept));
    }
}

impl Plan {
    fn accept(&mut self, append: Append, records: Vec<Record>) {
        let Some(last) = records.last() else { return tell(append.answer, Ok(Vec::new())) };
        let head = RoomHead::at(last);
        self.end.rooms.insert(append.room, (head.seq, head.hash));
        self.end.log_seq = last.log_seq;
        self.end.greatest_event_id =
            self.end.greatest_event_id.max(records.iter().map(|record| record.event_id).max());
        let sizes = records.iter().map(|record| (record.seq, record.data.len()));
        let fresh = sizes
            .zip(append.drafts)
            .map(|((seq, bytes), draft)| (Arc::new(envelope(append.room, seq, draft.event)), bytes))
            .collect();
        let Append { expected_seq, answer, cause, .. } = append;
        self.accepted.push(Accepted { expected_seq, head, fresh, answer, cause });
        self.records.extend(records);
    }

    fn is_about(&self, room: RoomId) -> bool {
        self.accepted.iter().any(|accepted| accepted.head.room_id == room)
    }

    /// Leaves out a room that is at another event than was believed.
    fn refuse(&mut self, room: RoomId, actual: u64) {
        for Accepted { expected_seq: expected, answer, .. } in self.leave_out(room, 0) {
            tell(answer, Err(LogError::Conflict { room, expected, actual }));
        }
    }

    /// Leaves out the append that an event with this id is in, and what was to follow it in its room. False if there is none.
    fn refuse_id(&mut self, event_id: EventId) -> bool {
        let has_it =
            |accepted: &&Accepted| accepted.fresh.iter().any(|(event, _)| event.event_id == event_id);
        let Some(found) = self.accepted.iter().find(has_it) else { return false };
        let (room, actual) = (found.head.room_id, found.expected_seq);
        for Accepted { expected_seq: expected, answer, .. } in self.leave_out(room, actual) {
            tell(
                answer,
                Err(match expected == actual {
                    true => LogError::DuplicateEvent { event_id },
                    false => LogError::Conflict { room, expected, actual },
                }),
            );
        }
        true
    }

    /// Takes out what is to be appended to a room behind an event.
    fn leave_out(&mut self, room: RoomId, after_seq: u64) -> Vec<Accepted> {
        self.records.retain(|record| record.room_id != room || record.seq <= after_seq);
        let behind =
            |accepted: &mut Accepted| accepted.head.room_id == room && accepted.expected_seq >= after_seq;
        let left_out = self.accepted.extract_if(.., behind).collect();
        match self.accepted.iter().rfind(|accepted| accepted.head.room_id == room) {
            Some(Accepted { head, .. }) => self.end.rooms.insert(room, (head.seq, head.hash)),
            None => self.end.rooms.remove(&room),
        };
        left_out
    }
}

/// Rooms whose last event is not the one that was recorded as such.
fn damaged(head: &StoreHead) -> HashSet<RoomId> {
    let recorded: HashMap<_, _> = head.recorded.iter().map(|head| (head.room_id, head)).collect();
    let differing = head.rooms.iter().filter(|found| recorded.get(&found.room_id) != Some(found));
    let found: HashSet<_> = head.rooms.iter().map(|head| head.room_id).collect();
    let vanished = recorded.keys().copied().filter(|room| !found.contains(room));
    differing.map(|head| head.room_id).chain(vanished).collect()
}

/// The row of an event at this place.
fn chained(room_id: RoomId, seq: u64, log_seq: u64, draft: &mut Draft, previous: ChainHash) -> Record {
    let NewEvent { event_id, actor, command_id, occurred_at_ms, .. } = draft.event;
    let mut record = Record {
        log_seq,
        seq,
        event_id,
        room_id,
        actor,
        command_id,
        occurred_at_ms,
        name: draft.name.clone(),
        version: draft.version,
        data: std::mem::take(&mut draft.data),
        hash: ChainHash::START,
    };
    record.hash = record.chained_to(previous);
    record
}

fn envelope(room_id: RoomId, seq: u64, event: NewEvent) -> Envelope {
    let NewEvent { event_id, actor, command_id, occurred_at_ms, event } = event;
    Envelope { seq, event_id, room_id, actor, command_id, occurred_at_ms, event }
}

/// Whoever asked may be gone; then nobody needs to know.
fn tell<T>(answer: Answer<T>, outcome: Result<T, LogError>) {
    drop(answer.send(outcome));
}
