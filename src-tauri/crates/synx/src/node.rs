//! `synx node`: an instance with no window, driven through its control socket, or a node of a cluster.

use crate::args::NodeArgs;
use crate::exit::Exit;
use crate::feed::say;
use serde_json::json;
use synx_node::{ClusterConfig, ClusterNode, ClusterOptions, Control, Node, NodeConfig, NodeError};

/// Runs until it is ended.
pub async fn run(args: NodeArgs, config: NodeConfig) -> Result<Exit, NodeError> {
    match args.cluster.options() {
        Some(cluster) => serve(args, cluster, config).await,
        None => control(args, config).await,
    }
}

/// Prints where to connect and with which token.
async fn control(args: NodeArgs, config: NodeConfig) -> Result<Exit, NodeError> {
    let node = Node::open(config).await?;
    let control = Control::start(node.clone(), args.control).await?;
    say(&json!({"type": "control_ready", "url": control.url(), "token": control.token()}));
    crate::interrupted().await;
    drop(control);
    node.close().await;
    Ok(Exit::Done)
}

/// Prints where peers are served.
async fn serve(args: NodeArgs, cluster: ClusterOptions, config: NodeConfig) -> Result<Exit, NodeError> {
    let config = ClusterConfig {
        data_dir: config.data_dir,
        cluster,
        listen: args.listen,
        tls: !args.no_tls,
        allowed_hosts: args.allow_host,
    };
    let node = ClusterNode::open(config).await?;
    say(&json!({"type": "node_ready", "listen": node.local_addr(), "fingerprint": node.fingerprint()}));
    crate::interrupted().await;
    node.close().await;
    Ok(Exit::Done)
}
