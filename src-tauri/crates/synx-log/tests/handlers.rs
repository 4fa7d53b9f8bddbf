//! A handler harms nobody but itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use synx_domain::Envelope;
use synx_log::testing::{chats, room};
use synx_log::{HandlerTask, Log};
use tokio::sync::mpsc;

async fn reached(task: &HandlerTask, seq: u64) {
    task.progress().wait_for(|progress| progress.seq >= seq).await.expect("the handler goes on");
}

/// A handler that tells which events it got.
fn telling(log: &Log, after_seq: u64) -> (HandlerTask, mpsc::UnboundedReceiver<u64>) {
    let (sender, seen) = mpsc::unbounded_channel();
    let handler = move |envelope: Arc<Envelope>| {
        sender.send(envelope.seq).unwrap();
        ready(Ok::<_, Infallible>(()))
    };
    (log.spawn_handler(room(1), after_seq, "telling", handler), seen)
}

/// Time stands still but for the waits after failures, which pass at once.
#[tokio::test(start_paused = true)]
async fn failing_panicking_and_hanging_handlers_stop_nobody() {
    let log = Log::in_memory();
    log.append(room(1), 0, chats(2)).await.unwrap();
    let attempts = Arc::new(AtomicU32::new(0));
    let stumbling = {
        let attempts = Arc::clone(&attempts);
        move |envelope: Arc<Envelope>| {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            assert!(envelope.seq != 3 || attempt > 6, "the handler panics before its first await");
            async move {
                assert!(envelope.seq != 4 || attempt > 10, "the handler panics later");
                if envelope.seq == 5 && attempt < 15 { Err("the handler fails") } else { Ok(()) }
            }
        }
    };
    let stumbling = log.spawn_handler(room(1), 0, "stumbling", stumbling);
    let hanging = log.spawn_handler(room(1), 0, "hanging", |_| pending::<Result<(), Infallible>>());
    let (sound, mut seen) = telling(&log, 1);
    log.append(room(1), 2, chats(4)).await.unwrap();
    reached(&sound, 6).await;
    let mut got = Vec::new();
    seen.recv_many(&mut got, 100).await;
    assert_eq!(got, [2, 3, 4, 5, 6]);
    reached(&stumbling, 6).await;
    assert!(attempts.load(Ordering::Relaxed) >= 15);
    assert_eq!(stumbling.progress().borrow().failures, 0);
    assert_eq!(hanging.progress().borrow().seq, 0);
}

#[tokio::test(start_paused = true)]
async fn the_wait_grows_and_the_failure_can_be_seen() {
    let log = Log::in_memory();
    log.append(room(1), 0, chats(1)).await.unwrap();
    let start = tokio::time::Instant::now();
    let failing = log.spawn_handler(room(1), 0, "failing", |_| ready(Err::<(), _>("no network")));
    let mut progress = failing.progress();
    let seen = progress.wait_for(|progress| progress.failures == 8).await.unwrap().clone();
    assert_eq!((seen.seq, seen.last_error.as_deref()), (0, Some("no network")));
    // 50 ms, then twice as long each time: seven waits are 6.35 s.
    assert_eq!(start.elapsed().as_millis() / 10, 635);
}

#[tokio::test]
async fn a_handler_ends_with_its_handle_or_with_the_log() {
    let log = Log::in_memory();
    let (task, mut dropped) = telling(&log, 0);
    drop(task);
    let (kept, mut closed) = telling(&log, 0);
    log.append(room(1), 0, chats(1)).await.unwrap();
    reached(&kept, 1).await;
    assert_eq!(dropped.recv().await, None);
    log.close();
    assert_eq!((closed.recv().await, closed.recv().await), (Some(1), None));
}
