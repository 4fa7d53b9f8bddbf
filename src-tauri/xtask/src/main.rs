//! `cargo xtask`: what one does with a checkout, each by one command that also does the set-up it needs.
//!
//! Uses nothing but the standard library, so that it runs seconds after a clone. Must never know how a part of the
//! program works: it installs, builds, starts and compares.

mod autobahn;
mod bench;
mod checks;
mod cluster;
mod command;
mod fuzz;
mod launch;
mod package;
mod setup;
mod simulate;
mod step;
mod ui;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use command::{Failure, Run};

const USAGE: &str = "\
Usage: cargo xtask <task>

  run [ARGS…]       Opens the desktop app; without a display it hosts a room in the terminal
  test [STEP…]      Runs every check, or only the named steps and what they need
  test --list       Names the steps
  demo [FILE] [ARGS…]
                    Hosts a room, lets two peers join, plays a track in sync and shows the error
  bench [NAME ARGS…]
                    Runs a benchmark, optimised; without a name, lists them
  autobahn          Runs Autobahn's WebSocket test suite against the server (needs Python 2.7)
  cluster           Kills nodes and NATS servers under three hundred peers, cuts a node off, and says how soon everything is there again
  fuzz [TARGET] [SECONDS]
                    Feeds what reads bytes from outside with what coverage suggests, a minute each
  package           Builds an installable package
  package test [FILE.deb]
                    Installs a package (without a file, one that is built unoptimised) in a layer over this system
                    that is thrown away, starts it, clicks a link, and removes it (Debian and its kin)
  simulate [SEEDS] [FIRST]
                    Lets everything go wrong that a network, a disk and a process can, seed after seed
  setup [build]     Installs what building and testing need (or only building), and builds nothing
  help              Shows this text
";

/// The checkout that is worked on.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout from where cargo says that this program's manifest is, and the target folder from where
    /// this program was built to.
    fn find() -> Result<Self, Failure> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.ancestors().nth(2).map(Path::to_path_buf);
        let target = env::current_exe().ok().and_then(|exe| exe.ancestors().nth(2).map(Path::to_path_buf));
        match (root, target) {
            (Some(root), Some(target)) => Ok(Self { root, target }),
            _ => Err(Failure::new("cannot tell where the checkout is: call `cargo xtask` from inside it")),
        }
    }

    /// A program of this workspace, as `cargo build` leaves it.
    fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// The cargo that runs this program, started in the checkout.
    fn cargo(&self) -> Run {
        Run::new(env::var("CARGO").unwrap_or_else(|_| "cargo".into())).shown_as("cargo").dir(&self.root)
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = Workspace::find().and_then(|workspace| match task {
        "run" => launch::run(&workspace, rest),
        "test" => checks::test(&workspace, rest),
        "demo" => launch::demo(&workspace, rest),
        "autobahn" => autobahn::autobahn(&workspace),
        "cluster" => cluster::cluster(&workspace),
        "bench" => bench::bench(&workspace, rest),
        "fuzz" => fuzz::fuzz(&workspace, rest),
        "package" => package::package(&workspace, rest),
        "simulate" => simulate::simulate(&workspace, rest),
        "setup" => setup::install(&workspace, rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        unknown => Err(Failure::new(format!("there is no task `{unknown}`\n\n{USAGE}"))),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}
