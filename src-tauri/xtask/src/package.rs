//! `cargo xtask package`: what people install, and a trial of it on this very machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::command::{Failure, Run, is_installed};
use crate::setup::{self, Purpose};
use crate::{Workspace, ui};

/// The same release as in `.github/workflows/release.yml`; its later ones lack packages for some systems.
const CLI: &str = "@tauri-apps/cli@2.12.3";
const NPX: &str = if cfg!(windows) { "npx.cmd" } else { "npx" };

/// Debian's name of the package.
const PACKAGE: &str = "synx-sphere";
/// What the trial needs besides the packages of the tests.
const TOOLS: [&str; 4] = ["xvfb-run", "xauth", "gio", "dbus-run-session"];
/// What the package must leave where desktops look for it.
const INSTALLED: [&str; 4] = [
    "/usr/bin/synxsphere",
    "/usr/share/applications/SynxSphere.desktop",
    "/usr/share/icons/hicolor/128x128/apps/synxsphere.png",
    "/usr/share/metainfo/org.synxsphere.desktop.metainfo.xml",
];
/// How the installed app is tried: it starts with a link, and a click on another one reaches the app that runs.
const TRIAL: &str = r#"
set -e
fail() { echo "$1"; cat "$DIR/log"; exit 1; }
opened() { grep -c 'a link was opened' "$DIR/log" || true; }
await() { for _ in $(seq 300); do [ "$(opened)" -ge "$1" ] && return 0; sleep 0.1; done; fail "$2"; }
gio mime x-scheme-handler/synxsphere | grep -q SynxSphere.desktop || fail 'links do not lead to the app'
SYNX_LOG=info synxsphere --data-dir "$DIR/data" --device null 'synxsphere://join?v=1&room=none' 2> "$DIR/log" &
APP=$!
trap 'kill $APP 2>/dev/null || true' EXIT
await 1 'the app did not start with a link'
gio open 'synxsphere://join?v=1&room=other' || fail 'a link cannot be opened'
await 2 'a click on a link did not reach the app that runs'
kill -0 $APP || fail 'the app has ended'
"#;

/// Builds the package of this system, or tries one.
pub fn package(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    setup::system_packages(Purpose::Desktop)?;
    setup::node()?;
    ui::packages(workspace)?;
    match args.first().map(String::as_str) {
        None => build(workspace, false).map(|folder| println!("\nThe packages are in {}.", folder.display())),
        Some("test") => trial(workspace),
        Some(other) => Err(Failure::new(format!("`package` knows `test` and nothing else, not `{other}`"))),
    }
}

/// Builds the packages that this system knows; the folder they are in.
fn build(workspace: &Workspace, unoptimised: bool) -> Result<PathBuf, Failure> {
    let bundles = if cfg!(target_os = "linux") { "deb" } else { "all" };
    let build = Run::new(NPX).shown_as("npx").dir(&workspace.root).args(["--yes", CLI, "build", "--ci"]);
    let build = if unoptimised { build.args(["--debug"]) } else { build };
    let build = if bundles == "all" { build } else { build.args(["--bundles", bundles]) };
    build.args(["--", "--package", "synxsphere"]).check()?;
    Ok(workspace.target.join(if unoptimised { "debug" } else { "release" }).join("bundle"))
}

fn trial(workspace: &Workspace) -> Result<(), Failure> {
    if !is_installed("dpkg", "--version") {
        return Err(Failure::new("only Debian's packages can be tried: there is no dpkg here"));
    }
    if Run::new("dpkg-query").args(["-W", "-f=${db:Status-Abbrev}", PACKAGE]).output().is_some() {
        let message = format!(
            "{PACKAGE} is installed on this machine, and would be replaced and removed: remove it first"
        );
        return Err(Failure::new(message));
    }
    setup::system_packages(Purpose::Tests)?;
    if let Some(tool) = TOOLS.iter().find(|tool| !is_installed("which", tool)) {
        return Err(Failure::new(format!(
            "{tool} is missing: install the packages xauth, libglib2.0-bin and dbus"
        )));
    }
    let folder = build(workspace, true)?.join("deb");
    let deb = newest(&folder)?;
    root("dpkg", &["--install", &deb.to_string_lossy()]).check()?;
    let tried = try_installed(workspace);
    // Whatever was found: it goes again.
    root("dpkg", &["--purge", PACKAGE]).check()?;
    tried?;
    match INSTALLED.iter().find(|path| Path::new(path).exists()) {
        Some(left) => Err(Failure::new(format!("{left} is still there after the package was removed"))),
        None => {
            println!("\nInstalled, started, opened by a link, and removed.");
            Ok(())
        }
    }
}

fn try_installed(workspace: &Workspace) -> Result<(), Failure> {
    if let Some(missing) = INSTALLED.iter().find(|path| !Path::new(path).exists()) {
        return Err(Failure::new(format!("the package did not bring {missing}")));
    }
    let folder = workspace.target.join("package-trial");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| Failure::io("remove", &folder, &error))?;
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    let session = ["--auto-servernum", "dbus-run-session", "--"];
    Run::new("sh").args(["-c", TRIAL]).env("DIR", &folder).wrapped_in("xvfb-run", &session).check()
}

fn root(program: &str, args: &[&str]) -> Run {
    let is_root = Run::new("id").args(["-u"]).output().is_some_and(|id| id.trim() == "0");
    let call = Run::new(program).args(args.iter().copied());
    if is_root { call } else { call.wrapped_in("sudo", &[]).interactive() }
}

/// The package that was built last.
fn newest(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::io("read", folder, &error))?;
    let debs = entries.flatten().map(|entry| entry.path());
    let built =
        |path: &PathBuf| path.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    debs.filter(|path| path.extension().is_some_and(|ending| ending == "deb"))
        .max_by_key(built)
        .ok_or_else(|| Failure::new(format!("no package was built in {}", folder.display())))
}
