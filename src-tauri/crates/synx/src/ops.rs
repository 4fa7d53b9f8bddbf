//! The port for those who run the program: opened before anything else, so that its start can be watched.

use crate::args::Operating;
use crate::feed::say;
use serde_json::json;
use synx_node::NodeError;
use synx_node::ops::Ops;

/// Opens the port, if it is wanted, and says where it is.
pub async fn start(args: &Operating, json: bool) -> Result<Option<Ops>, NodeError> {
    let Some(listen) = args.ops else { return Ok(None) };
    let ops = Ops::start(listen).await?;
    let url = format!("http://{}", ops.local_addr());
    if json {
        say(&json!({"type": "ops_ready", "url": url}));
    } else {
        println!("Health and metrics: {url}/healthz, /readyz, /metrics");
    }
    Ok(Some(ops))
}
