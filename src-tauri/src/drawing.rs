//! How the page is drawn where there is no graphics card.
//!
//! Must never change what is drawn.

use std::path::Path;
use tauri::webview::PageLoadEvent;
use tauri::{Runtime, WebviewWindow, WebviewWindowBuilder};
use webkit2gtk::glib;
use webkit2gtk::glib::object::ObjectExt;

/// Where the system has its graphics cards.
const CARDS: &str = "/dev/dri";
/// What begins so in there can draw, not just show.
const CAN_DRAW: &str = "renderD";
/// What the libraries are told where nothing can, by their environment.
const WITHOUT_A_CARD: [(&str, &str); 2] = [
    // WebKit hands over pictures that are drawn, not layers for a card to put together.
    ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
    // GTK does not ask OpenGL which of the screen's formats it likes best: nothing is drawn by it.
    ("GDK_GL", "disable"),
];

/// WebKit draws in layers that OpenGL puts together. Without a card the processor plays the card for that: a frame takes several
/// times as long as one that is drawn in one piece, and the page a third more memory. Must come before all else: it changes the
/// environment, which belongs to all threads.
pub fn suit() {
    if has_card(Path::new(CARDS)) {
        return;
    }
    for (name, value) in WITHOUT_A_CARD {
        // Whoever has set it knows better.
        if let Err(error) = glib::setenv(name, value, false) {
            tracing::warn!(%error, name, "the page is drawn as if there was a graphics card");
        }
    }
}

/// Makes a window whose page takes its place once it is loaded, where there is no card. WebKit would hold up the app, and with it the
/// page's loading, for up to half a second otherwise: until a page that is still coming up has drawn its first picture.
///
/// # Errors
/// When the window cannot be made.
pub fn make<R: Runtime>(
    window: WebviewWindowBuilder<'_, R, tauri::AppHandle<R>>,
) -> tauri::Result<WebviewWindow<R>> {
    if has_card(Path::new(CARDS)) {
        return window.build();
    }
    let window = window.on_page_load(|window, load| {
        // The keys are the page's.
        if load.event() == PageLoadEvent::Finished {
            set(&window, &["visible", "has-focus"], true);
        }
    });
    let window = window.build()?;
    set(&window, &["visible"], false);
    Ok(window)
}

/// Sets properties of the widget that shows the page.
fn set<R: Runtime>(window: &WebviewWindow<R>, properties: &'static [&'static str], value: bool) {
    let set = window.with_webview(move |page| {
        for property in properties {
            page.inner().set_property(property, value);
        }
    });
    if let Err(error) = set {
        tracing::warn!(%error, "the page is not in its place");
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
