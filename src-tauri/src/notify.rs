//! What the desktop tells while nobody looks at the window.

use synx_node::bridge::CallError;
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

/// Characters that are shown; desktops cut longer ones anywhere.
const SHOWN_MOST: usize = 200;

/// Lets the desktop say something.
#[tauri::command]
pub fn notify(app: AppHandle, title: String, body: String) -> Result<(), CallError> {
    let told = app.notification().builder().title(plain(&title)).body(plain(&body)).show();
    told.map_err(|error| {
        tracing::warn!(%error, "the desktop does not take notifications");
        CallError { code: "no_notifications".to_owned(), message: error.to_string() }
    })
}

/// Desktops may read markup in what others wrote: there shall be none.
fn plain(text: &str) -> String {
    let harmless = |c: char| match c {
        '<' => '‹',
        '>' => '›',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().take(SHOWN_MOST).map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_markup() {
        assert_eq!(plain("Ben: <b>hi</b>\u{1b}\n& bye"), "Ben: ‹b›hi‹/b›  & bye");
        assert_eq!(plain(&"ä".repeat(1000)).chars().count(), SHOWN_MOST);
    }
}
