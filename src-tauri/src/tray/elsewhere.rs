//! The tray of macOS and Windows.

use super::{Choice, Status};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tauri::AppHandle;
use tauri::menu::{MenuBuilder, MenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tokio::sync::watch;

/// Shows the icon until the app ends.
pub async fn run(app: AppHandle, mut status: watch::Receiver<Status>, shown: Arc<AtomicBool>) {
    let now = status.borrow_and_update().clone();
    let shown_in = match build(&app, &now) {
        Ok(built) => built,
        Err(error) => return tracing::info!(%error, "this desktop has no tray"),
    };
    shown.store(true, Ordering::Relaxed);
    while status.changed().await.is_ok() {
        let now = status.borrow_and_update().clone();
        if let Err(error) = shown_in.show(&now) {
            tracing::warn!(%error, "the tray shows something old");
        }
    }
}

const CHOICES: [(&str, Choice); 2] = [("show", Choice::Show), ("quit", Choice::Quit)];

struct Icon {
    tray: TrayIcon,
    line: MenuItem<tauri::Wry>,
    choices: Vec<(Choice, MenuItem<tauri::Wry>)>,
}

impl Icon {
    fn show(&self, status: &Status) -> tauri::Result<()> {
        self.line.set_text(&status.line)?;
        for (choice, item) in &self.choices {
            item.set_text(choice.label(status.language))?;
        }
        self.tray.set_tooltip(Some(&status.line))
    }
}

fn build(app: &AppHandle, status: &Status) -> tauri::Result<Icon> {
    let line = MenuItem::with_id(app, "status", &status.line, false, None::<&str>)?;
    let mut menu = MenuBuilder::new(app).item(&line).separator();
    let mut choices = Vec::new();
    for (id, choice) in CHOICES {
        let item = MenuItem::with_id(app, id, choice.label(status.language), true, None::<&str>)?;
        menu = menu.item(&item);
        choices.push((choice, item));
    }
    let mut tray =
        TrayIconBuilder::new().tooltip(&status.line).menu(&menu.build()?).on_menu_event(|app, event| {
            if let Some((_, choice)) = CHOICES.iter().find(|(id, _)| event.id() == id) {
                choice.carry_out(app);
            }
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    Ok(Icon { tray: tray.build(app)?, line, choices })
}
