//! `cargo xtask bench`: every measurement that a claim in the documents stands on, by name.
//!
//! Must never assert: machines differ and are shared. What must hold is held by the tests; this prints figures.

use crate::command::{Failure, Run};
use crate::setup::{self, Purpose};
use crate::{Workspace, ui};
use std::fs;

/// A measurement: its name, what it says, and the program that makes it.
struct Bench {
    name: &'static str,
    about: &'static str,
    package: &'static str,
    example: &'static str,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "log-append",
        about: "[FOLDER] [SECONDS]: durable events a second, and how long each took",
        package: "synx-log",
        example: "bench_append",
    },
    Bench {
        name: "log-start",
        about: "[FOLDER] [EVENTS]: opening, folding, reading and verifying a long log",
        package: "synx-log",
        example: "bench_start",
    },
    Bench {
        name: "log-archive",
        about: "[FOLDER] [EVENTS]: what archiving saves, and what moving, reading and verifying an archive costs",
        package: "synx-log",
        example: "bench_archive",
    },
    Bench {
        name: "cluster",
        about: "[FOLDER] [SECONDS] [ROUNDS]: durable events a second on 1, 2 and 3 nodes, beside the embedded log; and then what they deliver",
        package: "synx-cluster",
        example: "bench_cluster",
    },
    Bench {
        name: "cluster-open",
        about: "[FOLDER] [EVENTS] [EVENTS IN A MESSAGE] [ROUNDS]: a long room on a node whose copy is new, with and without a snapshot",
        package: "synx-cluster",
        example: "bench_open",
    },
    Bench {
        name: "server",
        about: "[MEASURE…] [--folder F] [--seconds S] [--rounds N] [--plain]: rooms under load, with and without TLS",
        package: "synx-node",
        example: "bench_server",
    },
    Bench {
        name: "time-travel",
        about: "[EVENTS]: looking back at any moment of a long room, first and from then on",
        package: "synx-node",
        example: "time_travel",
    },
    Bench {
        name: "analysis",
        about: "--data DIR: the analysis on labelled files beside aubio and Essentia; writes docs/analysis.md",
        package: "synx-analysis",
        example: "bench_analysis",
    },
    Bench {
        name: "library",
        about: "[MEASURE…] [--tracks N] [--files N] [--folder F]: searching, scanning while music plays, the start of a track; and then `window`",
        package: "synx-node",
        example: "bench_library",
    },
    Bench {
        name: "window",
        about: "[MEASURE…]: the app's window over a library of 100,000 tracks: its start, scrolling, drawing, from a link to music, and what it takes idle",
        package: "synx-system-tests",
        example: "bench_window",
    },
    Bench {
        name: "sync",
        about: "--rig DIR [CASE…] [--seconds S] [--no-snapcast]: how far apart players are; writes docs/sync.md",
        package: "synx",
        example: "bench_sync",
    },
    Bench {
        name: "devices",
        about: "FILE DEVICE DEVICE SECONDS: one file on two devices of this machine, and the error of each",
        package: "synx-playback",
        example: "two_devices",
    },
];

/// What is measured in a browser.
const CHAT: &str = "chat";

/// Runs the named measurement with the rest of the arguments, optimised.
pub fn bench(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = args.split_first() else {
        BENCHES.iter().for_each(|bench| println!("{:<12} {}", bench.name, bench.about));
        println!(
            "{CHAT:<12} how long frames take while one scrolls through 50,000 messages and searches them"
        );
        return Ok(());
    };
    if name == CHAT {
        ui::packages(workspace)?;
        return ui::script(workspace, "bench");
    }
    let bench = BENCHES.iter().find(|bench| bench.name == name).ok_or_else(|| {
        let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).chain([CHAT]).collect();
        Failure::new(format!("there is no benchmark `{name}`: use one of {}", names.join(", ")))
    })?;
    if bench.name == "window" {
        return window(workspace, rest);
    }
    setup::system_packages(Purpose::Headless)?;
    if matches!(bench.name, "cluster" | "cluster-open" | "server") {
        setup::nats_server(workspace)?;
    }
    if bench.name == "sync" {
        // It starts the program itself.
        workspace.cargo().args(["build", "--release", "--package", "synx", "--bin", "synx"]).check()?;
    }
    example(workspace, bench.package, bench.example).args(rest).check()?;
    match bench.name {
        "library" if rest.is_empty() => window(workspace, rest),
        "cluster" => deliveries(workspace, rest),
        _ => Ok(()),
    }
}

/// What one room's nodes deliver, and what a delivery costs them: on the same folder, for as long.
fn deliveries(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let options = ["--folder", "--seconds"].into_iter().zip(args);
    let options = options.flat_map(|(option, value)| [option.to_owned(), value.clone()]);
    example(workspace, "synx-node", "bench_server").args(["cluster", "--plain"]).args(options).check()
}

/// A call of an optimised program, to which its arguments are to be added.
fn example(workspace: &Workspace, package: &str, name: &str) -> Run {
    workspace.cargo().args(["run", "--release", "--package", package, "--example", name, "--"])
}

/// Builds the app as it is packed, and measures it on a display and a bus of its own.
fn window(workspace: &Workspace, measures: &[String]) -> Result<(), Failure> {
    setup::system_packages(Purpose::Tests)?;
    setup::node()?;
    ui::packages(workspace)?;
    ui::script(workspace, "build")?;
    let app = ["build", "--release", "--package", "synxsphere", "--features", "tauri/custom-protocol"];
    workspace.cargo().args(app).check()?;
    // Who hosts the room that it joins.
    workspace.cargo().args(["build", "--release", "--package", "synx", "--bin", "synx"]).check()?;
    let data_dir = workspace.target.join("bench-window");
    if data_dir.exists() {
        fs::remove_dir_all(&data_dir).map_err(|error| Failure::io("remove", &data_dir, &error))?;
    }
    let data_dir = data_dir.to_string_lossy().into_owned();
    example(workspace, "synx-node", "bench_library").args(["shelf", "--folder", &data_dir]).check()?;
    let call = example(workspace, "synx-system-tests", "bench_window").args([data_dir]);
    let call = call.args(measures.iter().cloned()).wrapped_in("dbus-run-session", &["--"]);
    call.env("SYNXSPHERE_BIN", workspace.target.join("release/synxsphere")).check()
}
