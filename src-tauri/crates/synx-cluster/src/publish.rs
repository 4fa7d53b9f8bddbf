//! Sending messages to the stream: all of them stored or none, each behind the very message that its sender believes to be its
//! room's last.

use crate::message::Message;
use crate::stream::LogStream;
use async_nats::header::{
    HeaderMap, NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL, NATS_BATCH_ID, NATS_BATCH_SEQUENCE,
    NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID,
};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::{Message as NatsMessage, Request};
use std::collections::HashSet;
use synx_domain::RoomId;

/// Messages that a server stores together at most, by its default.
pub(crate) const BATCH_MESSAGES: usize = 1000;

/// Why nothing is known to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotStored {
    /// A message with one of the ids was stored before.
    Known,
    /// It was refused, or no answer came.
    Otherwise(String),
}

/// Sends messages and waits until the stream has them: the place of the last one. `expected` is the place of a room's last message.
pub(crate) async fn publish(
    stream: &LogStream,
    messages: &[Message],
    expected: impl Fn(RoomId) -> u64,
) -> Result<u64, NotStored> {
    let Some((last, before)) = messages.split_last() else { return Ok(0) };
    let batch = (!before.is_empty()).then(|| stream.client.new_inbox().replace(['.', '_'], ""));
    let (mut rooms, mut number) = (HashSet::new(), 0_usize);
    let mut headers = |message: &Message| {
        let mut headers = HeaderMap::new();
        if let Some(first) = message.first() {
            headers.insert(NATS_MESSAGE_ID, first.event_id.to_string());
        }
        // In a batch, only a room's first message can be about what was there before.
        if rooms.insert(message.room) {
            headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected(message.room).to_string());
        }
        if let Some(batch) = &batch {
            number += 1;
            headers.insert(NATS_BATCH_ID, batch.as_str());
            headers.insert(NATS_BATCH_SEQUENCE, number.to_string());
        }
        headers
    };
    let failed = |error: &dyn std::fmt::Display| NotStored::Otherwise(error.to_string());
    for message in before {
        let (subject, headers) = (stream.subject(message.room), headers(message));
        let sent = stream.client.publish_with_headers(subject, headers, message.payload.clone()).await;
        sent.map_err(|error| failed(&error))?;
    }
    let mut headers = headers(last);
    if batch.is_some() {
        headers.insert(NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL);
    }
    let request = Request::new().headers(headers).payload(last.payload.clone());
    let answer = stream.client.send_request(stream.subject(last.room), request).await;
    acknowledged(&answer.map_err(|error| failed(&error))?)
}

fn acknowledged(answer: &NatsMessage) -> Result<u64, NotStored> {
    match serde_json::from_slice(&answer.payload) {
        Ok(Response::Ok(PublishAck { duplicate: false, sequence, .. })) => Ok(sequence),
        Ok(Response::Ok(_)) => Err(NotStored::Known),
        Ok(Response::Err { error })
            if error.error_code() == ErrorCode::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE =>
        {
            Err(NotStored::Known)
        }
        Ok(Response::Err { error }) => Err(NotStored::Otherwise(error.to_string())),
        Err(error) => Err(NotStored::Otherwise(error.to_string())),
    }
}
