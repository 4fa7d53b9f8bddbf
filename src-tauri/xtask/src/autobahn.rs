//! `cargo xtask autobahn`: Autobahn's WebSocket test suite against the server's own sockets.
//!
//! The suite is written for Python 2.7, which few systems bring any more: it is looked for, not installed.

use crate::Workspace;
use crate::command::{Failure, Run, is_installed};
use std::env;
use std::fs;
use std::path::PathBuf;

/// The suite's last release.
const SUITE: &str = "autobahntestsuite==0.8.2";

/// Installs the suite beside the build and runs it.
pub fn autobahn(workspace: &Workspace) -> Result<(), Failure> {
    let python = python().ok_or_else(|| {
        Failure::new(
            "the suite needs Python 2.7: install it (`pyenv install 2.7.18`, or your system's python2.7 and its pip)",
        )
    })?;
    let packages = workspace.target.join("autobahn");
    // The suite's own package for namespaces lacks the file that makes it one.
    let marker = packages.join("zope/__init__.py");
    if !marker.exists() {
        let target = packages.to_string_lossy();
        Run::new(python.as_str()).args(["-m", "pip", "install", "--target", &target, SUITE]).check()?;
        fs::write(&marker, "").map_err(|error| Failure::io("write", &marker, &error))?;
    }
    let test = ["test", "--package", "synx-net", "--lib", "--", "--ignored", "--nocapture", "autobahn"];
    workspace.cargo().args(test).env("PYTHONPATH", &packages).env("SYNX_AUTOBAHN_PYTHON", &python).check()
}

/// A Python 2.7 that runs: by its name, or one that pyenv installed.
fn python() -> Option<String> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let installed = fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().flatten();
    let by_pyenv = installed
        .filter(|version| version.file_name().to_string_lossy().starts_with("2.7"))
        .map(|version| version.path().join("bin/python").to_string_lossy().into_owned());
    std::iter::once("python2.7".to_owned()).chain(by_pyenv).find(|python| is_installed(python, "--version"))
}
