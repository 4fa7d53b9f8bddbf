//! Building and starting the programs.

use std::env;

use crate::command::{Failure, Run};
use crate::setup::{self, Purpose};
use crate::{Workspace, ui};

/// Opens the desktop app, or hosts in the terminal where there is no display.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    if !has_display() {
        println!(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): hosting a room in this terminal."
        );
        return synx(workspace, "host", args);
    }
    setup::system_packages(Purpose::Desktop)?;
    setup::node()?;
    ui::packages(workspace)?;
    ui::script(workspace, "build")?;
    start(workspace, "synxsphere", args)
}

/// Shows two peers in sync with a host, on this machine; with a demo track unless the first argument names another.
pub fn demo(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    if args.first().is_some_and(|first| !first.starts_with('-')) {
        return synx(workspace, "demo", args);
    }
    let track = workspace.root.join("assets/demo/tide-line.mp3").to_string_lossy().into_owned();
    synx(workspace, "demo", &[&[track], args].concat())
}

fn synx(workspace: &Workspace, command: &str, args: &[String]) -> Result<(), Failure> {
    setup::system_packages(Purpose::Headless)?;
    start(workspace, "synx", &[&[command.to_owned()], args].concat())
}

fn start(workspace: &Workspace, package: &str, args: &[String]) -> Result<(), Failure> {
    workspace.cargo().args(["build", "--package", package]).check()?;
    let binary = workspace.binary(package).to_string_lossy().into_owned();
    Run::new(binary).args(args).interactive().check()
}

/// Every desktop has one but a Linux machine that is only reached by its terminal.
fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
