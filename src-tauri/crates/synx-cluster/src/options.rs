//! Where a cluster's log is and how it is kept.

use crate::ClusterError;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Names a cluster among those that use the same NATS servers: part of its stream's and subjects' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterName(String);

impl ClusterName {
    /// Longest name, in characters: NATS's limits are far off, but people read it.
    const MAX: usize = 32;

    /// The stream that holds the log.
    pub(crate) fn stream(&self) -> String {
        format!("{}-log", self.0)
    }

    /// The subjects that the stream takes: this and a room.
    pub(crate) fn log_subjects(&self) -> String {
        format!("{}.log", self.0)
    }

    /// A bucket of this cluster.
    pub(crate) fn bucket(&self, what: &str) -> String {
        format!("{}-{what}", self.0)
    }

    /// What the stream has stored is told here: this and a room.
    pub(crate) fn live_subjects(&self) -> String {
        format!("{}.live", self.0)
    }
}

impl Default for ClusterName {
    fn default() -> Self {
        Self("synx".to_owned())
    }
}

impl FromStr for ClusterName {
    type Err = ClusterError;

    fn from_str(text: &str) -> Result<Self, ClusterError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=Self::MAX).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(ClusterError::BadOption {
            option: "name",
            value: text.to_owned(),
            expected: "use 1 to 32 of a to z, 0 to 9 and -",
        })
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a cluster's log is opened.
#[derive(Clone)]
pub struct ClusterOptions {
    /// Addresses of NATS servers, as in `nats://user:password@host:4222`; with several of a NATS cluster, any one suffices.
    pub servers: Vec<String>,
    /// Which of the clusters on these servers.
    pub name: ClusterName,
    /// This node's copy of the log. Its folder must be there.
    pub copy: PathBuf,
    /// A file with a JWT and an NKey seed, where the addresses hold no credentials.
    pub credentials: Option<PathBuf>,
    /// A certificate authority to believe besides the system's.
    pub root_certificate: Option<PathBuf>,
    /// NATS servers that each keep the stream when it is made: 1, 3 or 5.
    pub replicas: usize,
    /// How long an append, or audio, may wait for servers that do not answer.
    pub commit_timeout: Duration,
    /// How long a node waits, when it starts, for servers that it needs and does not find.
    pub servers_timeout: Duration,
    /// Whether servers that could lose what they acknowledged, or do not tell, are taken all the same.
    pub accept_unsafe: bool,
}

impl ClusterOptions {
    /// The options for servers at these addresses, with a copy in this file.
    pub fn new(servers: Vec<String>, copy: PathBuf) -> Self {
        Self {
            servers,
            name: ClusterName::default(),
            copy,
            credentials: None,
            root_certificate: None,
            replicas: 1,
            // A NATS server that is started again answers within a second or two; a new leader is found within four.
            commit_timeout: Duration::from_secs(10),
            // Servers that start with it have found each other within a few seconds, on a busy machine within ten.
            servers_timeout: Duration::from_secs(20),
            accept_unsafe: false,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), ClusterError> {
        // Two replicas need both to go on: less available than one, at twice the cost.
        if [1, 3, 5].contains(&self.replicas) {
            return Ok(());
        }
        Err(ClusterError::BadOption {
            option: "number of replicas",
            value: self.replicas.to_string(),
            expected: "use 1, 3 or 5",
        })
    }
}

/// Tells nothing of the credentials.
impl fmt::Debug for ClusterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterOptions")
            .field("servers", &redacted(&self.servers))
            .field("name", &self.name)
            .field("copy", &self.copy)
            .field("replicas", &self.replicas)
            .field("commit_timeout", &self.commit_timeout)
            .field("servers_timeout", &self.servers_timeout)
            .field("accept_unsafe", &self.accept_unsafe)
            .finish_non_exhaustive()
    }
}

/// Addresses as they may be shown: without what stands before the `@`.
pub(crate) fn redacted(servers: &[String]) -> String {
    let shown = servers.iter().map(|server| match (server.split_once("://"), server.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => server.clone(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_shown_nowhere() {
        let servers = ["nats://ada:s3@cret@one:4222", "tls://token@two", "three:4222"].map(str::to_owned);
        assert_eq!(redacted(&servers), "nats://one:4222, tls://two, three:4222");
        let options = ClusterOptions::new(servers.to_vec(), PathBuf::new());
        let shown = format!("{options:?}");
        assert!(!shown.contains("cret") && !shown.contains("token"), "{shown}");
    }

    #[test]
    fn names_become_parts_of_subjects_only_if_they_can() {
        assert_eq!("my-label2".parse::<ClusterName>().unwrap().stream(), "my-label2-log");
        for bad in ["", "a.b", "a b", "Ä", ">", "*", &"x".repeat(33)] {
            assert_eq!(bad.parse::<ClusterName>().unwrap_err().code(), "cluster_option", "{bad}");
        }
    }

    #[test]
    fn an_even_number_of_replicas_is_refused() {
        for (replicas, fine) in [(0, false), (1, true), (2, false), (3, true), (4, false), (5, true)] {
            let options = ClusterOptions { replicas, ..ClusterOptions::new(Vec::new(), PathBuf::new()) };
            assert_eq!(options.validate().is_ok(), fine, "{replicas}");
        }
    }
}
