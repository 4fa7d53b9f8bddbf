//! `cargo xtask bench`: every measurement that a claim in the documents stands on, by name.
//!
//! Must never assert: machines differ and are shared. What must hold is held by the tests; this prints figures.

use crate::Workspace;
use crate::command::Failure;
use crate::setup::{self, Purpose};
use crate::ui;

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
        about: "[FOLDER] [SECONDS] [ROUNDS]: durable events a second on 1, 2 and 3 nodes, beside the embedded log",
        package: "synx-cluster",
        example: "bench_cluster",
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
        about: "[TRACKS]: each keystroke of a search, sorting, and rows from anywhere in a large library",
        package: "synx-node",
        example: "bench_library",
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
const WINDOW: &str = "chat";

/// Runs the named measurement with the rest of the arguments, optimised.
pub fn bench(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = args.split_first() else {
        BENCHES.iter().for_each(|bench| println!("{:<12} {}", bench.name, bench.about));
        println!(
            "{WINDOW:<12} how long frames take while one scrolls through 50,000 messages and searches them"
        );
        return Ok(());
    };
    if name == WINDOW {
        ui::packages(workspace)?;
        return ui::script(workspace, "bench");
    }
    let bench = BENCHES.iter().find(|bench| bench.name == name).ok_or_else(|| {
        let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).chain([WINDOW]).collect();
        Failure::new(format!("there is no benchmark `{name}`: use one of {}", names.join(", ")))
    })?;
    setup::system_packages(Purpose::Headless)?;
    if matches!(bench.name, "cluster" | "server") {
        setup::nats_server(workspace)?;
    }
    if bench.name == "sync" {
        // It starts the program itself.
        workspace.cargo().args(["build", "--release", "--package", "synx", "--bin", "synx"]).check()?;
    }
    let run = ["run", "--release", "--package", bench.package, "--example", bench.example, "--"];
    workspace.cargo().args(run).args(rest).check()
}
