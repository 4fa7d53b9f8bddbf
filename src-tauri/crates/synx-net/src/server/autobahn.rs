//! Autobahn's test suite as a client against the server's own way of taking connections over and of writing frames: the
//! messages that come go back as they are. `cargo xtask autobahn` installs the suite and runs this.

use crate::server::arrival::take_over;
use crate::server::listen::{self, Seat};
use crate::server::socket::{Socket, TEXT, whole_frame};
use crate::server::{Phase, Shared};
use crate::{AudioStore, HostKey, ServerConfig, transport};
use axum::extract::Request;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Message;

/// The code of a binary frame that is a whole message (RFC 6455, 5.2).
const BINARY: u8 = 0x82;
/// The suite's longest message, and room for more.
const MESSAGE_BYTES: usize = 32 << 20;
/// Compression is not negotiated, so these have nothing to test.
const LEFT_OUT: [&str; 2] = ["12.*", "13.*"];
/// What counts as passed. An early answer to broken UTF-8 is asked for by the suite, not by the standard.
const PASSED: [&str; 3] = ["OK", "NON-STRICT", "INFORMATIONAL"];

async fn upgrade(
    Extension(seat): Extension<Seat>,
    request: Request,
) -> Result<Response, WebSocketUpgradeRejection> {
    take_over(request, seat, MESSAGE_BYTES, echo).await
}

async fn echo(mut socket: Socket) {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => socket.feed([whole_frame(TEXT, text.as_bytes())]),
            Some(Ok(Message::Binary(bytes))) => socket.feed([whole_frame(BINARY, &bytes)]),
            Some(Ok(_)) => {}
            // As at the end of a peer.
            Some(Err(_)) | None => return drop(socket.close().await),
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

/// A server that echoes.
fn serve(folder: &Path) -> (SocketAddr, Arc<Shared>) {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = transport::bind(any_port).unwrap();
    let at = listener.local_addr().unwrap();
    let key = Arc::new(HostKey::from_secret(&[9; 32]).unwrap());
    let config = ServerConfig::new(any_port, None, key, AudioStore::open(folder).unwrap());
    let shared = Arc::new(Shared::new(config));
    let router = Router::new().route("/", any(upgrade));
    tokio::spawn(listen::accept(listener, Arc::clone(&shared), router));
    (at, shared)
}

/// Runs the suite by the Python that is named; what became of each case.
async fn cases(python: &str, folder: &Path, at: SocketAddr) -> BTreeMap<String, String> {
    let spec = json!({
        "outdir": folder.join("reports"),
        "servers": [{"agent": "synx", "url": format!("ws://{at}/")}],
        "cases": ["*"],
        "exclude-cases": LEFT_OUT,
        "exclude-agent-cases": {},
    });
    std::fs::write(folder.join("spec.json"), spec.to_string()).unwrap();
    let program = "import sys; from autobahntestsuite.wstest import run; \
                   sys.argv = ['wstest', '-m', 'fuzzingclient', '-s', 'spec.json']; run()";
    let run = tokio::process::Command::new(python).args(["-c", program]).current_dir(folder).status();
    assert!(run.await.unwrap().success());
    let index = std::fs::read_to_string(folder.join("reports/index.json")).unwrap();
    let index: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(&index).unwrap();
    let word = |case: &Value, which: &str| case[which].as_str().unwrap().to_owned();
    let became = |case: &Value| match word(case, "behavior") {
        passed if PASSED.contains(&passed.as_str()) => word(case, "behaviorClose"),
        other => other,
    };
    index["synx"].iter().map(|(name, case)| (name.clone(), became(case))).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the suite: cargo xtask autobahn"]
async fn the_server_passes_the_autobahn_suite() {
    let python = std::env::var("SYNX_AUTOBAHN_PYTHON").expect("cargo xtask autobahn says which Python");
    let folder = tempfile::tempdir().unwrap();
    let (at, server) = serve(folder.path());
    let cases = cases(&python, folder.path(), at).await;
    server.phase.send_replace(Phase::Stopped);
    let failed: Vec<_> = cases.iter().filter(|(_, became)| !PASSED.contains(&became.as_str())).collect();
    println!("{} cases, {} failed", cases.len(), failed.len());
    assert!(!cases.is_empty() && failed.is_empty(), "{failed:?}");
}
