//! `synx node`: an instance with no window, driven through its control socket, or a node of a cluster.

use crate::Stop;
use crate::args::NodeArgs;
use crate::exit::Exit;
use crate::feed::{say, say_error};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use synx_node::ops::Ops;
use synx_node::{ClusterConfig, ClusterNode, ClusterOptions, Control, Node, NodeConfig, NodeError};

/// Runs until it is ended.
pub async fn run(args: NodeArgs, config: NodeConfig) -> Result<Exit, NodeError> {
    let ops = crate::ops::start(&args.operating, true).await?;
    let outcome = match args.cluster.options() {
        Some(cluster) => serve(args, cluster, config, ops).await,
        None => control(args, config, ops).await,
    };
    // Also for the program that reads its lines; a person finds it where errors are.
    outcome.inspect_err(|error| say_error(error.code(), &error.to_string()))
}

/// Prints where to connect and with which token.
async fn control(args: NodeArgs, config: NodeConfig, ops: Option<Ops>) -> Result<Exit, NodeError> {
    let node = Node::open(config).await?;
    let control = Control::start(node.clone(), args.control()).await?;
    say(&json!({"type": "control_ready", "url": control.url(), "token": control.token()}));
    if let Some(ops) = &ops {
        let node = node.clone();
        ops.ask(move || node.ready());
    }
    if crate::interrupted().await == Stop::System {
        ops.iter().for_each(Ops::draining);
        node.drain(Duration::from_secs(args.operating.drain_timeout)).await;
    }
    drop(control);
    node.close().await;
    Ok(Exit::Done)
}

/// Prints where peers are served.
async fn serve(
    args: NodeArgs,
    cluster: ClusterOptions,
    config: NodeConfig,
    ops: Option<Ops>,
) -> Result<Exit, NodeError> {
    let config = ClusterConfig {
        data_dir: config.data_dir,
        cluster,
        listen: args.listen(),
        tls: !args.no_tls,
        addresses: args.address,
        allowed_hosts: args.allow_host,
    };
    let node = Arc::new(ClusterNode::open(config).await?);
    say(&json!({"type": "node_ready", "listen": node.local_addr(), "fingerprint": node.fingerprint()}));
    if let Some(ops) = &ops {
        let node = Arc::clone(&node);
        ops.ask(move || node.ready());
    }
    // Other nodes go on with its rooms, whoever ends it.
    tokio::select! {
        _ = crate::interrupted() => {}
        () = tell_clock(&node) => {}
    }
    ops.iter().for_each(Ops::draining);
    node.close(Duration::from_secs(args.operating.drain_timeout)).await;
    Ok(Exit::Done)
}

/// Says whose clock is the cluster's, whenever that changes.
async fn tell_clock(node: &ClusterNode) {
    let (mut clock, mut said) = (node.clock(), None);
    loop {
        let view = *clock.borrow_and_update();
        if said != Some((view.owner, view.mine)) {
            said = Some((view.owner, view.mine));
            let owner = view.owner.map(|owner| owner.to_string());
            say(&json!({"type": "clock", "owner": owner, "mine": view.mine}));
        }
        if clock.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}
