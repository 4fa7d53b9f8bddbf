//! Starts the desktop app.

// Without this, Windows opens a console beside the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use std::process::ExitCode;
use synx_node::DataPaths;
use synxsphere::Options;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Days of which the log is kept.
const LOG_DAYS: usize = 7;
/// What the log on disk says of other people's code is what went wrong; of our own, also what happened.
const LOGGED: &str = "warn,synx=info";

fn main() -> ExitCode {
    synxsphere::serve_if_asked();
    let options = Options::parse();
    write_log(&options);
    match synxsphere::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the app ended");
            eprintln!("synxsphere: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Errors to the terminal, more to a file of the day; `SYNX_LOG` says what, for both.
fn write_log(options: &Options) {
    let filter =
        |default: &str| EnvFilter::try_from_env("SYNX_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let terminal = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter("error"));
    let file = log_file(options).map(|file| {
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(file).with_filter(filter(LOGGED))
    });
    tracing_subscriber::registry().with(terminal).with(file).init();
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "the app has a bug")));
}

/// None where it cannot be written: the app starts all the same, and says itself what is wrong with the folder.
fn log_file(options: &Options) -> Option<RollingFileAppender> {
    let folder = DataPaths::of(&options.data_dir().ok()?).logs();
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .max_log_files(LOG_DAYS)
        .filename_prefix("synxsphere")
        .filename_suffix("log");
    file.build(folder).ok()
}
