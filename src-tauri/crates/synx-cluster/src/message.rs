//! Records as messages of the stream and back: the records of one room that are committed together are one message, so that
//! the server syncs once for all of them.
//!
//! A message is what a line of an export is, one line a record: whoever reads the stream without this program can read it.
//! Must never believe a message: anybody with the servers' credentials could have sent it.

use bytes::Bytes;
use std::collections::HashMap;
use synx_domain::RoomId;
use synx_log::{LogError, Record};

/// Bytes of lines after which a message is full. Far below what servers take (8 MB), and large enough that no more syncs are
/// needed than a local disk would make.
const FULL_BYTES: usize = 1 << 20;

/// Records of one room, in order, at least one.
#[derive(Debug)]
pub(crate) struct Message {
    pub room: RoomId,
    pub records: Vec<Record>,
    pub payload: Bytes,
}

impl Message {
    pub(crate) fn first(&self) -> Option<&Record> {
        self.records.first()
    }

    pub(crate) fn last(&self) -> Option<&Record> {
        self.records.last()
    }
}

/// Packs records: those of one room stay in their order, whatever lies between them.
pub(crate) fn pack(records: &[Record]) -> Result<Vec<Message>, LogError> {
    struct Open {
        room: RoomId,
        records: Vec<Record>,
        lines: Vec<u8>,
    }
    let mut messages: Vec<Open> = Vec::new();
    let mut open: HashMap<RoomId, usize> = HashMap::new();
    for record in records {
        let last = open.get(&record.room_id).and_then(|index| messages.get_mut(*index));
        if let Some(message) = last.filter(|message| message.lines.len() + record.data.len() <= FULL_BYTES) {
            record.write_json_line(&mut message.lines)?;
            message.records.push(record.clone());
            continue;
        }
        let mut lines = Vec::with_capacity(record.data.len() + 512);
        record.write_json_line(&mut lines)?;
        open.insert(record.room_id, messages.len());
        messages.push(Open { room: record.room_id, records: vec![record.clone()], lines });
    }
    let close = |Open { room, records, lines }| Message { room, records, payload: lines.into() };
    Ok(messages.into_iter().map(close).collect())
}

/// The records of a payload, if it is a message of this room.
pub(crate) fn unpack(room: RoomId, payload: &[u8]) -> Result<Vec<Record>, String> {
    let text = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
    let mut records: Vec<Record> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let record = Record::from_json_line(line, number).map_err(|error| error.to_string())?;
        if record.room_id != room {
            return Err(format!("line {number} is of another room"));
        }
        if records.last().is_some_and(|before| Some(record.seq) != before.seq.checked_add(1)) {
            return Err(format!("line {number} does not follow the one before"));
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
    async fn a_rooms_records_are_one_message_and_come_back_as_they_were() {
        let records = records(5).await;
        let messages = pack(&records).unwrap();
        assert_eq!(messages.len(), 2);
        for message in messages {
            let mut expected = message.records.clone();
            expected.iter_mut().for_each(|record| record.log_seq = 0);
            assert_eq!(unpack(message.room, &message.payload).unwrap(), expected);
            assert!(unpack(room(3), &message.payload).is_err());
        }
    }

    #[tokio::test]
    async fn a_message_ends_where_it_is_full() {
        let mut records = records(5).await;
        records.iter_mut().for_each(|record| record.data = format!("\"{}\"", "x".repeat(FULL_BYTES / 2)));
        let messages = pack(&records).unwrap();
        assert_eq!(messages.iter().map(|message| message.records.len()).collect::<Vec<_>>(), [1; 10]);
        let of_room_1 = messages.iter().filter(|message| message.room == room(1));
        assert_eq!(of_room_1.map(|message| message.records[0].seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [&b""[..], b"\n", b"{}", b"\xff", b"null\n", b"[1,2"] {
            assert!(unpack(room(1), bad).is_err(), "{bad:?}");
        }
    }
}
