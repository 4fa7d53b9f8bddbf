//! Records as a message of the stream and back: what is committed together is one message, so that the server syncs once for
//! all of it, and stores all of it or nothing.
//!
//! A message is what an export is, one line a record: whoever reads the stream without this program can read it.
//! Must never believe a message: anybody with the servers' credentials could have sent it.

use bytes::Bytes;
use synx_domain::RoomId;
use synx_log::{LogError, Record};
use uuid::Uuid;

/// Bytes of a line beside its payload: four ids, a hash, a name of up to 64 characters, numbers.
const LINE_BYTES: usize = 448;

/// What a message is about, by its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Events of this room alone.
    Room(RoomId),
    /// Events of several rooms that were committed together.
    Rooms,
}

/// What is committed together: at least one record, those of each room in their order.
#[derive(Debug)]
pub(crate) struct Message {
    /// Tells the server which message this is, however often it is sent.
    pub id: Uuid,
    pub topic: Topic,
    pub records: Vec<Record>,
    pub payload: Bytes,
}

impl Message {
    /// Packs records. None if there are none.
    pub(crate) fn of(records: &[Record]) -> Result<Option<Self>, LogError> {
        let Some(first) = records.first() else { return Ok(None) };
        let alone = records.iter().all(|record| record.room_id == first.room_id);
        let bytes = records.iter().map(|record| record.data.len() + LINE_BYTES).sum();
        let mut lines = Vec::with_capacity(bytes);
        for record in records {
            record.write_json_line(&mut lines)?;
        }
        Ok(Some(Self {
            id: Uuid::now_v7(),
            topic: if alone { Topic::Room(first.room_id) } else { Topic::Rooms },
            records: records.to_vec(),
            payload: lines.into(),
        }))
    }
}

/// The records of a payload, if it is a message about this.
pub(crate) fn unpack(topic: Topic, payload: &[u8]) -> Result<Vec<Record>, String> {
    let text = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
    let mut records: Vec<Record> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let record = Record::from_json_line(line, number).map_err(|error| error.to_string())?;
        if matches!(topic, Topic::Room(room) if room != record.room_id) {
            return Err(format!("line {number} is of another room"));
        }
        records.push(record);
    }
    if records.is_empty() { Err("it is empty".to_owned()) } else { Ok(records) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use synx_log::testing::{chats, room};
    use synx_log::{EventStore, Log, LogOptions, MemoryStore};

    /// Records of rooms 1 and 2 in turn, as a log would make them.
    async fn records(each: usize) -> Vec<Record> {
        let store = Arc::new(MemoryStore::new());
        let log = Log::over(Arc::clone(&store) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
        for expected in 0..each as u64 {
            log.append(room(1), expected, chats(1)).await.unwrap();
            log.append(room(2), expected, chats(1)).await.unwrap();
        }
        store.audit(&synx_log::AuditFilter::default()).unwrap()
    }

    #[tokio::test]
    async fn records_come_back_as_they_were() {
        let both = records(5).await;
        let mut alone = both.clone();
        alone.retain(|record| record.room_id == room(1));
        for (records, topic) in [(both, Topic::Rooms), (alone, Topic::Room(room(1)))] {
            let message = Message::of(&records).unwrap().unwrap();
            assert_eq!(message.topic, topic);
            assert!(message.payload.len() < records.len() * (LINE_BYTES + 64));
            let unnumbered = records.iter().map(|record| Record { log_seq: 0, ..record.clone() });
            assert_eq!(unpack(topic, &message.payload).unwrap(), unnumbered.collect::<Vec<_>>());
            assert!(unpack(Topic::Room(room(3)), &message.payload).is_err());
        }
        assert!(Message::of(&[]).unwrap().is_none());
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [&b""[..], b"\n", b"{}", b"\xff", b"null\n", b"[1,2"] {
            assert!(unpack(Topic::Rooms, bad).is_err(), "{bad:?}");
        }
    }
}
