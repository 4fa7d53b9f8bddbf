//! The desktop's own control of the player (MPRIS), asked and pressed as a desktop does: over the session's bus.

use crate::PATIENCE;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const PREFIX: &str = "org.mpris.MediaPlayer2.synxsphere";
const PLAYER: &str = "org.mpris.MediaPlayer2.Player";

/// The player of one running app.
pub struct DesktopPlayer {
    name: String,
}

impl DesktopPlayer {
    /// The player of the app with this data folder, once it is on the bus.
    pub fn of(data_dir: &Path) -> Self {
        let data_dir = data_dir.to_str().expect("the folder's name is text");
        let end = Instant::now() + PATIENCE;
        loop {
            let names = bus(&["/", "org.freedesktop.DBus.ListNames"]);
            let mut players = names.split('"').filter(|name| name.starts_with(PREFIX));
            if let Some(name) = players.find(|name| owner(name).contains(data_dir)) {
                return Self { name: name.to_owned() };
            }
            assert!(Instant::now() < end, "the app is not on the bus, but: {names}");
        }
    }

    /// Waits until a property is shown so.
    pub fn until(&self, property: &str, shown: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let property = format!("string:{property}");
            let get = "org.freedesktop.DBus.Properties.Get";
            let value = self.send(&[get, &format!("string:{PLAYER}"), &property]);
            if value.contains(shown) {
                return;
            }
            assert!(Instant::now() < end, "never {shown}, but {value}");
        }
    }

    /// The name of what is loaded.
    pub fn track(&self) -> String {
        let get = "org.freedesktop.DBus.Properties.Get";
        let metadata = self.send(&[get, &format!("string:{PLAYER}"), "string:Metadata"]);
        let (_, rest) = metadata.split_once("object path \"").expect("a track is loaded");
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// Presses a key.
    pub fn press(&self, key: &str, arguments: &[&str]) {
        let method = format!("{PLAYER}.{key}");
        self.send(&[&[method.as_str()], arguments].concat());
    }

    /// Quits the app, as a desktop does, and waits until it is gone.
    pub fn quit(self) {
        self.send(&["org.mpris.MediaPlayer2.Quit"]);
        let end = Instant::now() + PATIENCE;
        while bus(&["/", "org.freedesktop.DBus.ListNames"]).contains(&format!("\"{}\"", self.name)) {
            assert!(Instant::now() < end, "it does not quit");
        }
    }

    fn send(&self, message: &[&str]) -> String {
        let destination = format!("--dest={}", self.name);
        send(&[&[destination.as_str(), "/org/mpris/MediaPlayer2"], message].concat())
    }
}

/// The command line of whoever has a name on the bus.
fn owner(name: &str) -> String {
    let name = format!("string:{name}");
    let answer = bus(&["/", "org.freedesktop.DBus.GetConnectionUnixProcessID", &name]);
    let process = answer.split_whitespace().last().unwrap_or_default();
    std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default()
}

fn bus(message: &[&str]) -> String {
    send(&[&["--dest=org.freedesktop.DBus"], message].concat())
}

fn send(message: &[&str]) -> String {
    let sent = Command::new("dbus-send").args(["--session", "--print-reply"]).args(message).output();
    let sent = sent.expect("dbus-send is installed: cargo xtask setup");
    assert!(sent.status.success(), "{message:?}: {}", String::from_utf8_lossy(&sent.stderr));
    String::from_utf8_lossy(&sent.stdout).into_owned()
}
