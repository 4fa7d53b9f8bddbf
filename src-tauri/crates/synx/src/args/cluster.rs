//! Where a cluster is, as all commands that use one ask for it.

use clap::{Args, Subcommand, ValueHint};
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use synx_node::{ClusterName, ClusterOptions, NodeError};

/// A text that may hold a password: it is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    // What is wrong with it is said by who uses it, who knows what of it may be shown.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// Where a cluster's log is.
#[derive(Debug, Clone, Args)]
pub struct Cluster {
    /// NATS servers of the cluster, as in `nats://user:password@host:4222`; any one of a system suffices. Others on this machine
    /// can read a command line: a password belongs into SYNX_CLUSTER or a credentials file
    #[arg(long, value_name = "URL", value_delimiter = ',', env = "SYNX_CLUSTER", hide_env_values = true)]
    pub cluster: Vec<Secret>,
    /// Which of the clusters on these servers
    #[arg(long, value_name = "NAME", default_value = "synx")]
    #[arg(env = "SYNX_CLUSTER_NAME")]
    pub cluster_name: ClusterName,
    /// A file with a JWT and an NKey seed, in place of a password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(env = "SYNX_CLUSTER_CREDENTIALS")]
    pub cluster_credentials: Option<PathBuf>,
    /// A certificate authority to believe besides the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(env = "SYNX_CLUSTER_CA")]
    pub cluster_ca: Option<PathBuf>,
    /// NATS servers that each keep every event: 1, 3 or 5. Counts where the log is begun
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(env = "SYNX_CLUSTER_REPLICAS")]
    pub replicas: usize,
    /// Take servers that could lose what they acknowledged, or do not tell
    #[arg(long)]
    pub accept_unsafe: bool,
}

impl Cluster {
    /// The cluster, which must be named.
    pub fn named(&self) -> Result<ClusterOptions, NodeError> {
        let problem = "must be named, by --cluster or SYNX_CLUSTER";
        self.options().ok_or(NodeError::BadValue { what: "the cluster", problem })
    }

    /// The cluster, if one is named. Where this node's copy lies is the data folder's to say.
    pub fn options(&self) -> Option<ClusterOptions> {
        let servers = self.cluster.iter().map(|Secret(server)| server.clone()).collect();
        (!self.cluster.is_empty()).then(|| ClusterOptions {
            name: self.cluster_name.clone(),
            credentials: self.cluster_credentials.clone(),
            root_certificate: self.cluster_ca.clone(),
            replicas: self.replicas,
            accept_unsafe: self.accept_unsafe,
            ..ClusterOptions::new(servers, PathBuf::new())
        })
    }
}

/// `synx migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    #[command(subcommand)]
    pub direction: MigrateDirection,
}

#[derive(Debug, Subcommand)]
pub enum MigrateDirection {
    /// From this machine's log to the cluster
    To(MigrateRoom),
    /// From the cluster to this machine's log
    From(MigrateRoom),
}

#[derive(Debug, Args)]
pub struct MigrateRoom {
    #[command(flatten)]
    pub cluster: Cluster,
    /// The room; not needed where there is one only
    #[arg(long, value_name = "ID")]
    pub room: Option<String>,
}
