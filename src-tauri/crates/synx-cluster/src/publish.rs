//! Sending a message to the stream.
//!
//! Must never take a message for stored before the server says so.

use crate::message::Message;
use crate::stream::LogStream;
use async_nats::header::{HeaderMap, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID};
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{Error, ErrorCode};
use async_nats::{Message as NatsMessage, Request};

/// Why a message is not known to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotStored {
    /// It was stored before.
    Known,
    /// It was stored, but does not count behind those before it, which are all here.
    PassedOver,
    /// It was refused, as there is another message at this place, with the same subject, that was not expected.
    Behind(u64),
    /// It was refused, as another message with the same subject is being stored, whose place is not known yet.
    Contended,
    /// It was refused, or no answer came.
    Otherwise(String),
}

impl NotStored {
    /// Whether it is certain that this attempt has stored nothing that counts.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::PassedOver | Self::Behind(_) | Self::Contended)
    }
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
        Ok(Response::Err { error }) => Err(refused(&error)),
        Err(error) => Err(NotStored::Otherwise(error.to_string())),
    }
}

fn refused(error: &Error) -> NotStored {
    match (error.error_code(), last_sequence(error)) {
        (ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT, _) => NotStored::Contended,
        (_, Some(last)) => NotStored::Behind(last),
        _ => NotStored::Otherwise(error.to_string()),
    }
}

/// The place that the server names, as in "wrong last sequence: 17".
fn last_sequence(error: &Error) -> Option<u64> {
    if error.error_code() != ErrorCode::STREAM_WRONG_LAST_SEQUENCE {
        return None;
    }
    let said = error.to_string();
    let behind = said.split_once("sequence: ")?.1;
    behind.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_message_was_refused_is_told() {
        let told = |text: &str| refused(&serde_json::from_str(text).unwrap());
        let wrong = r#"{"code":400,"err_code":10071,"description":"wrong last sequence: 17"}"#;
        assert_eq!(told(wrong), NotStored::Behind(17));
        let storing = r#"{"code":400,"err_code":10164,"description":"wrong last sequence"}"#;
        assert_eq!(told(storing), NotStored::Contended);
        for other in [
            r#"{"code":400,"err_code":10071,"description":"wrong last sequence"}"#,
            r#"{"code":400,"err_code":10070,"description":"wrong last sequence: 17"}"#,
        ] {
            assert!(matches!(told(other), NotStored::Otherwise(_)), "{other}");
        }
    }
}
