//! `cargo xtask simulate`: the simulated network for as many seeds as one likes; a dozen run with every test.

use crate::Workspace;
use crate::command::Failure;

/// Seeds where nothing is said: some minutes.
const SEEDS: &str = "500";

/// Runs so many seeds, from the first on.
pub fn simulate(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let (seeds, first) = match args {
        [] => (SEEDS, "1"),
        [seeds] => (seeds.as_str(), "1"),
        [seeds, first] => (seeds.as_str(), first.as_str()),
        _ => ("", ""),
    };
    if [seeds, first].iter().any(|number| number.parse::<u64>().is_err()) {
        return Err(Failure::new("say how many seeds, and which is the first: cargo xtask simulate 500 1"));
    }
    let test = ["test", "--package", "synx-node", "--test", "simulated", "--", "--nocapture"];
    workspace.cargo().args(test).env("SYNX_SIM_SEEDS", seeds).env("SYNX_SIM_FIRST", first).check()
}
