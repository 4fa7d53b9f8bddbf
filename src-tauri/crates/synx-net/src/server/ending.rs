//! Why a peer's connection ends, and waiting for that.
//!
//! Must never say to a peer what is the host's business alone.

use super::Unavailable;
use synx_domain::LeaveReason;
use tokio::sync::watch;

/// Why a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub code: &'static str,
    pub reason: String,
    pub reconnect: bool,
}

/// How the connections of somebody end who is not in the room any more. A lost one has none, or one that just came back.
pub(super) fn of_who_left(reason: LeaveReason) -> Option<Ending> {
    let (code, reason) = match reason {
        LeaveReason::Left => ("left", "you left the room"),
        LeaveReason::Removed => ("removed", "the host removed you from this room"),
        LeaveReason::SentOut => ("sent_out", "the host sent you out of this room; you may join again"),
        LeaveReason::ConnectionLost => return None,
    };
    Some(Ending { code, reason: reason.to_owned(), reconnect: false })
}

/// What was read is answered: the peer goes on elsewhere, or here once there is somebody again.
pub(super) fn drained() -> Ending {
    let reason = "the host stops: come back in a moment, at any of its addresses".to_owned();
    Ending { code: "draining", reason, reconnect: true }
}

/// The log cannot be read: rather than falling behind in silence, the peer comes back and asks again.
pub(super) fn unreadable(error: Unavailable) -> Option<Ending> {
    tracing::warn!(%error, "a peer's events cannot be read");
    Some(Ending { code: "log_unreadable", reason: error.message, reconnect: true })
}

/// The room's end, or one that is meant for this member and was said after the connection took its seat.
pub(super) async fn over(
    closed: &mut watch::Receiver<Option<Ending>>,
    end: &mut watch::Receiver<Option<Ending>>,
) -> Ending {
    tokio::select! {
        ending = of_the_room(closed) => ending,
        ending = of_the_member(end) => ending,
    }
}

async fn of_the_room(closed: &mut watch::Receiver<Option<Ending>>) -> Ending {
    let said = closed.wait_for(Option::is_some).await.ok().and_then(|ending| ending.clone());
    match said {
        Some(ending) => ending,
        None => std::future::pending().await,
    }
}

async fn of_the_member(end: &mut watch::Receiver<Option<Ending>>) -> Ending {
    while end.changed().await.is_ok() {
        let said = end.borrow_and_update().clone();
        if let Some(ending) = said {
            return ending;
        }
    }
    std::future::pending().await
}
