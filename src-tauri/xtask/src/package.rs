//! `cargo xtask package`: what people install, and a trial of it that leaves nothing behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::command::{Failure, Run, is_installed};
use crate::setup::{self, Purpose};
use crate::{Workspace, checks, ui};

/// The same release as in `.github/workflows/release.yml`; its later ones lack packages for some systems.
const CLI: &str = "@tauri-apps/cli@2.12.3";
/// What people install is linked as a whole: it is smaller, also in memory. It takes three times as long, so that other
/// optimised builds are not.
const LINKED: (&str, &str) = ("CARGO_PROFILE_RELEASE_LTO", "fat");
const NPX: &str = if cfg!(windows) { "npx.cmd" } else { "npx" };

/// Debian's name of the package: the product's in small letters, as the bundler has it.
const PACKAGE: &str = "synx-sphere";
/// How a package is tried, in a shell.
const TRIAL: &str = include_str!("package_trial.sh");
/// Mounts and processes of the trial are seen by nobody else, and end with it.
const APART: [&str; 5] = ["--mount", "--pid", "--fork", "--mount-proc", "--"];

/// Builds the package of this system, or tries one.
pub fn package(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    match args {
        [] => build(workspace, false).map(|folder| println!("\nThe packages are in {}.", folder.display())),
        [test] if test == "test" => {
            let folder = build(workspace, true)?;
            trial(workspace, &newest(&folder.join("deb"))?)
        }
        [test, package] if test == "test" => trial(workspace, Path::new(package)),
        _ => Err(Failure::new(
            "`package` builds; `package test` tries a new build, `package test FILE.deb` that file",
        )),
    }
}

/// Builds the packages that this system knows; the folder they are in.
fn build(workspace: &Workspace, unoptimised: bool) -> Result<PathBuf, Failure> {
    setup::system_packages(Purpose::Desktop)?;
    setup::node()?;
    ui::packages(workspace)?;
    let bundles = if cfg!(target_os = "linux") { "deb" } else { "all" };
    let build = Run::new(NPX).shown_as("npx").dir(&workspace.root).args(["--yes", CLI, "build", "--ci"]);
    let build = if unoptimised { build.args(["--debug"]) } else { build.env(LINKED.0, LINKED.1) };
    let build = if bundles == "all" { build } else { build.args(["--bundles", bundles]) };
    build.args(["--", "--package", "synxsphere"]).check()?;
    Ok(workspace.target.join(if unoptimised { "debug" } else { "release" }).join("bundle"))
}

/// Installs a package over this system in a layer that is thrown away, starts it, clicks a link, has two people spend an
/// evening with it, and removes it.
fn trial(workspace: &Workspace, deb: &Path) -> Result<(), Failure> {
    if !is_installed("dpkg", "--version") {
        return Err(Failure::new("only Debian's packages can be tried: there is no dpkg here"));
    }
    if Run::new("dpkg-query").args(["-W", PACKAGE]).output().is_some() {
        let message = format!(
            "{PACKAGE} is installed on this machine, which would hide what is missing: remove it first"
        );
        return Err(Failure::new(message));
    }
    setup::system_packages(Purpose::Packages)?;
    let evening = window_test(workspace)?;
    let deb = deb.canonicalize().map_err(|error| Failure::io("find", deb, &error))?;
    let folder = workspace.target.join("package-trial");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| Failure::io("remove", &folder, &error))?;
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    let script = folder.join("trial.sh");
    fs::write(&script, TRIAL).map_err(|error| Failure::io("write", &script, &error))?;
    let given = [
        format!("DEB={}", deb.display()),
        format!("NAME={PACKAGE}"),
        format!("DIR={}", folder.display()),
        format!("EVENING={evening}"),
    ];
    let shell =
        Run::new("env").args(given).args(["sh", &script.to_string_lossy()]).wrapped_in("unshare", &APART);
    let is_root = Run::new("id").args(["-u"]).output().is_some_and(|id| id.trim() == "0");
    let shell = if is_root { shell } else { shell.wrapped_in("sudo", &[]).interactive() };
    shell.check()?;
    println!("\nInstalled, started, opened by a link, used by two for an evening, and removed.");
    Ok(())
}

/// The program that tests the app in its window.
fn window_test(workspace: &Workspace) -> Result<String, Failure> {
    let build = || {
        let test = ["test", "--workspace", "--test", checks::WINDOW_TEST, "--no-run"];
        workspace.cargo().args(test)
    };
    build().check()?;
    let told = build().args(["--message-format", "json"]).output().unwrap_or_default();
    let program = told.split_once(r#""executable":""#).and_then(|(_, rest)| rest.split_once('"'));
    let (program, _) = program.ok_or_else(|| Failure::new("cargo does not say where it built the test"))?;
    Ok(program.to_owned())
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
