//! The user interface's packages and scripts.

use std::fs;

use crate::Workspace;
use crate::command::{Failure, Run};

/// On Windows npm is a batch file, which is not found without its ending.
pub const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Installs the packages that `package-lock.json` names, unless these are the ones that lie there.
pub fn packages(workspace: &Workspace) -> Result<(), Failure> {
    let ui = workspace.root.join("ui");
    let lock_file = ui.join("package-lock.json");
    let lock = fs::read(&lock_file).map_err(|error| Failure::io("read", &lock_file, &error))?;
    // Kept among the packages, so that it goes when they go.
    let installed = ui.join("node_modules/.installed-package-lock.json");
    if fs::read(&installed).is_ok_and(|there| there == lock) {
        println!("The packages are those of ui/package-lock.json.");
        return Ok(());
    }
    Run::new(NPM).shown_as("npm").args(["ci", "--no-audit", "--no-fund"]).dir(&ui).check()?;
    fs::write(&installed, lock).map_err(|error| Failure::io("write", &installed, &error))
}

/// Runs one of the scripts of `ui/package.json`.
pub fn script(workspace: &Workspace, name: &str) -> Result<(), Failure> {
    call(workspace, name).check()
}

/// A call of one of the scripts, to be run with something added.
pub fn call(workspace: &Workspace, name: &str) -> Run {
    Run::new(NPM).shown_as("npm").args(["run", "--silent", name]).dir(&workspace.root.join("ui"))
}
