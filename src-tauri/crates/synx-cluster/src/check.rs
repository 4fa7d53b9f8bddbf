//! Whether NATS servers may be trusted with a log: that what they acknowledge is on disk.
//!
//! Asks every server of the system, through the one request that the servers' configuration lets this account make
//! (`docs/scale.md`). Must never take silence for a yes.

use crate::ClusterError;
use async_nats::Client;
use futures_util::StreamExt;
use serde::Deserialize;
use std::time::Duration;

/// The oldest NATS server that is safe, as major, minor and patch number. Before it: 2.9.15 to 2.9.20 let two writers pass
/// the same expected sequence (nats-server issue 4320); before 2.14.0 a damaged snapshot made a server forget what it had
/// acknowledged (issue 7556).
pub const MIN_SERVER: (u32, u32, u32) = (2, 14, 0);
/// The oldest that can be used at all: it can be read directly, many messages at once.
const OLDEST_USABLE: (u32, u32, u32) = (2, 11, 0);
/// Bytes that a message may need: the largest append of a log is 4 MiB, and 4096 events with 448 bytes each beside that.
const MAX_PAYLOAD_BYTES: usize = 6 << 20;
/// What servers are asked. Needs an import from the system account.
const ASK_SERVERS: &str = "$SYS.REQ.SERVER.PING.JSZ";
/// How long the first answer may take: a server that has nothing to do answers in a few ms.
const FIRST_ANSWER: Duration = Duration::from_secs(2);
/// Servers of one system answer at nearly the same time.
const NEXT_ANSWER: Duration = Duration::from_millis(300);

/// Why a server is not safe for a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerFault {
    /// It has known faults that lose what was acknowledged.
    #[error("{server} is nats-server {version}, which is known to lose events: use 2.14.0 or newer")]
    TooOld {
        /// The server's name.
        server: String,
        /// Its version.
        version: String,
    },
    /// It acknowledges before it syncs to disk (nats-server issue 7564).
    #[error(
        "{server} acknowledges events before they are on disk: set `sync_interval: always` in its jetstream block"
    )]
    SyncsLate {
        /// The server's name.
        server: String,
    },
    /// It does not tell.
    #[error(
        "whether they sync before they acknowledge is not told: export the service `$SYS.REQ.SERVER.PING.JSZ` from the account $SYS and import it here"
    )]
    Unverifiable,
    /// Its messages are too small for a large event.
    #[error("messages of {max_payload} bytes are too small: set `max_payload: 8MB`")]
    SmallMessages {
        /// The limit.
        max_payload: usize,
    },
    /// There are too few servers to agree on anything.
    #[error(
        "{servers} of them answers, and {needed} must, as each event is kept on {replicas}: start the others"
    )]
    TooFew {
        /// How many answer.
        servers: usize,
        /// How many must.
        needed: usize,
        /// How many keep each event.
        replicas: usize,
    },
}

/// What one server says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Report {
    server: Identity,
    data: JetStream,
}

#[derive(Debug, Clone, Deserialize)]
struct Identity {
    name: String,
    #[serde(rename = "ver")]
    version: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct JetStream {
    disabled: bool,
    config: JetStreamConfig,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct JetStreamConfig {
    sync_always: bool,
}

/// Refuses servers that are not safe; with `accept_unsafe` it warns, and refuses only what cannot work. How many answered: none,
/// where they do not tell of themselves.
pub(crate) async fn check(
    client: &Client,
    replicas: usize,
    accept_unsafe: bool,
) -> Result<usize, ClusterError> {
    let info = client.server_info();
    if info.max_payload < MAX_PAYLOAD_BYTES {
        let faults = vec![ServerFault::SmallMessages { max_payload: info.max_payload }];
        return Err(ClusterError::UnsafeServer { faults });
    }
    if parsed(&info.version).is_none_or(|version| version < OLDEST_USABLE) {
        let fault = ServerFault::TooOld { server: info.server_name, version: info.version };
        return Err(ClusterError::UnsafeServer { faults: vec![fault] });
    }
    let reports =
        ask(client, replicas).await.map_err(|error| ClusterError::server("tell about itself", &error))?;
    let faults = faults(&reports, replicas);
    if !faults.is_empty() && !accept_unsafe {
        return Err(ClusterError::UnsafeServer { faults });
    }
    for fault in faults {
        tracing::warn!(%fault, "the log is kept on servers that may lose events, as asked for");
    }
    Ok(reports.len())
}

async fn ask(client: &Client, replicas: usize) -> Result<Vec<Report>, async_nats::Error> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await?;
    client.publish_with_reply(ASK_SERVERS, inbox, r#"{"config":true}"#.into()).await?;
    client.flush().await?;
    let (mut reports, mut patience) = (Vec::new(), FIRST_ANSWER);
    while let Ok(Some(answer)) = tokio::time::timeout(patience, answers.next()).await {
        // No server is reached: the account does not import the service.
        if answer.status.is_some() {
            break;
        }
        reports.extend(serde_json::from_slice::<Report>(&answer.payload).ok());
        // Those that are needed may have just started, and be busy with each other.
        patience = if reports.len() < replicas { FIRST_ANSWER } else { NEXT_ANSWER };
    }
    reports.retain(|report| !report.data.disabled);
    Ok(reports)
}

fn faults(reports: &[Report], replicas: usize) -> Vec<ServerFault> {
    if reports.is_empty() {
        return vec![ServerFault::Unverifiable];
    }
    let mut faults = Vec::new();
    for Report { server: Identity { name, version }, data } in reports {
        if parsed(version).is_none_or(|version| version < MIN_SERVER) {
            faults.push(ServerFault::TooOld { server: name.clone(), version: version.clone() });
        }
        if !data.config.sync_always {
            faults.push(ServerFault::SyncsLate { server: name.clone() });
        }
    }
    // Those that are gone for now catch up when they are back.
    let (servers, needed) = (reports.len(), replicas / 2 + 1);
    if servers < needed {
        faults.push(ServerFault::TooFew { servers, needed, replicas });
    }
    faults
}

/// A version's numbers. A preview of a version is not yet that version.
fn parsed(version: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = version.strip_prefix('v').unwrap_or(version).split('.').map(str::parse);
    let parsed = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    numbers.next().is_none().then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(version: &str, sync_always: bool) -> Report {
        Report {
            server: Identity { name: "n1".to_owned(), version: version.to_owned() },
            data: JetStream { disabled: false, config: JetStreamConfig { sync_always } },
        }
    }

    #[test]
    fn only_new_servers_that_sync_first_are_safe() {
        let fault = |version: &str, sync| faults(&[report(version, sync)], 1);
        assert_eq!(fault("2.14.0", true), []);
        assert_eq!(fault("2.15.1", true), []);
        assert_eq!(fault("3.0.0", true), []);
        assert_eq!(fault("2.15.1", false), [ServerFault::SyncsLate { server: "n1".to_owned() }]);
        for old in ["2.9.10", "2.9.20", "2.13.9", "2.14.0-RC.1", "2.14", "new"] {
            let too_old = ServerFault::TooOld { server: "n1".to_owned(), version: old.to_owned() };
            assert_eq!(fault(old, true), [too_old]);
        }
    }

    #[test]
    fn silence_is_no_proof_and_most_of_those_that_keep_the_log_must_answer() {
        assert_eq!(faults(&[], 1), [ServerFault::Unverifiable]);
        let two = [report("2.15.1", true), report("2.15.1", true)];
        assert_eq!(faults(&two[..1], 3), [ServerFault::TooFew { servers: 1, needed: 2, replicas: 3 }]);
        assert_eq!(faults(&two, 5), [ServerFault::TooFew { servers: 2, needed: 3, replicas: 5 }]);
        for replicas in [1, 3] {
            assert_eq!(faults(&two, replicas), []);
        }
    }

    #[test]
    fn what_a_server_says_is_understood() {
        let said = br#"{"server":{"name":"n1","ver":"2.15.1","flags":7},"data":{"config":{"max_memory":1,"sync_always":true}}}"#;
        assert_eq!(faults(&[serde_json::from_slice(said).unwrap()], 1), []);
        let late =
            br#"{"server":{"name":"n1","ver":"2.15.1"},"data":{"config":{"sync_interval":120000000000}}}"#;
        assert_eq!(faults(&[serde_json::from_slice(late).unwrap()], 1).len(), 1);
    }
}
