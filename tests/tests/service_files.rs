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
    let mut check = Command::new(nats_server());
    check
        .args(["-t", "-c"])
        .arg(file("nats.conf"))
        .env("NATS_NAME", "nats1")
        .env("SYNX_PASSWORD", "let-me-in");
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
