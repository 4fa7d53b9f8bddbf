//! Checks of this machine: what is in the way of music together, and what to do about it.

use crate::bridge::LanguageView::{De, En};
use crate::bridge::{DoctorCheckView, LanguageView};
use crate::error::for_people;
use crate::node::{Inner, Node};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use synx_net::Kept;
use synx_playback::{DeviceChoice, PlayState};

/// An output device needs this long to start and to be known to run.
const DEVICE_STARTS: Duration = Duration::from_millis(1500);

impl Node {
    /// Runs all checks, and tells of them in a language.
    pub async fn doctor(&self, language: LanguageView) -> Vec<DoctorCheckView> {
        self.inner().doctor(language).await
    }
}

impl Inner {
    /// Runs all checks, and tells of them in a language.
    pub async fn doctor(self: &Arc<Self>, language: LanguageView) -> Vec<DoctorCheckView> {
        vec![
            self.check_audio(language).await,
            check_network(language),
            check_discovery(language),
            self.check_storage(language),
            self.check_log(language),
            self.check_key(language),
        ]
    }

    async fn check_audio(self: &Arc<Self>, language: LanguageView) -> DoctorCheckView {
        if self.engine.device() == DeviceChoice::Null {
            let said = match language {
                En => "no output device was asked for: playing silently",
                De => "es wurde keine Tonausgabe verlangt: gespielt wird ohne Ton",
            };
            return check("audio", true, said.to_owned());
        }
        tokio::time::sleep(DEVICE_STARTS).await;
        let status = self.engine.status();
        let device = &status.device;
        match (status.device_trouble, status.state, language) {
            (Some(trouble), _, En) => check("audio", false, trouble),
            (Some(trouble), _, De) => {
                logged("audio", &trouble);
                check(
                    "audio",
                    false,
                    format!("{device} spielt nicht: wähl eine andere Ausgabe oder gib sie frei"),
                )
            }
            (None, PlayState::NoDevice, En) => check("audio", false, format!("{device} does not play")),
            (None, PlayState::NoDevice, De) => check("audio", false, format!("{device} spielt nicht")),
            (None, _, language) => {
                let (rate_hz, latency_ms) = (status.sample_rate_hz, status.output_latency_us as f64 / 1e3);
                let said = match language {
                    En => format!("{device} at {rate_hz} Hz, {latency_ms:.0} ms"),
                    De => format!("{device} mit {rate_hz} Hz, {latency_ms:.0} ms"),
                };
                check("audio", true, said)
            }
        }
    }

    fn check_storage(&self, language: LanguageView) -> DoctorCheckView {
        let root = self.paths().root();
        let probe = root.join("doctor.probe");
        let outcome = self.data.gate().enter().and_then(|_writing| {
            std::fs::write(&probe, b"probe")?;
            std::fs::remove_file(&probe)
        });
        match (outcome, language) {
            (Ok(()), En) => check("storage", true, format!("{} can be written", root.display())),
            (Ok(()), De) => check("storage", true, format!("{} lässt sich beschreiben", root.display())),
            (Err(error), language) => {
                check("storage", false, format!("{}: {}", root.display(), reason(&error, language)))
            }
        }
    }

    fn check_key(&self, language: LanguageView) -> DoctorCheckView {
        let file = self.paths().identity();
        let file = file.display();
        let in_file = match language {
            En => format!("in {file}, which only you can read"),
            De => format!("in {file}, was nur du lesen kannst"),
        };
        let said = match (&self.key_kept, language) {
            (Kept::InKeyring, En) => "in the system's keyring".to_owned(),
            (Kept::InKeyring, De) => "im Schlüsselbund des Systems".to_owned(),
            (Kept::InBoth, En) => format!("in the system's keyring, and until the next start in {file}"),
            (Kept::InBoth, De) => {
                format!("im Schlüsselbund des Systems, und bis zum nächsten Start in {file}")
            }
            (Kept::InFile(None), _) => in_file,
            (Kept::InFile(Some(why)), En) => format!("{in_file}: {why}"),
            (Kept::InFile(Some(why)), De) => {
                logged("key", why);
                format!("{in_file}: der Schlüsselbund des Systems lässt sich nicht benutzen")
            }
        };
        check("key", true, said)
    }

    fn check_log(&self, language: LanguageView) -> DoctorCheckView {
        let logs = match self.log.rooms() {
            Ok(rooms) => rooms.len(),
            Err(error) if language == En => return check("log", false, error.to_string()),
            Err(error) => {
                logged("log", &error);
                return check("log", false, "die Verläufe lassen sich nicht lesen".to_owned());
            }
        };
        let said = match language {
            En if logs == 1 => "the history of 1 room can be read".to_owned(),
            En => format!("the histories of {logs} rooms can be read"),
            De if logs == 1 => "der Verlauf von 1 Raum lässt sich lesen".to_owned(),
            De => format!("die Verläufe von {logs} Räumen lassen sich lesen"),
        };
        check("log", true, said)
    }
}

fn check_network(language: LanguageView) -> DoctorCheckView {
    match (TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)), language) {
        (Ok(_), En) => check(
            "network",
            true,
            "ports can be opened; if others cannot join, let their connections through this machine's firewall".to_owned(),
        ),
        (Ok(_), De) => check(
            "network",
            true,
            "Ports lassen sich öffnen; können andere nicht beitreten, lass ihre Verbindungen durch die Firewall dieses Geräts".to_owned(),
        ),
        (Err(error), En) => check("network", false, format!("no port can be opened: {}", reason(&error, En))),
        (Err(error), De) => {
            check("network", false, format!("kein Port lässt sich öffnen: {}", reason(&error, De)))
        }
    }
}

fn check_discovery(language: LanguageView) -> DoctorCheckView {
    match (synx_net::Browser::start(), language) {
        (Ok(_), En) => check("discovery", true, "rooms of the local network can be found".to_owned()),
        (Ok(_), De) => check("discovery", true, "Räume im lokalen Netz lassen sich finden".to_owned()),
        (Err(error), En) => check("discovery", false, format!("{error}; join by link instead")),
        (Err(error), De) => {
            logged("discovery", &error);
            let said = "Räume im lokalen Netz lassen sich nicht finden: tritt stattdessen per Link bei";
            check("discovery", false, said.to_owned())
        }
    }
}

/// What went wrong, in the words of a library that speaks English alone: who reads another language finds it in the log.
fn logged(name: &str, why: &dyn std::fmt::Display) {
    tracing::warn!(check = name, %why, "a check found something in the way");
}

/// Why the system refused, in a language: it has no words of its own but English ones.
fn reason(error: &io::Error, language: LanguageView) -> String {
    if language == En {
        return error.to_string();
    }
    let said = match error.kind() {
        io::ErrorKind::PermissionDenied => "das System erlaubt es nicht",
        io::ErrorKind::NotFound => "das gibt es nicht mehr",
        io::ErrorKind::ReadOnlyFilesystem => "der Datenträger ist schreibgeschützt",
        io::ErrorKind::StorageFull => "der Datenträger ist voll",
        io::ErrorKind::QuotaExceeded => "das zugeteilte Kontingent ist voll",
        io::ErrorKind::AddrInUse => "alle sind belegt",
        io::ErrorKind::NetworkDown | io::ErrorKind::AddrNotAvailable => "es gibt hier kein Netz",
        _ => {
            logged("system", error);
            return match error.raw_os_error() {
                Some(number) => format!("das System meldet Fehler {number}"),
                None => "das System meldet einen Fehler".to_owned(),
            };
        }
    };
    said.to_owned()
}

pub(crate) fn check(name: &str, ok: bool, message: String) -> DoctorCheckView {
    DoctorCheckView { name: name.to_owned(), ok, message: for_people(&message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_words_of_its_own_for_the_same() {
        for look in [check_network, check_discovery] {
            let (english, german) = (look(En), look(De));
            assert_eq!((&english.name, english.ok), (&german.name, german.ok));
            assert_ne!(english.message, german.message);
        }
    }

    #[test]
    fn what_the_system_says_is_said_in_the_language_of_who_reads_it() {
        // Not allowed, too many open files, no room left; elsewhere than on Unix others, but errors as well.
        for number in [13, 24, 28] {
            let error = io::Error::from_raw_os_error(number);
            let (english, german) = (for_people(&reason(&error, En)), reason(&error, De));
            assert!(!german.contains(&english), "{german} holds {english}");
        }
        assert_eq!(reason(&io::Error::from(io::ErrorKind::StorageFull), De), "der Datenträger ist voll");
    }
}
