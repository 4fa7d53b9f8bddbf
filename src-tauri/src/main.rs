//! Starts the desktop app.

// Without this, Windows opens a console beside the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    synxsphere::serve_if_asked();
    let options = synxsphere::Options::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("SYNX_LOG").unwrap_or_else(|_| EnvFilter::new("error")))
        .with_writer(std::io::stderr)
        .init();
    match synxsphere::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("synxsphere: {error}");
            ExitCode::FAILURE
        }
    }
}
