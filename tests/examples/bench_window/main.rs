//! What the app's real window costs, on a virtual display with nothing but software to draw it: how soon it is there, how
//! its table scrolls, how often a waveform is drawn, how soon a link leads to music, and what it takes while nobody touches it.
//!
//! `cargo xtask bench window`, which makes the data folder with a large library that this is given. Prints one JSON object a
//! line.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(target_os = "linux")]
mod page;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod room;

#[cfg(target_os = "linux")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [data_dir, wanted @ ..] = &args[..] else { panic!("which data folder?") };
    let data_dir = std::path::Path::new(data_dir);
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let display = synx_system_tests::window::Display::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // First of all, as the person of this folder has a name from then on.
    runtime.block_on(page::pages(&display, data_dir, is_wanted("page")));
    if is_wanted("start") {
        process::start(&display, data_dir);
    }
    if is_wanted("idle") {
        process::idle(&display, data_dir);
    }
    if is_wanted("link") {
        runtime.block_on(room::link(&display, data_dir));
    }
    if is_wanted("paused") {
        runtime.block_on(room::paused(&display, data_dir));
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("only WebKitGTK can be driven without a person");
}
