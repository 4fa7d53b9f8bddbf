//! Looking back: the room's log as the host has it.

use crate::NetError;
use crate::client::RoomClient;
use crate::client::requests::{self, request};
use crate::server::history::PAGE_BYTES;
use crate::wire::EventMessage;
use http::Method;
use std::time::Duration;
use synx_domain::Envelope;

/// A host that has not begun to answer after this has a problem.
const ANSWER: Duration = Duration::from_secs(30);
/// A page ends with the event that made it too long.
const ANSWER_BYTES: usize = 2 * PAGE_BYTES;

impl RoomClient {
    /// The events after one, oldest first: a page of them, none at the end of the log.
    ///
    /// # Errors
    /// The host's refusal, a connection that broke, or an answer that is no page of this log.
    pub async fn history(&self, after_seq: u64) -> Result<Vec<Envelope>, NetError> {
        let room = self.room();
        let path = format!("/api/v1/rooms/{room}/events?after={after_seq}");
        let asked = request(Method::GET, path, Some(&self.pass()));
        let answer =
            requests::send(self.dialler.dial().await?, asked, requests::empty(), Some(ANSWER)).await?;
        let page: Vec<EventMessage> = requests::json_within(answer, ANSWER_BYTES).await?;
        let events: Vec<Envelope> = page.into_iter().map(|event| event.into_envelope(room)).collect();
        let gapless = events.iter().zip(after_seq + 1..).all(|(event, seq)| event.seq == seq);
        if gapless { Ok(events) } else { Err(NetError::Protocol("a history with gaps".to_owned())) }
    }
}
