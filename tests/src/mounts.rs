//! Folders that cannot be written, for a program that is started in a mount namespace of its own: there even the system's
//! administrator is held to it, whom permissions do not bind.

use std::path::Path;
use std::process::Command;

/// Mounts the path that it is given over itself, and calls the rest.
const READ_ONLY: &str = r#"set -e; at=$1; shift
mount --bind "$at" "$at"
mount -o remount,bind,ro "$at"
exec "$@""#;

/// Puts a disk with the content of the folder over it and fills it, calls the rest, and keeps in a folder beside it what is on
/// that disk then, without what filled it.
const FULL: &str = r#"set -e; at=$1; shift
before="$at.before" after="$at.after"
mkdir -p "$at" "$before"
mount --bind "$at" "$before"
mount -t tmpfs -o size=4m,mode=700 disk "$at"
cp -a "$before/." "$at"
cat /dev/zero > "$at/filling" 2> "$before.said" || true
set +e; "$@"; code=$?; set -e
rm "$at/filling"
mkdir "$after"
cp -a "$at/." "$after"
exit $code"#;

/// What to put before a program's name so that it cannot write this file or folder.
pub fn read_only(path: &Path) -> Vec<String> {
    wrapper(READ_ONLY, path)
}

/// What to put before a program's name so that there is no space left on the disk of this folder, which may be missing. What it
/// has left there is in [`after`] when it has ended.
pub fn full(folder: &Path) -> Vec<String> {
    wrapper(FULL, folder)
}

/// What a program has left in a folder whose disk was [`full`].
pub fn after(folder: &Path) -> std::path::PathBuf {
    folder.with_extension("after")
}

fn wrapper(script: &str, path: &Path) -> Vec<String> {
    let path = path.to_str().expect("the test's folder has a name in Unicode");
    ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", path].map(str::to_owned).to_vec()
}

/// Why there are no such folders here: this user, or this system, allows no namespaces.
pub fn unavailable() -> Option<String> {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    for wrapper in [read_only(folder.path()), full(folder.path())] {
        let (program, args) = wrapper.split_first()?;
        let tried = match Command::new(program).args(args).arg("true").output() {
            Ok(tried) => tried,
            Err(error) => return Some(format!("{program}: {error}")),
        };
        if !tried.status.success() {
            return Some(String::from_utf8_lossy(&tried.stderr).trim().to_owned());
        }
    }
    None
}
