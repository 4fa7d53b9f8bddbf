//! What a peer says: read in its order, carried out, answered.
//!
//! Must never take in more than may be unanswered, nor more in a second than anybody may say.

use super::{Answer, Heard, Outbox, Peer, UNANSWERED, refusal, spoken};
use crate::server::ending::Ending;
use crate::server::socket::Socket;
use crate::wire::{ClientMessage, Request, ServerMessage};
use futures_util::stream::FuturesUnordered;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use synx_domain::{CommandEnvelope, CommandId};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tracing::Instrument;
use tracing::field::Empty;

impl Peer {
    /// Takes in a message, and those behind it that are here already.
    pub(super) async fn take_all(
        &mut self,
        first: Option<Heard>,
        socket: &mut Socket,
        answers: &mut FuturesUnordered<Answer>,
        out: &mut Outbox,
    ) -> Result<(), Option<Ending>> {
        out.extend(self.take(first, answers).await?.as_ref().map(spoken));
        for _ in 1..UNANSWERED {
            if self.left || answers.len() >= UNANSWERED {
                break;
            }
            let Some(next) = socket.at_once().await else { break };
            out.extend(self.take(next, answers).await?.as_ref().map(spoken));
        }
        Ok(())
    }

    /// Takes in one message: what is said at once, or why the connection ends.
    async fn take(
        &mut self,
        message: Option<Heard>,
        answers: &mut FuturesUnordered<Answer>,
    ) -> Result<Option<ServerMessage>, Option<Ending>> {
        let text = match message {
            Some(Ok(Message::Text(text))) => Some(text),
            Some(Ok(Message::Binary(_))) => None,
            // Counted like words, but not answered: a flood of them ends the connection.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) if self.bucket.take() => {
                return Ok(None);
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                let reason = "too many pings".to_owned();
                return Err(Some(Ending { code: "rate_limited", reason, reconnect: false }));
            }
            Some(Err(error)) => {
                let reason = format!("a frame could not be read: {error}");
                return Err(Some(Ending { code: "bad_frame", reason, reconnect: false }));
            }
            Some(Ok(Message::Close(_))) | None => return Err(None),
        };
        if !self.bucket.take() {
            let told = "too many messages: slow down";
            return Ok(Some(ServerMessage::error(text.as_deref().and_then(id_of), "rate_limited", told)));
        }
        let Some(text) = text else {
            return Ok(Some(ServerMessage::error(None, "not_a_message", "expected a text frame")));
        };
        let message = match ClientMessage::decode(&text) {
            Ok(message) => message,
            Err(error) => {
                return Ok(Some(ServerMessage::error(id_of(&text), error.code(), error.to_string())));
            }
        };
        match message {
            ClientMessage::JoinRoom { .. } => {
                Ok(Some(ServerMessage::error(None, "joined_already", "this connection is in a room already")))
            }
            ClientMessage::SyncReport { report } => {
                self.hall.backend.sync_report(self.session.user, report);
                Ok(None)
            }
            ClientMessage::Typing => {
                self.hall.say(ServerMessage::Typing { user: self.session.user });
                Ok(None)
            }
            ClientMessage::AnswerKnock { user, let_in } => Ok(self.door.answer(user, let_in)),
            ClientMessage::Command { id, request } => self.command(id, request, answers).await,
        }
    }

    async fn command(
        &mut self,
        id: CommandId,
        request: Request,
        answers: &mut FuturesUnordered<Answer>,
    ) -> Result<Option<ServerMessage>, Option<Ending>> {
        let leaving = request == Request::LeaveRoom;
        let mut answer = self.ask(id, request);
        if leaving {
            let answer = answer.await;
            // A repeated request of somebody who came back meanwhile has its old answer, and they are here.
            self.left = !self.hall.is_member(self.session.user);
            return Ok(Some(answer));
        }
        // Polled once before the next message is read: commands of one peer take effect in the order it sent them.
        match poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
            Poll::Ready(answer) => Ok(Some(answer)),
            Poll::Pending => {
                answers.push(answer);
                Ok(None)
            }
        }
    }

    fn ask(&self, id: CommandId, request: Request) -> Answer {
        let (shop, hall, actor) = (Arc::clone(&self.shop), Arc::clone(&self.hall), self.session.user);
        let read = Instant::now();
        let span = tracing::info_span!("command", room = %self.hall.id(), kind = Empty, code = Empty);
        if !span.is_disabled() {
            span.record("kind", request.kind());
        }
        let execute = async move {
            match hall.backend.execute(CommandEnvelope { id, actor, command: request.into() }).await {
                Ok(seq) => {
                    shop.meters.acknowledged(read.elapsed());
                    ServerMessage::Ok { id, seq }
                }
                Err(failure) => {
                    tracing::Span::current().record("code", failure.code());
                    refusal(Some(id), &failure)
                }
            }
        };
        Box::pin(execute.instrument(span))
    }
}

/// The id of a message that is otherwise unreadable, so that its sender learns which one it was.
fn id_of(text: &str) -> Option<CommandId> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: CommandId,
    }
    serde_json::from_str::<Id>(text).ok().map(|id| id.id)
}
