//! `cargo xtask test`: every check there is, in an order that finds the cheap mistakes first.
//!
//! All steps use one profile, one set of packages and one target folder, so that nothing is compiled twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Failure, Run, is_installed};
use crate::setup::{self, Purpose};
use crate::step::{self, Outcome, Step};
use crate::{Workspace, ui};

/// The release of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

const STEPS: &[Step] = &[
    Step {
        name: "system",
        about: "system packages",
        needs: &[],
        run: |_| done(setup::system_packages(Purpose::Tests)),
    },
    Step {
        name: "fmt",
        about: "Rust is formatted",
        needs: &[],
        run: |w| cargo(w, &["fmt", "--all", "--check"]),
    },
    Step {
        name: "deny",
        about: "licences, sources and advisories of all dependencies",
        needs: &[],
        run: deny,
    },
    Step {
        name: "ui-packages",
        about: "npm packages",
        needs: &[],
        run: |w| done(setup::node().and_then(|()| ui::packages(w))),
    },
    Step { name: "ui-lint", about: "UI lint", needs: &["ui-packages"], run: |w| done(ui::script(w, "lint")) },
    Step {
        name: "ui-check",
        about: "UI types",
        needs: &["ui-packages"],
        run: |w| done(ui::script(w, "check")),
    },
    Step {
        name: "ui-test",
        about: "UI unit tests",
        needs: &["ui-packages"],
        run: |w| done(ui::script(w, "test")),
    },
    Step {
        name: "ui-build",
        about: "UI build",
        needs: &["ui-packages"],
        run: |w| done(ui::script(w, "build")),
    },
    Step {
        name: "clippy",
        about: "no lint fires, in any target",
        needs: &["system", "ui-build"],
        run: |w| cargo(w, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    },
    Step {
        name: "build",
        about: "all programs and tests compile",
        needs: &["system", "ui-build"],
        run: |w| cargo(w, &["build", "--workspace", "--all-targets"]),
    },
    Step {
        name: "nats",
        about: "the NATS server that the tests of clusters start",
        needs: &[],
        run: |w| done(setup::nats_server(w)),
    },
    Step { name: "rust", about: "Rust tests", needs: &["build", "nats"], run: rust_tests },
    Step {
        name: "doc",
        about: "examples in the documentation",
        needs: &["build"],
        run: |w| cargo(w, &["test", "--workspace", "--doc"]),
    },
    Step { name: "types", about: "the UI's generated types are current", needs: &["build"], run: types },
    Step { name: "whole", about: "the real programs together", needs: &["build", "nats"], run: whole_system },
    Step {
        name: "ui-e2e",
        about: "the built UI in Chromium, with a real node behind it",
        needs: &["build"],
        run: ui_end_to_end,
    },
    Step { name: "window", about: "the app in its real window", needs: &["build"], run: window },
];

/// Runs all steps, or the named ones.
pub fn test(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    if args.iter().any(|arg| arg == "--list") {
        STEPS.iter().for_each(|step| println!("{:<14} {}", step.name, step.about));
        return Ok(());
    }
    step::run_all(workspace, "test", &step::select(STEPS, args)?)
}

/// Installs cargo-deny where it is missing; unoptimised, which halves the wait and is fast enough.
pub fn install_cargo_deny(workspace: &Workspace) -> Result<(), Failure> {
    if is_installed("cargo-deny", "--version") {
        return Ok(());
    }
    workspace.cargo().args(["install", "--locked", "--debug", "cargo-deny", "--version", CARGO_DENY]).check()
}

fn done(result: Result<(), Failure>) -> Result<Outcome, Failure> {
    result.map(|()| Outcome::Done)
}

fn cargo(workspace: &Workspace, args: &[&str]) -> Result<Outcome, Failure> {
    done(workspace.cargo().args(args.iter().copied()).check())
}

fn deny(workspace: &Workspace) -> Result<Outcome, Failure> {
    install_cargo_deny(workspace)?;
    cargo(workspace, &["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])?;
    if workspace.cargo().args(["deny", "fetch", "db"]).output().is_none() {
        return Ok(Outcome::Partly("advisories not checked: their database cannot be reached".into()));
    }
    cargo(workspace, &["deny", "check", "advisories"])
}

/// Where the Rust tests write the types that they generate, so that they leave the checkout alone.
fn scratch_types(workspace: &Workspace) -> PathBuf {
    workspace.target.join("generated-types")
}

fn rust_tests(workspace: &Workspace) -> Result<Outcome, Failure> {
    let tests =
        workspace.cargo().args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    let tests = tests.args(["--exclude", "synx-system-tests"]);
    done(tests.env("TS_RS_EXPORT_DIR", scratch_types(workspace)).check())
}

fn types(workspace: &Workspace) -> Result<Outcome, Failure> {
    let fresh = scratch_types(workspace);
    // What is left from an earlier run would hide a type that is gone.
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(|error| Failure::io("remove", &fresh, &error))?;
    }
    let export = ["test", "--workspace", "--lib", "--quiet", "export_bindings"];
    workspace.cargo().args(export).env("TS_RS_EXPORT_DIR", &fresh).check()?;
    let kept = workspace.root.join("ui/src/lib/backend/generated");
    let (fresh, kept) = (typescript_files(&fresh)?, typescript_files(&kept)?);
    if fresh.is_empty() {
        return Err(Failure::new("no types were generated: no test is named `export_bindings…`"));
    }
    let names = fresh.keys().chain(kept.keys());
    match names.into_iter().find(|name| fresh.get(*name) != kept.get(*name)) {
        None => Ok(Outcome::Done),
        Some(name) => Err(Failure::new(format!(
            "ui/src/lib/backend/generated/{name}.ts is not what the Rust types say; write it anew with\n  cargo test --package synx-node --lib export_bindings"
        ))),
    }
}

/// The TypeScript files of a folder by name, with line ends as git on Linux has them.
fn typescript_files(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))?;
        Ok((stem(&path), text.replace("\r\n", "\n")))
    };
    files(folder, "ts")?.into_iter().map(read).collect()
}

/// The files of a folder whose names end so, in order.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| Failure::io("read", folder, &error);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    Ok(paths)
}

/// A file's name without its extension.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The one whole-system test that opens windows; all others run in the terminal.
pub const WINDOW_TEST: &str = "window";

/// A cargo call for tests that start the programs which the build step left.
fn with_binaries(workspace: &Workspace, tests: &[String]) -> Run {
    let call = workspace.cargo().args(["test", "--workspace"]);
    let call = tests.iter().fold(call, |call, name| call.args(["--test", name]));
    call.env("SYNX_BIN", workspace.binary("synx")).env("SYNXSPHERE_BIN", workspace.binary("synxsphere"))
}

fn whole_system(workspace: &Workspace) -> Result<Outcome, Failure> {
    let folder = workspace.root.join("tests/tests");
    let mut tests: Vec<String> = files(&folder, "rs")?.into_iter().map(|path| stem(&path)).collect();
    tests.retain(|name| name != WINDOW_TEST);
    done(with_binaries(workspace, &tests).check())
}

fn ui_end_to_end(workspace: &Workspace) -> Result<Outcome, Failure> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Partly("left out: only Linux's packages bring a Chromium for it".into()));
    }
    let script = ui::call(workspace, "e2e").env("SYNX_BIN", workspace.binary("synx"));
    done(script.check())
}

fn window(workspace: &Workspace) -> Result<Outcome, Failure> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Partly("left out: only WebKitGTK can be driven without a person".into()));
    }
    // A bus of its own, so that an app which runs already does not answer as the first instance.
    let tests = with_binaries(workspace, &[WINDOW_TEST.into()]).wrapped_in("dbus-run-session", &["--"]);
    done(tests.check())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_needs_stands_before_it() {
        for (index, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(
                    STEPS[..index].iter().any(|earlier| earlier.name == *need),
                    "{} needs {need}",
                    step.name
                );
            }
        }
    }
}
