//! Handlers: code that follows a room's log and must not be able to harm anything else.
//!
//! A handler that fails or panics is tried again with the same event, later and later; others do not notice.

use crate::{Cursor, Log, LogError};
use futures_util::FutureExt;
use std::any::Any;
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{Envelope, RoomId};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The first wait after a failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How far a handler is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandlerProgress {
    /// The last event that it handled.
    pub seq: u64,
    /// How often it failed at the next one.
    pub failures: u32,
    /// What it said the last time.
    pub last_error: Option<String>,
}

/// A running handler; it ends when this is dropped, or when the log is closed.
pub struct HandlerTask {
    task: JoinHandle<()>,
    progress: watch::Receiver<HandlerProgress>,
}

impl HandlerTask {
    /// How far it is, now and from now on.
    pub fn progress(&self) -> watch::Receiver<HandlerProgress> {
        self.progress.clone()
    }
}

impl Drop for HandlerTask {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Log {
    /// Calls `handler` with each event of the room after `after_seq`, one at a time, in order, at least once. Where the
    /// handler shall go on in the next run of the program is for the handler to keep. `name` is for the diagnostic log.
    ///
    /// Must be called within a Tokio runtime, whose threads the handler must not block. A handler that panics is called
    /// again with what state it has then.
    pub fn spawn_handler<H, F, E>(
        &self,
        room: RoomId,
        after_seq: u64,
        name: impl Into<String>,
        handler: H,
    ) -> HandlerTask
    where
        H: FnMut(Arc<Envelope>) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let (sender, progress) = watch::channel(HandlerProgress { seq: after_seq, ..Default::default() });
        let run = Run { name: name.into(), room, handler, progress: sender };
        HandlerTask { task: tokio::spawn(run.follow(self.subscribe(room, after_seq))), progress }
    }
}

struct Run<H> {
    name: String,
    room: RoomId,
    handler: H,
    progress: watch::Sender<HandlerProgress>,
}

impl<H, F, E> Run<H>
where
    H: FnMut(Arc<Envelope>) -> F,
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    async fn follow(mut self, mut cursor: Cursor) {
        loop {
            match cursor.next().await {
                Ok(events) => {
                    for envelope in events {
                        self.handle(envelope).await;
                    }
                }
                Err(LogError::Closed) => return,
                Err(error) => self.failed(cursor.seq() + 1, &error).await,
            }
        }
    }

    async fn handle(&mut self, envelope: Arc<Envelope>) {
        let seq = envelope.seq;
        while let Err(error) = self.attempt(Arc::clone(&envelope)).await {
            self.failed(seq, &error).await;
        }
        self.progress.send_replace(HandlerProgress { seq, ..Default::default() });
    }

    async fn attempt(&mut self, envelope: Arc<Envelope>) -> Result<(), String> {
        // Made inside, so that a panic before the first await is caught as well.
        let handled = async { (self.handler)(envelope).await };
        match AssertUnwindSafe(handled).catch_unwind().await {
            Ok(handled) => handled.map_err(|error| error.to_string()),
            Err(panic) => Err(format!("it panicked: {}", message(panic.as_ref()))),
        }
    }

    /// Tells of a failure and waits.
    async fn failed(&mut self, seq: u64, error: &impl Display) {
        let mut failures = 0;
        self.progress.send_modify(|progress| {
            progress.failures = progress.failures.saturating_add(1);
            progress.last_error = Some(error.to_string());
            failures = progress.failures;
        });
        let wait = wait_after(failures);
        tracing::warn!(handler = self.name, room = %self.room, seq, failures, ?wait, %error, "a handler failed");
        tokio::time::sleep(wait).await;
    }
}

fn wait_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
