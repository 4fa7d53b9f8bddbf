//! Compiles the window's permissions in, and makes sure that there is a page to show.

use std::{fs, io, path::Path};

use tauri_build::Attributes;

/// Stands in for the user interface where it was not built, so that the crate compiles without npm.
const NO_UI: &str = "<!doctype html><meta charset=utf-8><title>SynxSphere</title>\
    <p>The user interface is not built: start the app with <code>cargo xtask run</code>.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=ui/dist");
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    ensure_page(Path::new("ui/dist"))?;
    tauri_build::try_build(Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*"))?;
    Ok(())
}

fn ensure_page(dist: &Path) -> io::Result<()> {
    let page = dist.join("index.html");
    if page.exists() {
        return Ok(());
    }
    fs::create_dir_all(dist)?;
    fs::write(page, NO_UI)
}
