//! How the page is drawn where there is no graphics card.
//!
//! Must never change what is drawn.

use std::path::Path;
use tauri::WebviewWindow;
use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

/// Where the system has its graphics cards.
const CARDS: &str = "/dev/dri";
/// What begins so in there can draw, not just show.
const CAN_DRAW: &str = "renderD";

/// WebKit draws in layers that OpenGL puts together. Without a card the processor plays the card for that: a frame takes several
/// times as long as one that is drawn in one piece, and the page a third more memory.
pub fn suit(window: &WebviewWindow) {
    if has_card(Path::new(CARDS)) {
        return;
    }
    let plain = window.with_webview(|view| {
        if let Some(settings) = view.inner().settings() {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    });
    if let Err(error) = plain {
        tracing::warn!(%error, "the page is drawn as if there was a graphics card");
    }
}

fn has_card(folder: &Path) -> bool {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with(CAN_DRAW))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_can_only_show_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_card(&folder.path().join("none")));
        std::fs::write(folder.path().join("card0"), "").unwrap();
        assert!(!has_card(folder.path()));
        std::fs::write(folder.path().join("renderD128"), "").unwrap();
        assert!(has_card(folder.path()));
    }
}
