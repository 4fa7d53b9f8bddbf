//! How it stands with the cluster, as this node's last look at it showed: for whoever asks whether the node is ready, and for
//! whoever watches it from outside (`metrics`).

use crate::ClusterError;
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use std::sync::{Mutex, PoisonError};
use synx_log::LogError;

const REACHED: &str = "synx_cluster_reached";
const SERVERS: &str = "synx_cluster_servers_current";
const LAG: &str = "synx_cluster_lag_messages";
const RETRIES: &str = "synx_cluster_commit_retries_total";

/// What the last look showed.
pub(crate) struct Condition {
    trouble: Mutex<Option<String>>,
    reached: Gauge,
    servers: Gauge,
    lag: Gauge,
    retries: Counter,
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
        Self {
            trouble: Mutex::default(),
            reached: gauge!(REACHED),
            servers: gauge!(SERVERS),
            lag: gauge!(LAG),
            retries: counter!(RETRIES),
        }
    }

    /// So many servers have all of the stream.
    pub(crate) fn kept_by(&self, servers: usize) {
        self.servers.set(servers as f64);
    }

    /// The copy lacks so many messages.
    pub(crate) fn behind(&self, messages: u64) {
        self.lag.set(messages as f64);
    }

    pub(crate) fn retried(&self) {
        self.retries.increment(1);
    }

    /// How a look at the stream ended.
    pub(crate) fn looked(&self, outcome: &Result<(), ClusterError>) {
        self.reached.set(if outcome.is_ok() { 1.0 } else { 0.0 });
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) =
            outcome.as_ref().err().map(ToString::to_string);
    }

    pub(crate) fn ready(&self) -> Result<(), LogError> {
        match &*self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(detail) => Err(LogError::Io { what: "reach the cluster", detail: detail.clone() }),
        }
    }
}
