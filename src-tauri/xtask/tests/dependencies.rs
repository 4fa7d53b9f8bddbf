//! Holds the direction of dependencies that ARCHITECTURE.md draws: a crate that reaches up, sideways or out of its
//! purity fails here, and the drawing is changed together with this table or not at all.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate with those of this workspace that it may use, from the foot upwards.
const MAY_USE: &[(&str, &[&str])] = &[
    ("synx-domain", &[]),
    ("synx-clock", &[]),
    ("synx-media", &[]),
    ("synx-log", &["synx-domain"]),
    ("synx-cluster", &["synx-domain", "synx-clock", "synx-log"]),
    ("synx-net", &["synx-domain"]),
    ("synx-playback", &["synx-clock", "synx-media"]),
    ("synx-analysis", &["synx-media"]),
    (
        "synx-node",
        &[
            "synx-domain",
            "synx-log",
            "synx-cluster",
            "synx-net",
            "synx-clock",
            "synx-playback",
            "synx-media",
            "synx-analysis",
        ],
    ),
    ("synx", &["synx-node"]),
    ("synxsphere", &["synx-node"]),
    // For tests alone.
    ("synx-testkit", &["synx-domain", "synx-clock"]),
    // Peers by the hundred in one process, and NATS servers.
    ("synx-system-tests", &["synx-testkit", "synx-domain", "synx-log", "synx-cluster", "synx-net"]),
    ("synx-fuzz", &["synx-domain", "synx-log", "synx-net", "synx-media", "synx-analysis"]),
    ("xtask", &[]),
];

/// What the pure crates may use from outside: nothing that reads a clock, draws a random number or does I/O.
const PURE: &[(&str, &[&str])] = &[
    // Of Unicode it uses tables: which letters look alike.
    (
        "synx-domain",
        &["serde", "serde_json", "thiserror", "unicode-normalization", "unicode-security", "uuid"],
    ),
    ("synx-clock", &["serde", "thiserror"]),
];

/// The normal dependencies of every package of the workspace, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let call = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    let output = Command::new(cargo).args(call).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let normal = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null()).map(name).collect()
    };
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), normal(package))).collect()
}

#[test]
fn dependencies_point_down_only() {
    let dependencies = dependencies();
    for (package, used) in &dependencies {
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| name == package)
            .unwrap_or_else(|| panic!("place {package} in MAY_USE"));
        for own in used.iter().filter(|name| dependencies.contains_key(*name)) {
            assert!(allowed.contains(&own.as_str()), "{package} must not depend on {own}");
        }
    }
}

#[test]
fn the_table_itself_points_down_only() {
    for (index, (name, allowed)) in MAY_USE.iter().enumerate() {
        for below in *allowed {
            assert!(
                MAY_USE[..index].iter().any(|(earlier, _)| earlier == below),
                "{name} stands above {below}"
            );
        }
    }
}

#[test]
fn pure_crates_stay_pure() {
    let dependencies = dependencies();
    for (package, allowed) in PURE {
        for used in &dependencies[*package] {
            assert!(allowed.contains(&used.as_str()), "{package} is pure and must not depend on {used}");
        }
    }
}

#[test]
fn only_the_desktop_shell_knows_tauri() {
    for (package, used) in dependencies() {
        let knows = used.iter().any(|name| name.starts_with("tauri"));
        assert_eq!(knows, package == "synxsphere", "{package}");
    }
}
