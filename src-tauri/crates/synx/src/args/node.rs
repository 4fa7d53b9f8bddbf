//! What `synx node` is told, as an instance that is driven through a control socket or as a node of a cluster.

use super::{Cluster, Operating};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use std::net::{Ipv4Addr, SocketAddr};

#[derive(Debug, Args)]
pub struct NodeArgs {
    #[command(flatten)]
    pub operating: Operating,
    /// Loopback address of the control socket; a free port of 127.0.0.1 by default. Its token is printed, and no one else has it
    #[arg(long, value_name = "ADDR:PORT")]
    control: Option<SocketAddr>,
    #[command(flatten)]
    pub cluster: Cluster,
    /// As a node of a cluster: address and port where peers are served, 0.0.0.0:47900 by default; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// As a node of a cluster: plain WebSocket and HTTP, for use behind a reverse proxy that has TLS
    #[arg(long)]
    pub no_tls: bool,
    /// As a node of a cluster: where peers and other nodes reach it, in place of this machine's own addresses
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Vec<String>,
    /// As a node of a cluster: a name under which a proxy or a load balancer reaches it
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
}

impl NodeArgs {
    /// Where the control socket is.
    pub fn control(&self) -> SocketAddr {
        self.control.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Where peers are served.
    pub fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 47_900).into())
    }

    /// What is said against a flag that would have no effect: each is for one of the two, and what somebody asks for in vain
    /// they believe to have.
    pub fn misplaced(&self, matches: &ArgMatches) -> Option<String> {
        // Of all commands; by a variable or a file it is meant for others.
        let device = matches.value_source("device") == Some(ValueSource::CommandLine);
        let first =
            |flags: &[(&'static str, bool)]| flags.iter().find(|(_, given)| *given).map(|(flag, _)| *flag);
        if self.cluster.options().is_some() {
            let flag = first(&[("--control", self.control.is_some()), ("--device", device)])?;
            return Some(format!(
                "{flag} is not for a node of a cluster, which is not driven and plays nothing: leave it out"
            ));
        }
        let flag = first(&[
            ("--listen", self.listen.is_some()),
            ("--no-tls", self.no_tls),
            ("--address", !self.address.is_empty()),
            ("--allow-host", !self.allow_host.is_empty()),
            ("--cluster-credentials", self.cluster.cluster_credentials.is_some()),
            ("--cluster-ca", self.cluster.cluster_ca.is_some()),
            ("--replicas", self.cluster.replicas != 1),
            ("--accept-unsafe", self.cluster.accept_unsafe),
        ])?;
        Some(format!(
            "{flag} is for a node of a cluster: name that by --cluster or SYNX_CLUSTER, or leave {flag} out"
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::{CommandFactory, FromArgMatches};

    fn misplaced(flags: &str) -> Option<String> {
        let matches = Cli::command().get_matches_from(format!("synx {flags}").split(' '));
        let Command::Node(args) = Cli::from_arg_matches(&matches).unwrap().command else { panic!("{flags}") };
        args.misplaced(matches.subcommand_matches("node").unwrap())
    }

    #[test]
    fn a_flag_of_the_other_kind_of_node_is_refused_by_name() {
        for served in ["--listen 127.0.0.1:0", "--no-tls", "--address a:1", "--allow-host a", "--replicas 3"]
        {
            let problem = misplaced(&format!("node {served}")).unwrap();
            assert!(problem.starts_with(served.split(' ').next().unwrap()), "{problem}");
            assert_eq!(misplaced(&format!("node --cluster nats://a {served}")), None);
        }
        for driven in ["node --control 127.0.0.1:0", "node --device null", "--device null node"] {
            assert_eq!(misplaced(driven), None);
            let problem = misplaced(&format!("{driven} --cluster nats://a")).unwrap();
            assert!(problem.starts_with("--control") || problem.starts_with("--device"), "{problem}");
        }
    }
}
