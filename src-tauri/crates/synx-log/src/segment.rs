//! A stretch of a room's history in compressed form: the lines of an export, deflated, with a hash over the result.
//!
//! Must never hold what does not read back as it was, nor give out anything else than what was put in.

use crate::jsonl::lines;
use crate::{ChainHash, LogError, Record};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::io::{Read, Write};
use synx_domain::RoomId;

/// Events in one segment at most: reading one of them costs reading all.
pub(crate) const SEGMENT_EVENTS: usize = 1024;
/// Bytes of payload in one segment, give or take one event.
pub(crate) const SEGMENT_BYTES: usize = 1 << 20;
/// No segment is larger when it is unpacked: one that is was made to do harm.
const UNPACKED_LIMIT: u64 = 64 << 20;

/// Events of a room that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub room_id: RoomId,
    /// Its first and last event in the room's log.
    pub first: u64,
    pub last: u64,
    /// The first and last place that these have in the whole log.
    pub first_log_seq: u64,
    pub last_log_seq: u64,
    /// The chain's hash at the last event.
    pub hash: ChainHash,
    /// BLAKE3 of `data`.
    pub digest: [u8; 32],
    pub data: Vec<u8>,
}

impl Segment {
    /// Packs records that continue the chain from `previous`; none of no records.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when they do not continue it, or would not read back as they are.
    pub(crate) fn of(records: &[Record], previous: ChainHash) -> Result<Option<Self>, LogError> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(None) };
        let mut hash = previous;
        for (seq, record) in (first.seq..).zip(records) {
            if record.seq != seq || record.chained_to(hash) != record.hash {
                let detail =
                    format!("event {seq} of room {} does not follow from those before", first.room_id);
                return Err(LogError::Corrupt { detail });
            }
            hash = record.hash;
        }
        let data = packed(records)?;
        let segment = Self {
            room_id: first.room_id,
            first: first.seq,
            last: last.seq,
            first_log_seq: first.log_seq,
            last_log_seq: last.log_seq,
            hash,
            digest: *blake3::hash(&data).as_bytes(),
            data,
        };
        if segment.records()? == records {
            Ok(Some(segment))
        } else {
            Err(segment.corrupt("it would not read back as it is"))
        }
    }

    /// The records in it. Their chain is not followed: that is what a verification is for.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when it is not what was written.
    pub(crate) fn records(&self) -> Result<Vec<Record>, LogError> {
        if *blake3::hash(&self.data).as_bytes() != self.digest {
            return Err(self.corrupt("it is not what was written"));
        }
        let records = unpacked(&self.data).map_err(|detail| self.corrupt(&detail))?;
        let in_order = (self.first..=self.last).zip(&records).all(|(seq, record)| record.seq == seq);
        let of_room = records.iter().all(|record| record.room_id == self.room_id);
        let whole = records.len() as u64 == (self.last + 1).saturating_sub(self.first);
        let end = records.last().map(|record| record.hash);
        if in_order && of_room && whole && end == Some(self.hash) {
            Ok(records)
        } else {
            Err(self.corrupt("it holds other events than it says"))
        }
    }

    fn corrupt(&self, what: &str) -> LogError {
        let Self { room_id, first, last, .. } = self;
        LogError::Corrupt {
            detail: format!("the archive of events {first} to {last} of room {room_id}: {what}"),
        }
    }
}

fn packed(records: &[Record]) -> Result<Vec<u8>, LogError> {
    let mut text = Vec::new();
    records.iter().try_for_each(|record| record.write_line(Some(record.log_seq), &mut text))?;
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(text.len() / 3), Compression::default());
    let packed = encoder.write_all(&text).and_then(|()| encoder.finish());
    packed.map_err(|error| LogError::Io { what: "pack events", detail: error.to_string() })
}

fn unpacked(data: &[u8]) -> Result<Vec<Record>, String> {
    let mut text = Vec::new();
    DeflateDecoder::new(data)
        .take(UNPACKED_LIMIT)
        .read_to_end(&mut text)
        .map_err(|error| format!("it cannot be unpacked: {error}"))?;
    lines(&text)
}
