//! `synx doctor`: what of this machine is in the way of music together.

use crate::exit::Exit;
use synx_node::bridge::LanguageView;
use synx_node::{Node, NodeConfig, NodeError};

/// Runs the checks and prints them; fails when one of them does.
pub async fn run(config: NodeConfig, json: bool) -> Result<Exit, NodeError> {
    let node = Node::open(config).await?;
    let checks = node.doctor(LanguageView::En).await;
    node.close().await;
    for check in &checks {
        if json {
            println!("{}", serde_json::to_string(check).unwrap_or_default());
        } else {
            let (mark, more) = match (check.ok, check.name.as_str()) {
                (true, "log") => ("ok ", "; to prove what is in them: `synx log verify`"),
                (true, _) => ("ok ", ""),
                (false, _) => ("!! ", ""),
            };
            println!("{mark} {:<12} {}{more}", check.name, check.message);
        }
    }
    Ok(if checks.iter().all(|check| check.ok) { Exit::Done } else { Exit::Failed })
}
