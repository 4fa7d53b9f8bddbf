//! What the desktop is told, in the person's language.
//!
//! Must never hold what the window says: that is the page's.

use synx_node::NodeError;
use synx_node::bridge::LanguageView::{De, En};
use synx_node::bridge::{CallError, LanguageView};

pub fn cannot_start(language: LanguageView) -> &'static str {
    match language {
        En => "SynxSphere cannot start",
        De => "SynxSphere kann nicht starten",
    }
}

/// Why it cannot, and what to do.
pub fn why_not(language: LanguageView, error: NodeError) -> String {
    let (code, folder) = match &error {
        NodeError::DataDir { path, .. } => (error.code(), path.display().to_string()),
        _ => return CallError::from(error).message,
    };
    match (language, code) {
        (En, "data_dir_read_only") => format!(
            "Nothing can be written to the folder {folder}, where your rooms and your library are kept. Make it writable, then start SynxSphere again."
        ),
        (De, "data_dir_read_only") => format!(
            "In den Ordner {folder}, in dem deine Räume und deine Bibliothek liegen, kann nichts geschrieben werden. Mach ihn beschreibbar und starte SynxSphere neu."
        ),
        (En, "disk_full") => format!(
            "The disk is full on which your rooms and your library are kept ({folder}). Free some space, then start SynxSphere again."
        ),
        (De, "disk_full") => format!(
            "Das Laufwerk, auf dem deine Räume und deine Bibliothek liegen, ist voll ({folder}). Schaff etwas Platz und starte SynxSphere neu."
        ),
        _ => CallError::from(error).message,
    }
}

pub fn show_window(language: LanguageView) -> &'static str {
    match language {
        En => "Show the window",
        De => "Fenster zeigen",
    }
}

pub fn quit(language: LanguageView) -> &'static str {
    match language {
        En => "Quit",
        De => "Beenden",
    }
}

pub fn no_room(language: LanguageView) -> &'static str {
    match language {
        En => "No room is open",
        De => "Kein Raum ist offen",
    }
}

pub fn in_room(language: LanguageView, room: &str) -> String {
    match language {
        En => format!("In “{room}”"),
        De => format!("In „{room}“"),
    }
}

/// A room of this machine, and how many others are in it.
pub fn hosting(language: LanguageView, room: &str, guests: usize) -> String {
    match (language, guests) {
        (En, 0) => format!("“{room}” is open"),
        (En, 1) => format!("Hosting 1 person in “{room}”"),
        (En, _) => format!("Hosting {guests} people in “{room}”"),
        (De, 0) => format!("„{room}“ ist offen"),
        (De, 1) => format!("1 Person zu Gast in „{room}“"),
        (De, _) => format!("{guests} Personen zu Gast in „{room}“"),
    }
}

/// Title and text of what is said when the window is closed over guests.
pub fn still_open(language: LanguageView, room: &str, guests: usize) -> (String, String) {
    match language {
        En => {
            let people = if guests == 1 { "1 person".to_owned() } else { format!("{guests} people") };
            let body =
                format!("It goes on for {people}. The icon in the tray leads back to it, and closes it.");
            (format!("“{room}” is still open"), body)
        }
        De => {
            let people = if guests == 1 { "1 Person".to_owned() } else { format!("{guests} Personen") };
            let body = format!(
                "Für {people} geht es weiter. Das Symbol in der Leiste führt zurück und schließt ihn."
            );
            (format!("„{room}“ ist noch offen"), body)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn why_the_app_cannot_start_is_said_in_plain_words() {
        let failed = |number| NodeError::DataDir {
            path: "/home/ana/music".into(),
            source: io::Error::from_raw_os_error(number),
        };
        // Read-only, no right, full, and what nobody thought of.
        for number in [30, 13, 28, 5] {
            for language in [En, De] {
                let why = why_not(language, failed(number));
                assert!(why.contains("/home/ana/music") && !why.contains("os error"), "{why}");
            }
        }
        assert!(why_not(De, failed(30)).contains("beschreibbar"));
        assert!(why_not(De, failed(28)).contains("voll"));
    }
}
