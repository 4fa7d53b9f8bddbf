//! The files with which hosts and nodes are run as services: each is taken by the program that it is for.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use synx_cluster::testing::binary as nats_server;
use synx_system_tests::{binary, synx};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/service").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

#[test]
fn settings_are_those_of_the_program() {
    for command in ["node", "host"] {
        let settings = file(&format!("{command}.toml"));
        let output = synx(&[command, "--config", settings.to_str().unwrap(), "--help"]);
        assert!(output.status.success(), "{}", said(&output));
    }
}

#[test]
fn nats_servers_take_their_configuration() {
    // As the compose file passes it on: of what is a number without quotes as well.
    let passed = text("compose.yaml").split_once("\n  SYNX_PASSWORD: '").map(own).unwrap().1;
    let passed = passed.split_once('\'').unwrap().0.replace("${SYNX_PASSWORD:?choose one}", "20261129");
    let mut check = Command::new(nats_server());
    check.args(["-t", "-c"]).arg(file("nats.conf")).env("NATS_NAME", "nats1").env("SYNX_PASSWORD", passed);
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let conf = text("nats.conf");
    for server in ["nats1", "nats2", "nats3"] {
        assert!(conf.contains(&format!("nats://{server}:6222")), "{server}");
    }
    // As the check of servers wants them.
    assert!(conf.contains("sync_interval: always") && conf.contains("$SYS.REQ.SERVER.PING.JSZ"));
}

#[test]
fn the_compose_file_starts_what_there_is() {
    let (compose, container) = (text("compose.yaml"), text("Containerfile"));
    let help = said(&synx(&["node", "--help"]));
    for variable in
        compose.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|word| word.starts_with("SYNX_"))
    {
        // The password is the compose file's own: it goes into the address.
        assert!(variable == "SYNX_PASSWORD" || help.contains(variable), "{variable}");
    }
    for server in ["nats1", "nats2", "nats3"] {
        assert!(
            compose.contains(&format!("\n  {server}:\n")) && compose.contains(&format!("{server}:4222")),
            "{server}"
        );
    }
    for (node, port) in [("node1", 47901), ("node2", 47902), ("node3", 47903)] {
        assert!(compose.contains(&format!("\n  {node}:\n")), "{node}");
        // What peers are told is what is open.
        assert!(
            compose.contains(&format!("reach it}}:{port}\"")) && compose.contains(&format!("[\"{port}:")),
            "{port}"
        );
    }
    for mounted in ["nats.conf", "node.toml"] {
        assert!(compose.contains(&format!("./{mounted}:")) && file(mounted).is_file(), "{mounted}");
    }
    assert!(compose.contains("dockerfile: assets/service/Containerfile"));
    let port = container.lines().find_map(|line| line.strip_prefix("EXPOSE ")).unwrap();
    assert!(text("node.toml").contains(&format!("listen = \"0.0.0.0:{port}\"")));
    assert_eq!(compose.matches(&format!(":{port}\"]")).count(), 3);
    assert!(seconds(&compose, "stop_grace_period: ") > seconds(&text("node.toml"), "drain_timeout = \""));
}

/// The lines of the container file that begin so, without that.
fn instructions<'a>(container: &'a str, name: &str) -> Vec<&'a str> {
    container.lines().filter_map(|line| line.strip_prefix(name)).collect()
}

#[test]
fn an_image_has_the_toolchain_and_the_packages_that_the_program_needs() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(top.join(name)).unwrap();
    let container = text("Containerfile").replace("\\\n", "");
    let (_, rest) = read("Cargo.toml").split_once("\nrust-version = \"").map(own).unwrap();
    let version = rest.split('"').next().unwrap();
    let stages = instructions(&container, "FROM ");
    assert_eq!(stages[0], format!("docker.io/library/rust:{version}-slim-bookworm AS build"));
    assert_eq!(stages[1], "docker.io/library/debian:bookworm-slim", "what was linked there is run here");
    let runs = instructions(&container, "RUN ");
    // As `cargo xtask setup` installs them.
    let (_, rest) =
        read("src-tauri/xtask/src/setup.rs").split_once("(Purpose::Headless, &[").map(own).unwrap();
    let needed: Vec<_> =
        rest.split(']').next().unwrap().split(", ").map(|name| name.trim_matches('"')).collect();
    assert!(runs[0].ends_with(&needed.join(" ")), "{needed:?}");
    assert_eq!(runs[1], "cargo build --release --locked --package synx");
    let copied = instructions(&container, "COPY --from=build /src/target/release/synx ");
    assert_eq!(instructions(&container, "ENTRYPOINT "), [format!("[\"{}\"]", copied[0])]);
    assert_eq!(instructions(&container, "CMD "), ["[\"node\"]"]);
    let (data_dir, user) = ("/var/lib/synx", "synx");
    assert!(runs[2].contains(&format!("--home-dir {data_dir} --create-home {user}")), "{}", runs[2]);
    assert_eq!(instructions(&container, "VOLUME "), [data_dir]);
    assert_eq!(instructions(&container, "USER "), [user]);
    assert!(text("node.toml").contains(&format!("data_dir = \"{data_dir}\"")));
    // Nothing goes into it that was built or fetched here.
    let left_out = read(".dockerignore");
    for folder in read(".gitignore").lines().filter_map(|line| line.strip_prefix('/')?.strip_suffix('/')) {
        assert!(left_out.lines().any(|line| line == folder), "{folder}");
    }
}

fn own((before, rest): (&str, &str)) -> (String, String) {
    (before.to_owned(), rest.to_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn an_image_has_every_library_that_the_program_is_linked_to() {
    let linked = Command::new("ldd").arg(binary("synx")).output().unwrap();
    // The system's own, and by the name of its package what is not.
    let own = ["linux-vdso.so", "libc.so", "libm.so", "libgcc_s.so", "ld-linux"];
    let packages = [("libasound.so.2", "libasound2")];
    let container = text("Containerfile");
    for line in said(&linked).lines() {
        let library = line.split_whitespace().next().unwrap().rsplit('/').next().unwrap();
        let package = packages.iter().find(|(name, _)| *name == library);
        let is_there = package.is_some_and(|(_, package)| container.contains(&format!(" {package} ")));
        assert!(is_there || own.iter().any(|name| library.starts_with(name)), "{library}");
    }
}

/// A time in seconds behind its name.
fn seconds(text: &str, name: &str) -> u32 {
    let (_, rest) = text.split_once(name).unwrap();
    rest.split('s').next().unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_takes_the_units_and_finds_them_hardened() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return eprintln!("left out: no systemd here");
    }
    let folder = tempfile::tempdir().unwrap();
    for service in ["node", "host"] {
        let unit = text(&format!("synx-{service}.service"));
        assert!(
            seconds(&unit, "TimeoutStopSec=")
                > seconds(&text(&format!("{service}.toml")), "drain_timeout = \"")
        );
        // Its program lies elsewhere here.
        let unit = unit.replace("/usr/bin/synx", binary("synx").to_str().unwrap());
        let path = folder.path().join(format!("synx-{service}.service"));
        std::fs::write(&path, unit).unwrap();
        let verify = Command::new("systemd-analyze").arg("verify").arg(&path).output().unwrap();
        assert!(verify.status.success() && said(&verify).is_empty(), "{}", said(&verify));
        // Of 100: 96 is a service with no hardening at all.
        let strict = ["security", "--offline=true", "--threshold=20"];
        let security = Command::new("systemd-analyze").args(strict).arg(&path).output().unwrap();
        assert!(security.status.success(), "{}", said(&security));
    }
}
