//! `cargo xtask fuzz`: the fuzz targets for as long as one likes, guided by coverage.
//!
//! Needs no other compiler than the one that builds the program: coverage is asked for by flags that it has anyway, and
//! libFuzzer comes as a crate. What is found stays in the target folder; what breaks a target is written beside it. With
//! cargo-fuzz and a nightly compiler the same targets run under the address sanitizer as well.

use crate::Workspace;
use crate::checks::{files, stem};
use crate::command::{Failure, Run, is_installed};
use std::fs;
use std::path::Path;

/// What libFuzzer wants to know of each run: the flags that cargo-fuzz gives.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                        -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg=fuzzing";

/// How long each target runs where nothing is said, in seconds.
const SECONDS: &str = "60";

/// Runs the named target for so many seconds, or all, one after another.
pub fn fuzz(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let home = workspace.root.join("src-tauri/crates/synx-fuzz");
    let all: Vec<String> =
        files(&home.join("fuzz/fuzz_targets"), "rs")?.iter().map(|path| stem(path)).collect();
    let (chosen, seconds) = chosen(&all, args)?;
    if !is_installed("c++", "--version") {
        return Err(Failure::new("libFuzzer is C++: install a compiler for it (g++ or clang), named c++"));
    }
    let version = Run::new("rustc").args(["-vV"]).output().unwrap_or_default();
    let Some(host) = version.lines().find_map(|line| line.strip_prefix("host: ")) else {
        return Err(Failure::new("`rustc -vV` does not say which machine this is"));
    };
    let built = workspace.target.join("fuzz");
    build(workspace, &home.join("fuzz"), host, &built)?;
    for target in chosen {
        let found = built.join("corpus").join(target);
        fs::create_dir_all(&found).map_err(|error| Failure::io("make", &found, &error))?;
        Run::new(built.join(host).join("release").join(target).to_string_lossy())
            .args([
                format!("-max_total_time={seconds}"),
                format!("-artifact_prefix={}/broken-", built.display()),
            ])
            // Of what is found the bounded part is wanted: more memory than this is a finding.
            .args(["-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1"])
            .args([found.to_string_lossy(), home.join("corpus").join(target).to_string_lossy()])
            .check()?;
    }
    Ok(())
}

/// The targets to run, and for how many seconds each.
fn chosen<'a>(all: &'a [String], args: &'a [String]) -> Result<(Vec<&'a String>, &'a str), Failure> {
    let (name, rest) = match args.split_first() {
        Some((name, rest)) if all.contains(name) => (Some(name), rest),
        _ => (None, args),
    };
    let seconds = match rest {
        [] => SECONDS,
        [seconds] if seconds.parse::<u32>().is_ok() => seconds,
        _ => {
            let usage = "cargo xtask fuzz [TARGET] [SECONDS], where TARGET is one of";
            return Err(Failure::new(format!("{usage} {}", all.join(", "))));
        }
    };
    Ok((all.iter().filter(|target| name.is_none_or(|name| name == *target)).collect(), seconds))
}

/// Builds all targets. They are a workspace of their own, because coverage is for them alone; what they use is what the
/// program uses, by its own list.
fn build(workspace: &Workspace, targets: &Path, host: &str, built: &Path) -> Result<(), Failure> {
    let (list, copy) = (workspace.root.join("Cargo.lock"), targets.join("Cargo.lock"));
    fs::copy(&list, &copy).map_err(|error| Failure::io("copy", &list, &error))?;
    // Only with a machine named do the flags stay out of build scripts, which have no counters to give.
    workspace
        .cargo()
        .args(["build", "--release", "--target", host])
        .args(["--manifest-path".into(), targets.join("Cargo.toml").to_string_lossy()])
        .args(["--target-dir".into(), built.to_string_lossy()])
        .env("RUSTFLAGS", COVERAGE)
        .check()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_seconds_are_taken_in_words() {
        let all = ["fold".to_owned(), "token".to_owned()];
        let read = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            chosen(&all, &words).map(|(chosen, seconds)| (chosen.len(), seconds.to_owned())).ok()
        };
        assert_eq!(read(&[]), Some((2, "60".to_owned())));
        assert_eq!(read(&["token"]), Some((1, "60".to_owned())));
        assert_eq!(read(&["600"]), Some((2, "600".to_owned())));
        assert_eq!(read(&["fold", "5"]), Some((1, "5".to_owned())));
        assert_eq!(read(&["flod"]), None);
        assert_eq!(read(&["fold", "long"]), None);
    }
}
