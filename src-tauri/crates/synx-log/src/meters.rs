//! What a log counts of its work, for whoever watches it from outside (`metrics`), and how its last commit ended.
//!
//! Must never name a room or a person: labels are few and known before.

use crate::LogError;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const APPENDED: &str = "synx_log_events_appended_total";
const FOLLOWED: &str = "synx_log_events_followed_total";
const COMMIT: &str = "synx_log_commit_seconds";
const WAITING: &str = "synx_log_waiting_events";
const FAILED: &str = "synx_log_commit_failures_total";

/// How long a failed commit speaks against the next one: nobody appends any more to find out, where everybody is sent elsewhere.
const TROUBLE_LASTS: Duration = Duration::from_secs(10);

/// The counts of a log's writer.
pub(crate) struct Meters {
    pub waiting: Gauge,
    pub followed: Counter,
    appended: Counter,
    commit: Histogram,
    trouble: Mutex<Option<(Instant, LogError)>>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        describe_counter!(APPENDED, "Events that were appended here and are durable.");
        describe_counter!(FOLLOWED, "Events that other nodes appended and this one took in.");
        describe_histogram!(COMMIT, Unit::Seconds, "How long it took to make a commit durable.");
        describe_gauge!(WAITING, "Events that wait for the writer.");
        describe_counter!(FAILED, "Commits that were not made, by code.");
        Self {
            waiting: gauge!(WAITING),
            followed: counter!(FOLLOWED),
            appended: counter!(APPENDED),
            commit: histogram!(COMMIT),
            trouble: Mutex::default(),
        }
    }

    pub(crate) fn committed(&self, events: usize, took: Duration) {
        self.appended.increment(events as u64);
        self.commit.record(took.as_secs_f64());
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn failed(&self, error: &LogError) {
        counter!(FAILED, "code" => error.code()).increment(1);
        // Nothing is wrong with the log when an append is.
        if !matches!(error, LogError::Conflict { .. } | LogError::DuplicateEvent { .. }) {
            let trouble = Some((Instant::now(), error.clone()));
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        }
    }

    /// Why the last commit failed, if that was a moment ago.
    pub(crate) fn trouble(&self) -> Option<LogError> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().filter(|(since, _)| since.elapsed() < TROUBLE_LASTS).map(|(_, error)| error.clone())
    }
}
