//! `synx node`: an instance with no window, driven through its control socket.

use crate::args::NodeArgs;
use crate::exit::Exit;
use crate::feed::say;
use serde_json::json;
use synx_node::{Control, Node, NodeConfig, NodeError};

/// Prints where to connect and with which token, and runs until it is ended.
pub async fn run(args: NodeArgs, config: NodeConfig) -> Result<Exit, NodeError> {
    let node = Node::open(config).await?;
    let control = Control::start(node.clone(), args.control).await?;
    say(&json!({"type": "control_ready", "url": control.url(), "token": control.token()}));
    crate::interrupted().await;
    drop(control);
    node.close().await;
    Ok(Exit::Done)
}
