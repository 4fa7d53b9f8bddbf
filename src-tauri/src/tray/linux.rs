//! The tray of Linux desktops: a status notifier item on the session's bus.

use super::{Choice, Status, show_window};
use ksni::menu::StandardItem;
use ksni::{Icon, MenuItem, OfflineReason, ToolTip, TrayMethods};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tauri::AppHandle;
use tokio::sync::watch;

struct Item {
    app: AppHandle,
    status: Status,
    shown: Arc<AtomicBool>,
}

/// Shows the item until the app ends. Without a tray, or a bus, there is nothing to do.
pub async fn run(app: AppHandle, mut status: watch::Receiver<Status>, shown: Arc<AtomicBool>) {
    let now = status.borrow_and_update().clone();
    let item = Item { app, status: now, shown: Arc::clone(&shown) };
    let handle = match item.spawn().await {
        Ok(handle) => handle,
        Err(error) => return tracing::info!(%error, "this desktop has no tray"),
    };
    shown.store(true, Ordering::Relaxed);
    while status.changed().await.is_ok() {
        let now = status.borrow_and_update().clone();
        handle.update(|item| item.status = now).await;
    }
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "synxsphere".to_owned()
    }

    fn title(&self) -> String {
        self.status.line.clone()
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip {
            title: "SynxSphere".to_owned(),
            description: self.status.line.clone(),
            ..ToolTip::default()
        }
    }

    /// As bytes: the app may not be installed, and then the theme has no icon of it.
    fn icon_pixmap(&self) -> Vec<Icon> {
        let Some(icon) = self.app.default_window_icon() else { return Vec::new() };
        let argb = icon.rgba().chunks_exact(4).flat_map(|rgba| [rgba[3], rgba[0], rgba[1], rgba[2]]);
        let (Ok(width), Ok(height)) = (icon.width().try_into(), icon.height().try_into()) else {
            return Vec::new();
        };
        vec![Icon { width, height, data: argb.collect() }]
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        show_window(&self.app);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let line =
            StandardItem { label: self.status.line.clone(), enabled: false, ..StandardItem::default() };
        let choices = [Choice::Show, Choice::Quit].map(|choice| {
            MenuItem::from(StandardItem {
                label: choice.label(self.status.language).to_owned(),
                activate: Box::new(move |item: &mut Self| choice.carry_out(&item.app)),
                ..StandardItem::default()
            })
        });
        [MenuItem::from(line), MenuItem::Separator].into_iter().chain(choices).collect()
    }

    fn watcher_online(&self) {
        self.shown.store(true, Ordering::Relaxed);
    }

    /// The tray is gone, and with it the way back to a window that was closed.
    fn watcher_offline(&self, _reason: OfflineReason) -> bool {
        self.shown.store(false, Ordering::Relaxed);
        show_window(&self.app);
        true
    }
}
