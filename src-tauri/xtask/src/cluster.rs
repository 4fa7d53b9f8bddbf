//! `cargo xtask cluster`: three nodes, three NATS servers and three hundred peers, while one after the other is killed; and what runs
//! with every test, smaller, but optimised: among it a node that is cut off.

use crate::Workspace;
use crate::command::Failure;
use crate::setup::{self, Purpose};

/// Runs it, optimised, and prints how long everything took to be there again.
pub fn cluster(workspace: &Workspace) -> Result<(), Failure> {
    setup::system_packages(Purpose::Headless)?;
    setup::nats_server(workspace)?;
    workspace.cargo().args(["build", "--release", "--package", "synx"]).check()?;
    let test = ["test", "--release", "--package", "synx-system-tests", "--test", "cluster"];
    workspace
        .cargo()
        .args(test)
        .args(["--", "--include-ignored", "--nocapture", "--test-threads", "1"])
        .check()
}
