//! `synx calibrate`: how late does this output device play, by a chirp and a microphone?

use crate::args::Calibrate;
use crate::exit::Exit;
use synx_node::bridge::{Request, Response};
use synx_node::{Node, NodeConfig, NodeError};

/// Measures, prints, and keeps the result if that was asked for.
pub async fn run(args: Calibrate, config: NodeConfig) -> Result<Exit, NodeError> {
    let node = Node::open(config).await?;
    if !args.json {
        eprintln!("Listening to a chirp a second for ten seconds: keep the room quiet.");
    }
    let outcome = measure(&node, args).await;
    node.close().await;
    outcome
}

async fn measure(node: &Node, args: Calibrate) -> Result<Exit, NodeError> {
    let answer = node.call(Request::Calibrate { microphone: args.microphone }).await?;
    let Response::Calibration { calibration } = answer else { return Ok(Exit::Failed) };
    if args.json {
        println!("{}", serde_json::to_string(&calibration).unwrap_or_default());
    } else {
        println!(
            "{}: {:+.1} ms late (± {:.1} ms, {} of {} chirps); its offset should be {:.1} ms",
            calibration.device,
            calibration.late_by_ms,
            calibration.spread_ms,
            calibration.heard,
            calibration.played,
            calibration.offset_ms
        );
    }
    if args.keep {
        node.call(Request::SetLatencyOffset { offset_ms: calibration.offset_ms }).await?;
    }
    Ok(Exit::Done)
}
