//! Looking back at a room: its log by kind, and the room as it was after any event.
//!
//! Must never change a room: it folds copies of what is in the log.

mod kinds;

pub use kinds::kind_of;

use crate::bridge::LogKindView;
use crate::error::NodeError;
use kinds::Kinds;
use std::sync::Arc;
use synx_domain::{Envelope, NewEvent, Room, RoomEvent, RoomId, UserId};
use synx_log::Log;

/// Events that are read at once.
const PAGE_EVENTS: usize = 1000;
/// A state is kept each time so many events have passed: to fold this many takes some ten milliseconds.
const FIRST_STRIDE: u64 = 1000;
/// States that are kept at most. One of a long room has some hundred kilobytes; past this, every second one goes.
const KEPT_STATES: usize = 128;
/// Events apart that are read in one go all the same: a read of its own costs more than reading past these.
const READ_PAST: u64 = 32;

/// A room's log, read up to some event.
pub struct Past {
    log: Log,
    id: RoomId,
    /// The room where its log begins: empty, unless the first events were dropped.
    begin: Room,
    latest: Room,
    /// The room after `stride`, twice `stride` … events.
    kept: Vec<Room>,
    stride: u64,
    kinds: Kinds,
    bounds_ms: Option<(i64, i64)>,
    me: UserId,
    left: Option<Left>,
    away: Option<Away>,
}

/// When somebody left.
#[derive(Debug, Clone, Copy)]
struct Left {
    seq: u64,
    at_ms: i64,
}

/// The last time that the person who looks was not in the room: what lies between two of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away {
    /// The event by which they left.
    pub left_seq: u64,
    /// The event by which they came back.
    pub back_seq: u64,
    /// When they left, milliseconds since 1970 UTC.
    pub left_at_ms: i64,
}

/// A room as it was after an event.
pub struct PastMoment {
    /// The event.
    pub envelope: Arc<Envelope>,
    /// The room after it.
    pub room: Room,
    /// Milliseconds from the last change of the transport to the event.
    pub since_sync_ms: i64,
}

impl Past {
    /// Nothing read yet.
    pub fn new(log: Log, id: RoomId, me: UserId) -> Self {
        Self {
            log,
            id,
            begin: Room::default(),
            latest: Room::default(),
            kept: Vec::new(),
            stride: FIRST_STRIDE,
            kinds: Kinds::default(),
            bounds_ms: None,
            me,
            left: None,
            away: None,
        }
    }

    /// Which room.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// The log that is read.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The last event that was read.
    pub fn head(&self) -> u64 {
        self.latest.seq
    }

    /// The room after it.
    pub fn latest(&self) -> &Room {
        &self.latest
    }

    /// When the first and the last event happened, milliseconds since 1970 UTC.
    pub fn bounds_ms(&self) -> Option<(i64, i64)> {
        self.bounds_ms
    }

    /// The last absence of the person who looks.
    pub fn away(&self) -> Option<Away> {
        self.away
    }

    /// How many events of a kind lie between two.
    pub fn count(&self, kind: LogKindView, after_seq: u64, before_seq: u64) -> usize {
        self.kinds.count(kind, after_seq, before_seq)
    }

    /// Reads on to the end of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn read_on(&mut self) -> Result<(), NodeError> {
        let dropped = self.log.dropped(self.id);
        if self.head() < dropped {
            self.begin = self.log.fold(self.id, Some(dropped)).await?;
            self.latest = self.begin.clone();
            self.kinds = Kinds::after(dropped);
            // In the place of states before it.
            while (self.kept.len() as u64 + 1) * self.stride <= dropped {
                self.keep();
            }
        }
        loop {
            let page = self.log.read(self.id, self.head(), PAGE_EVENTS).await?;
            if page.is_empty() {
                return Ok(());
            }
            page.iter().for_each(|envelope| self.take(envelope));
        }
    }

    /// Appends what another machine's log holds after this one, in a log of this looking back alone.
    ///
    /// # Errors
    /// When the events do not continue the log.
    pub async fn append(&mut self, events: Vec<Envelope>) -> Result<(), NodeError> {
        let new = events.into_iter().map(|envelope| NewEvent {
            event_id: envelope.event_id,
            actor: envelope.actor,
            command_id: envelope.command_id,
            occurred_at_ms: envelope.occurred_at_ms,
            event: envelope.event,
        });
        for envelope in self.log.append(self.id, self.head(), new.collect()).await? {
            self.take(&envelope);
        }
        Ok(())
    }

    fn take(&mut self, envelope: &Envelope) {
        self.latest.apply(envelope);
        self.kinds.push(&envelope.event);
        let at_ms = envelope.occurred_at_ms;
        self.bounds_ms = Some((self.bounds_ms.map_or(at_ms, |(first_ms, _)| first_ms), at_ms));
        match &envelope.event {
            RoomEvent::UserLeft { user, .. } if *user == self.me => {
                self.left = Some(Left { seq: envelope.seq, at_ms });
            }
            RoomEvent::UserJoined { user, .. } if *user == self.me => {
                let back =
                    |left: Left| Away { left_seq: left.seq, back_seq: envelope.seq, left_at_ms: left.at_ms };
                self.away = self.left.take().map(back).or(self.away);
            }
            _ => {}
        }
        if envelope.seq.is_multiple_of(self.stride) {
            self.keep();
        }
    }

    fn keep(&mut self) {
        self.kept.push(self.latest.clone());
        if self.kept.len() <= KEPT_STATES {
            return;
        }
        // Those after an even number of strides stay.
        let mut index = 0;
        self.kept.retain(|_| {
            index += 1;
            index % 2 == 0
        });
        self.stride *= 2;
    }

    /// The room as it was after an event; the nearest there is, if there is none of that number.
    ///
    /// # Errors
    /// When the log cannot be read, or is empty.
    pub async fn at(&self, seq: u64) -> Result<PastMoment, NodeError> {
        let first = self.begin.seq + 1;
        let seq = seq.clamp(first, self.head().max(first));
        let kept = (seq - 1) / self.stride;
        let mut room = match kept.checked_sub(1) {
            Some(index) => self.kept.get(index as usize).cloned().unwrap_or_default(),
            None => self.begin.clone(),
        };
        let mut last = None;
        while room.seq < seq {
            let wanted = ((seq - room.seq) as usize).min(PAGE_EVENTS);
            let page = self.log.read(self.id, room.seq, wanted).await?;
            page.iter().for_each(|envelope| room.apply(envelope));
            last = page.last().cloned().or(last);
            if page.is_empty() {
                break;
            }
        }
        let envelope = last.ok_or(NodeError::NotReady { what: "the room's history" })?;
        let since_sync_ms = self.last_sync_ms(seq).await?.map_or(0, |at_ms| envelope.occurred_at_ms - at_ms);
        Ok(PastMoment { envelope, room, since_sync_ms: since_sync_ms.max(0) })
    }

    /// When the transport changed last, up to an event.
    async fn last_sync_ms(&self, seq: u64) -> Result<Option<i64>, NodeError> {
        let Some(sync) = self.kinds.last(LogKindView::Music, seq) else { return Ok(None) };
        let found = self.log.read(self.id, sync - 1, 1).await?;
        Ok(found.first().map(|envelope| envelope.occurred_at_ms))
    }

    /// The events of some kinds before one, newest first; of all kinds where none is named.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn entries(
        &self,
        kinds: &[LogKindView],
        before_seq: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Arc<Envelope>>, NodeError> {
        let seqs = self.kinds.newest(kinds, before_seq, limit);
        let mut found = self.pick(&seqs).await?;
        found.reverse();
        Ok(found)
    }

    /// The events with these numbers, which rise.
    async fn pick(&self, seqs: &[u64]) -> Result<Vec<Arc<Envelope>>, NodeError> {
        let mut picked = Vec::with_capacity(seqs.len());
        for near in seqs.chunk_by(|a, b| b - a <= READ_PAST) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
            let mut after = first - 1;
            while after < *last {
                let wanted = ((last - after) as usize).min(PAGE_EVENTS);
                let page = self.log.read(self.id, after, wanted).await?;
                let Some(end) = page.last() else { break };
                after = end.seq;
                picked.extend(page.into_iter().filter(|envelope| near.binary_search(&envelope.seq).is_ok()));
            }
        }
        Ok(picked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::{Command, LeaveReason, Role};
    use synx_testkit::events::{ADA, BEN, ROOM, RoomLog, hash};

    fn say(log: RoomLog, count: usize) -> RoomLog {
        (0..count).fold(log, |log, n| log.did(BEN, Command::PostChatMessage { text: format!("{n}") }))
    }

    async fn past_of(log: &RoomLog) -> Past {
        let mut past = Past::new(Log::in_memory(), ROOM, BEN);
        for page in log.envelopes().chunks(700) {
            past.append(page.to_vec()).await.unwrap();
        }
        past
    }

    fn folded(log: &RoomLog, seq: u64) -> Room {
        let mut room = Room::default();
        log.envelopes().iter().take(seq as usize).for_each(|envelope| room.apply(envelope));
        room
    }

    #[tokio::test]
    async fn any_moment_is_the_fold_of_what_came_before() {
        let comment = |position_us| Command::AddComment {
            track: hash(1),
            position_us,
            end_us: None,
            text: "here".to_owned(),
            reply_to: None,
        };
        let log = say(RoomLog::with_people().shared(1), 1100).did(BEN, comment(5));
        let log = say(log, 1200).did(ADA, Command::Play { track: None });
        let past = past_of(&log).await;
        let head = log.room().seq;
        assert_eq!((past.head(), past.latest()), (head, log.room()));
        for seq in [1, 2, 999, 1000, 1001, 1500, 2000, 2001, head] {
            let found = past.at(seq).await.unwrap();
            assert_eq!((found.envelope.seq, &found.room), (seq, &folded(&log, seq)), "{seq}");
        }
        assert_eq!(past.at(0).await.unwrap().room.seq, 1);
        assert_eq!(past.at(head + 9).await.unwrap().room.seq, head);
    }

    #[tokio::test]
    async fn a_room_whose_first_events_were_dropped_begins_after_them() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&folder.path().join("log.db"), synx_log::LogOptions::default()).unwrap();
        let room = say(RoomLog::with_people().shared(1), 2500).did(ADA, Command::Play { track: None });
        let mut before = Past::new(log.clone(), ROOM, BEN);
        for page in room.envelopes().chunks(700) {
            before.append(page.to_vec()).await.unwrap();
        }
        let old = synx_log::Old { through_seq: 1500, before_ms: i64::MAX, whole_segments: false };
        assert_eq!(log.archive(ROOM, old).await.unwrap(), 1500);
        assert_eq!(log.drop_archive(ROOM, 1500).await.unwrap(), 1500);
        let mut past = Past::new(log, ROOM, BEN);
        past.read_on().await.unwrap();
        assert_eq!((past.head(), past.latest()), (before.head(), before.latest()));
        for seq in [1501, 1999, 2000, 2001, past.head()] {
            let (here, whole) = (past.at(seq).await.unwrap(), folded(&room, seq));
            assert_eq!((here.envelope.seq, &here.room), (seq, &whole), "{seq}");
        }
        assert_eq!(past.at(3).await.unwrap().room.seq, 1501, "the first there is");
        let entries = past.entries(&[LogKindView::Chat], Some(1504), 9).await.unwrap();
        assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1503, 1502, 1501]);
        assert_eq!(past.count(LogKindView::Chat, 1500, 1504), 3);
    }

    #[tokio::test]
    async fn a_long_room_keeps_a_bounded_number_of_states() {
        let log = say(RoomLog::with_people(), 700);
        let mut past = Past::new(Log::in_memory(), ROOM, BEN);
        past.stride = 2;
        past.append(log.envelopes().to_vec()).await.unwrap();
        assert!(past.kept.len() <= KEPT_STATES && past.stride > 2, "{} {}", past.kept.len(), past.stride);
        for seq in [1, 7, 8, 9, 300, 703] {
            assert_eq!(past.at(seq).await.unwrap().room, folded(&log, seq), "{seq}");
        }
    }

    #[tokio::test]
    async fn entries_come_by_kind_page_by_page_newest_first() {
        let log = say(say(RoomLog::with_people(), 60).shared(1), 60);
        let past = past_of(&log).await;
        let kinds = [LogKindView::Chat, LogKindView::Tracks];
        let (mut before, mut seqs) = (None, Vec::new());
        loop {
            let page = past.entries(&kinds, before, 25).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.seq);
            seqs.extend(page.iter().map(|envelope| envelope.seq));
        }
        let all = log.envelopes().iter().rev();
        let wanted: Vec<u64> =
            all.filter(|envelope| kinds.contains(&kind_of(&envelope.event))).map(|e| e.seq).collect();
        assert_eq!(seqs, wanted);
        assert_eq!(past.entries(&[], None, usize::MAX).await.unwrap().len() as u64, past.head());
        assert!(past.entries(&[LogKindView::Notes], None, 9).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_absence_lies_between_leaving_and_coming_back() {
        let log = say(RoomLog::with_people(), 3);
        let log = log.did(BEN, Command::Leave { reason: LeaveReason::Left });
        let left_seq = log.room().seq;
        let log = log.did(ADA, Command::PostChatMessage { text: "gone?".to_owned() });
        assert_eq!(past_of(&log).await.away(), None);
        let log = log.joined(BEN, "Ben", Role::Listener);
        let past = past_of(&log).await;
        let away = past.away().unwrap();
        assert_eq!((away.left_seq, away.back_seq), (left_seq, left_seq + 2));
        assert_eq!(past.count(LogKindView::Chat, away.left_seq, away.back_seq), 1);
        assert_eq!(past.count(LogKindView::Chat, 0, u64::MAX), 4);
    }
}
