//! What the desktop is told, in the person's language.
//!
//! Must never hold what the window says: that is the page's.

use synx_node::bridge::LanguageView;
use synx_node::bridge::LanguageView::{De, En};

pub fn cannot_start(language: LanguageView) -> &'static str {
    match language {
        En => "SynxSphere cannot start",
        De => "SynxSphere kann nicht starten",
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
