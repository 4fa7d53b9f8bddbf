//! The tray of macOS and Windows.

use super::Choice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tauri::AppHandle;
use tauri::menu::{MenuBuilder, MenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tokio::sync::watch;

/// Shows the icon until the app ends.
pub async fn run(app: AppHandle, mut status: watch::Receiver<String>, shown: Arc<AtomicBool>) {
    let now = status.borrow_and_update().clone();
    let (tray, line) = match build(&app, &now) {
        Ok(built) => built,
        Err(error) => return tracing::info!(%error, "this desktop has no tray"),
    };
    shown.store(true, Ordering::Relaxed);
    while status.changed().await.is_ok() {
        let now = status.borrow_and_update().clone();
        if let Err(error) = line.set_text(&now).and_then(|()| tray.set_tooltip(Some(&now))) {
            tracing::warn!(%error, "the tray shows something old");
        }
    }
}

fn build(app: &AppHandle, status: &str) -> tauri::Result<(TrayIcon, MenuItem<tauri::Wry>)> {
    const CHOICES: [(&str, Choice); 2] = [("show", Choice::Show), ("quit", Choice::Quit)];
    let line = MenuItem::with_id(app, "status", status, false, None::<&str>)?;
    let mut menu = MenuBuilder::new(app).item(&line).separator();
    for (id, choice) in CHOICES {
        menu = menu.text(id, choice.label());
    }
    let mut tray = TrayIconBuilder::new().tooltip(status).menu(&menu.build()?).on_menu_event(|app, event| {
        if let Some((_, choice)) = CHOICES.iter().find(|(id, _)| event.id() == id) {
            choice.carry_out(app);
        }
    });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    Ok((tray.build(app)?, line))
}
