//! Sending a message to the stream.
//!
//! Must never take a message for stored before the server says so.

use crate::message::Message;
use crate::stream::LogStream;
use async_nats::header::{HeaderMap, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID};
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::{Message as NatsMessage, Request};

/// Why a message is not known to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotStored {
    /// It was stored before, or is not as those before it want it.
    Known,
    /// It was refused, or no answer came.
    Otherwise(String),
}

/// Sends a message and waits until the stream has it: its place. Where `expected` is given, the server refuses it unless that
/// is the place of the last message with its subject.
pub(crate) async fn publish(
    stream: &LogStream,
    message: &Message,
    expected: Option<u64>,
) -> Result<u64, NotStored> {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, message.id.to_string());
    if let Some(expected) = expected {
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
    }
    let request = Request::new().headers(headers).payload(message.payload.clone());
    let answer = stream.client.send_request(stream.subject(message.topic), request).await;
    acknowledged(&answer.map_err(|error| NotStored::Otherwise(error.to_string()))?)
}

fn acknowledged(answer: &NatsMessage) -> Result<u64, NotStored> {
    match serde_json::from_slice(&answer.payload) {
        Ok(Response::Ok(PublishAck { duplicate: false, sequence, .. })) => Ok(sequence),
        Ok(Response::Ok(_)) => Err(NotStored::Known),
        Ok(Response::Err { error }) => Err(NotStored::Otherwise(error.to_string())),
        Err(error) => Err(NotStored::Otherwise(error.to_string())),
    }
}
