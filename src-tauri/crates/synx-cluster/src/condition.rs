//! How it stands with the cluster, as this node's last look at it showed: for whoever asks whether the node is ready, and for
//! whoever watches it from outside (`metrics`).

use crate::ClusterError;
use crate::publish::NotStored;
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use synx_log::LogError;

const REACHED: &str = "synx_cluster_reached";
const SERVERS: &str = "synx_cluster_servers_current";
const LAG: &str = "synx_cluster_lag_messages";
const RETRIES: &str = "synx_cluster_commit_retries_total";
const OVERTAKEN: &str = "synx_cluster_commits_overtaken_total";

/// What the last look showed.
pub(crate) struct Condition {
    trouble: Mutex<Option<String>>,
    /// Servers that would have to have all of the stream, so that anything is stored, and do not.
    lacking: AtomicUsize,
    reached: Gauge,
    servers: Gauge,
    lag: Gauge,
    retries: Counter,
    overtaken: Counter,
}

impl Condition {
    pub(crate) fn new() -> Self {
        describe_gauge!(REACHED, "Whether the stream answered when it was looked at last: 1 or 0.");
        describe_gauge!(SERVERS, "NATS servers that had all of the stream when it was looked at last.");
        describe_gauge!(
            LAG,
            "Messages of the stream that this node's copy lacked when it was looked at last."
        );
        describe_counter!(RETRIES, "Commits whose outcome had to be looked up in the stream.");
        describe_counter!(OVERTAKEN, "Commits before which another node's came.");
        Self {
            trouble: Mutex::default(),
            lacking: AtomicUsize::default(),
            reached: gauge!(REACHED),
            servers: gauge!(SERVERS),
            lag: gauge!(LAG),
            retries: counter!(RETRIES),
            overtaken: counter!(OVERTAKEN),
        }
    }

    /// So many servers have all of the stream, of those that keep it. One that is left alone may go on as the leader for minutes.
    pub(crate) fn kept_by(&self, servers: usize, replicas: usize) {
        self.servers.set(servers as f64);
        self.lacking.store((replicas / 2 + 1).saturating_sub(servers), Ordering::Relaxed);
    }

    /// The copy lacks so many messages.
    pub(crate) fn behind(&self, messages: u64) {
        self.lag.set(messages as f64);
    }

    /// A commit was tried, and is not known to be stored.
    pub(crate) fn not_stored(&self, reason: &NotStored) {
        if reason.is_refusal() { self.overtaken.increment(1) } else { self.retries.increment(1) }
    }

    /// How a look at the stream ended.
    pub(crate) fn looked(&self, outcome: &Result<(), ClusterError>) {
        self.reached.set(if outcome.is_ok() { 1.0 } else { 0.0 });
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) =
            outcome.as_ref().err().map(ToString::to_string);
    }

    pub(crate) fn ready(&self) -> Result<(), LogError> {
        let failed = |detail| Err(LogError::Io { what: "reach the cluster", detail });
        if let Some(detail) = &*self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            return failed(detail.clone());
        }
        match self.lacking.load(Ordering::Relaxed) {
            0 => Ok(()),
            lacking => failed(format!("{lacking} more of its servers must have all of the log")),
        }
    }
}
