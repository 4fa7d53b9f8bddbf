//! The headless program `synx`: rooms, playback and analysis without a window, for people, scripts and tests.
//!
//! Must hold no logic that the desktop app would need too: that is `synx-node`'s.

mod analyze;
mod args;
mod calibrate;
mod config;
mod demo;
mod doctor;
mod exit;
mod feed;
mod history;
mod invite;
mod migrate;
mod node;
mod ops;
mod play;
mod room;
mod rooms;
mod telemetry;

use args::{Cli, Command};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use config::ConfigError;
use exit::Exit;
use std::process::ExitCode;
use synx_node::{NodeConfig, NodeError};

/// As `clap` ends where the command line is wrong.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    synx_node::worker::serve_if_asked();
    let cli = match command_line() {
        Ok(cli) => cli,
        Err(error) => {
            complain(&error);
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the system has no threads to give: {error}"));
            return Exit::Failed.into();
        }
    };
    let telemetry = match telemetry::start(&cli.global.telemetry, runtime.handle()) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            complain(&error);
            return Exit::Failed.into();
        }
    };
    let outcome = runtime.block_on(run(cli));
    telemetry.end();
    // What still runs (a decoder, a discovery) must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(&error);
            Exit::from(&error).into()
        }
    }
}

/// Says on standard error what is wrong.
fn complain(problem: &dyn std::fmt::Display) {
    eprintln!("synx: {}", synx_node::for_people(&problem.to_string()));
}

/// What is asked for, by flags, variables and a file of settings.
fn command_line() -> Result<Cli, ConfigError> {
    let file = config::named(Cli::command());
    let matches = config::applied(Cli::command(), file.as_deref())?.get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Command::Node(args) = &cli.command
        && let Some(problem) = matches.subcommand_matches("node").and_then(|given| args.misplaced(given))
    {
        Cli::command().error(ErrorKind::ArgumentConflict, problem).exit();
    }
    Ok(cli)
}

async fn run(cli: Cli) -> Result<Exit, NodeError> {
    let data_dir = match &cli.global.data_dir {
        Some(path) => path.clone(),
        None => synx_node::default_data_dir()?,
    };
    let config = NodeConfig { data_dir: data_dir.clone(), device: cli.global.device, keyring: false };
    match cli.command {
        Command::Analyze(args) => analyze::run(args, &data_dir).await,
        Command::Play(args) => play::run(args, config).await,
        Command::Host(args) => room::host(args, config).await,
        Command::Join(args) => room::join(args, config).await,
        Command::Log(args) => history::run(args, &data_dir).await,
        Command::Invite(args) => invite::run(args, &data_dir).await,
        Command::Migrate(args) => migrate::run(args, &data_dir).await,
        Command::Rooms(args) => rooms::run(args).await,
        Command::Node(args) => node::run(args, config).await,
        Command::Doctor { json } => doctor::run(config, json).await,
        Command::Calibrate(args) => calibrate::run(args, config).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "synx", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    }
}

/// Who ends the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A person, by Ctrl-C: what is open is closed.
    Person,
    /// The system, by SIGTERM: it may be started again.
    System,
}

/// Completes when the program is to end.
pub async fn interrupted() -> Stop {
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = terminate.recv() => return Stop::System,
                _ = tokio::signal::ctrl_c() => return Stop::Person,
            }
        }
    }
    // No signal handler can be had: the program ends the hard way, which loses nothing that was confirmed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    Stop::Person
}
