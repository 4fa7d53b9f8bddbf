//! How the page is drawn where there is no graphics card.
//!
//! Must never change what is drawn.

use std::path::Path;
use webkit2gtk::glib;

/// Where the system has its graphics cards.
const CARDS: &str = "/dev/dri";
/// What begins so in there can draw, not just show.
const CAN_DRAW: &str = "renderD";
/// By this WebKit is told to hand over pictures that are drawn, not layers for a card to put together.
const IN_ONE_PIECE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// WebKit draws in layers that OpenGL puts together. Without a card the processor plays the card for that: a frame takes several
/// times as long as one that is drawn in one piece, and the page a third more memory. Must come before all else: it changes the
/// environment, which belongs to all threads.
pub fn suit() {
    if has_card(Path::new(CARDS)) {
        return;
    }
    // Whoever has set it knows better.
    if let Err(error) = glib::setenv(IN_ONE_PIECE, "1", false) {
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
