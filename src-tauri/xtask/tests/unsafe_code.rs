//! Holds the list of unsafe code that docs/threat-model.md justifies: another place fails here until it is argued for there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

/// Each file that is excused from the lint.
const EXCUSED: &[&str] = &["crates/synx-playback/src/kernel.rs"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn unsafe_code_stands_where_it_is_justified() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    sources(top, &mut found);
    let excuse = concat!("allow(", "unsafe_code)");
    let excused: Vec<_> = found
        .iter()
        .filter(|path| std::fs::read_to_string(path).unwrap().contains(excuse))
        .map(|path| path.strip_prefix(top).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    assert_eq!(excused, EXCUSED);
    let lints = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert!(lints(&top.parent().unwrap().join("Cargo.toml")).contains("unsafe_code = \"forbid\""));
    // Every crate takes the workspace's lints, but the one that states its own.
    for manifest in found.iter().filter(|path| path.ends_with("Cargo.toml")) {
        let text = lints(manifest);
        let own =
            manifest.parent().unwrap().ends_with("synx-playback") && text.contains("unsafe_code = \"deny\"");
        // What libFuzzer's macro writes is in no program that people run.
        let fuzzing = manifest.parent().unwrap().ends_with("synx-fuzz/fuzz");
        assert!(own || fuzzing || text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
    }
}
