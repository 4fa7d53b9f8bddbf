//! Web addresses that people write to each other, opened in the system's browser.
//!
//! Must never open anything else: what somebody wrote may name a file or a program.

use synx_node::bridge::CallError;
use tauri::{AppHandle, Url};
use tauri_plugin_opener::OpenerExt;

/// Opens a web address outside of the app.
#[tauri::command]
pub fn open_link(app: AppHandle, address: String) -> Result<(), CallError> {
    let failed = |code: &str, message: String| CallError { code: code.to_owned(), message };
    let url = web_address(&address)
        .ok_or_else(|| failed("bad_link", format!("{address} is no web address: it was not opened")))?;
    app.opener().open_url(url.as_str(), None::<&str>).map_err(|error| {
        tracing::warn!(%error, "a link cannot be opened");
        failed("no_browser", format!("no browser could be started: copy {url} into one"))
    })
}

fn web_address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_opened() {
        for fine in ["https://example.org/a?b#c", "http://192.168.1.5:8080/"] {
            assert!(web_address(fine).is_some(), "{fine}");
        }
        for wrong in
            ["file:///etc/passwd", "javascript:alert(1)", "synxsphere://join", "/bin/sh", "https:", ""]
        {
            assert!(web_address(wrong).is_none(), "{wrong}");
        }
    }
}
