//! Logs as JSON Lines: one event a line with its hash, for people, other programs and other hosts.
//!
//! Must never take in what does not continue the history that is here; the hashes decide.

use crate::codec::Draft;
use crate::{AuditFilter, ChainHash, Log, LogError, Record};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use synx_domain::{CommandId, EventId, RoomId, UserId};

/// Events that are read, or appended, at once.
const PAGE_EVENTS: usize = 1000;

/// One event in an export. The payload stays the very text that the hash covers.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    /// Its place in the whole log, in an archive; elsewhere it has no meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_seq: Option<u64>,
    room_id: RoomId,
    seq: u64,
    event_id: EventId,
    name: Cow<'a, str>,
    version: u32,
    actor: UserId,
    command_id: Option<CommandId>,
    occurred_at_ms: i64,
    data: Cow<'a, RawValue>,
    hash: Cow<'a, str>,
}

impl Log {
    /// Writes the events of one room, or of all, in log order; how many. They are written as they are stored: verify first
    /// to know that they are sound.
    ///
    /// # Errors
    /// When the store cannot be read or the target cannot be written.
    pub async fn export_jsonl<W>(&self, room: Option<RoomId>, mut to: W) -> Result<u64, LogError>
    where
        W: Write + Send + 'static,
    {
        let mut filter = AuditFilter { room, limit: PAGE_EVENTS, ..AuditFilter::default() };
        let mut written = 0;
        loop {
            let page = self.audit(filter.clone()).await?;
            let Some(last) = page.last() else { break };
            filter.after_seq = last.log_seq;
            written += page.len() as u64;
            to = self.with_store(move |_| write_lines(to, &page)).await?;
        }
        self.with_store(move |_| to.flush().map_err(|error| export_failed(&error))).await?;
        Ok(written)
    }

    /// Takes in events that were exported from this log or another one; how many were new. What is here already is passed
    /// over. Whole pages are appended: after an error, what came before the faulty page is in.
    ///
    /// # Errors
    /// [`LogError::BadImport`] names the line that is no event; [`LogError::ForeignHistory`] when an event was changed, is
    /// out of order, or continues another history than the one here.
    pub async fn import_jsonl<R>(&self, from: R) -> Result<u64, LogError>
    where
        R: BufRead + Send + 'static,
    {
        let longest = self.options().append_bytes.saturating_mul(2);
        let mut lines = Lines { from, number: 0, longest, held: None };
        let mut taken = 0;
        loop {
            let log = self.clone();
            let (rest, page) = self
                .with_store(move |_| {
                    let page = lines.page(&log)?;
                    Ok((lines, page))
                })
                .await?;
            lines = rest;
            if page.is_empty() {
                return Ok(taken);
            }
            for (room, records) in by_room(page) {
                taken += self.import(room, records).await?;
            }
        }
    }

    /// Appends those of a room's events that are not here yet.
    pub(crate) async fn import(&self, room: RoomId, drafts: Vec<(u64, Draft)>) -> Result<u64, LogError> {
        let head = self.head(room)?;
        let mut expected = head;
        let (known, mut new) = (drafts.iter().rev().find(|(seq, _)| *seq <= head), Vec::new());
        if let Some((seq, draft)) = known {
            self.check_known(room, *seq, draft.hash).await?;
        }
        for (seq, draft) in drafts.into_iter().skip_while(|(seq, _)| *seq <= head) {
            if seq != expected + 1 {
                return Err(LogError::ForeignHistory { room, seq });
            }
            expected = seq;
            new.push(draft);
        }
        if new.is_empty() {
            return Ok(0);
        }
        let appended = self.submit(room, head, new)?.await.unwrap_or(Err(LogError::Closed))?;
        Ok(appended.len() as u64)
    }

    /// An event that is here already must be the same one, and by its hash so are all before it.
    async fn check_known(&self, room: RoomId, seq: u64, hash: Option<ChainHash>) -> Result<(), LogError> {
        let before = seq.saturating_sub(1);
        let here = self.with_store(move |store| store.read(room, before, 1, 1)).await?.pop();
        match here {
            Some(record) if record.seq == seq && Some(record.hash) == hash => Ok(()),
            _ => Err(LogError::ForeignHistory { room, seq }),
        }
    }
}

impl Record {
    /// Writes it as one line of JSON, as in an export.
    ///
    /// # Errors
    /// When its payload is no JSON, or the target cannot be written.
    pub fn write_json_line<W: Write>(&self, to: W) -> Result<(), LogError> {
        self.write_line(None, to)
    }

    pub(crate) fn write_line<W: Write>(&self, log_seq: Option<u64>, mut to: W) -> Result<(), LogError> {
        let line = Line { log_seq, ..line(self)? };
        serde_json::to_writer(&mut to, &line).map_err(|error| export_failed(&error))?;
        to.write_all(b"\n").map_err(|error| export_failed(&error))
    }

    /// Reads a line of an export. Its place in the whole log, which is another one here, is 0.
    ///
    /// # Errors
    /// [`LogError::BadImport`] with this line number when it is no event.
    pub fn from_json_line(text: &str, number: u64) -> Result<Self, LogError> {
        let line = serde_json::from_str::<Line<'_>>(text).map_err(|error| error.to_string());
        let record = line.and_then(Self::try_from);
        let record = record.map_err(|detail| LogError::BadImport { line: number, detail })?;
        Ok(Self { log_seq: 0, ..record })
    }
}

impl TryFrom<Line<'_>> for Record {
    type Error = String;

    fn try_from(line: Line<'_>) -> Result<Self, String> {
        let hash = ChainHash::from_hex(&line.hash).ok_or("its hash is not 64 hexadecimal digits")?;
        let Line { room_id, seq, event_id, version, actor, command_id, occurred_at_ms, .. } = line;
        let (name, data) = (Cow::Owned(line.name.into_owned()), line.data.get().to_owned());
        let log_seq = line.log_seq.unwrap_or_default();
        Ok(Self {
            log_seq,
            seq,
            event_id,
            room_id,
            actor,
            command_id,
            occurred_at_ms,
            name,
            version,
            data,
            hash,
        })
    }
}

/// Reads lines that [`Record::write_line`] wrote.
pub(crate) fn lines(text: &[u8]) -> Result<Vec<Record>, String> {
    serde_json::Deserializer::from_slice(text)
        .into_iter::<Line<'_>>()
        .map(|line| line.map_err(|error| error.to_string()).and_then(Record::try_from))
        .collect()
}

fn write_lines<W: Write>(mut to: W, page: &[Record]) -> Result<W, LogError> {
    page.iter().try_for_each(|record| record.write_json_line(&mut to))?;
    Ok(to)
}

fn line(record: &Record) -> Result<Line<'_>, LogError> {
    let Record { room_id, seq, event_id, actor, command_id, occurred_at_ms, version, .. } = *record;
    let data = RawValue::from_string(record.data.clone()).map_err(|error| LogError::UndecodableEvent {
        room: room_id,
        seq,
        name: record.name.to_string(),
        detail: error.to_string(),
    })?;
    let (name, data, hash) =
        (Cow::Borrowed(record.name.as_ref()), Cow::Owned(data), Cow::Owned(record.hash.to_string()));
    let log_seq = None;
    Ok(Line { log_seq, room_id, seq, event_id, name, version, actor, command_id, occurred_at_ms, data, hash })
}

fn export_failed(error: &dyn std::fmt::Display) -> LogError {
    LogError::Io { what: "write an export", detail: error.to_string() }
}

/// An event of an export.
type Taken = (RoomId, u64, Draft);

struct Lines<R> {
    from: R,
    number: u64,
    longest: usize,
    /// Did not fit into the page before.
    held: Option<Taken>,
}

impl<R: BufRead> Lines<R> {
    /// The next events, as many as one append takes; none at the end.
    fn page(&mut self, log: &Log) -> Result<Vec<Taken>, LogError> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < PAGE_EVENTS.min(log.options().append_events)
            && let Some(taken) = self.held.take().map_or_else(|| self.next(log), |held| Ok(Some(held)))?
        {
            bytes += taken.2.data.len();
            // One that is alone too large is refused by the append, with a reason.
            if bytes > log.options().append_bytes && !page.is_empty() {
                self.held = Some(taken);
                break;
            }
            page.push(taken);
        }
        Ok(page)
    }

    fn next(&mut self, log: &Log) -> Result<Option<Taken>, LogError> {
        let mut text = String::new();
        loop {
            text.clear();
            self.number += 1;
            let limited = (&mut self.from).take(self.longest as u64).read_line(&mut text);
            match limited.map_err(|error| self.bad(&error))? {
                0 => return Ok(None),
                _ if text.trim().is_empty() => {}
                _ => return self.draft(log, &text).map(Some),
            }
        }
    }

    fn draft(&self, log: &Log, text: &str) -> Result<Taken, LogError> {
        let record = Record::from_json_line(text, self.number)?;
        Ok((record.room_id, record.seq, Draft::from_elsewhere(record, &log.options().upcasters)?))
    }

    fn bad(&self, detail: &dyn std::fmt::Display) -> LogError {
        LogError::BadImport { line: self.number, detail: detail.to_string() }
    }
}

/// Events by room; those of one room stay in their order.
fn by_room(page: Vec<Taken>) -> HashMap<RoomId, Vec<(u64, Draft)>> {
    let mut rooms: HashMap<_, Vec<_>> = HashMap::new();
    for (room, seq, draft) in page {
        rooms.entry(room).or_default().push((seq, draft));
    }
    rooms
}
