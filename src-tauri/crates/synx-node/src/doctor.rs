//! Checks of this machine: what is in the way of music together, and what to do about it.

use crate::bridge::LanguageView::{De, En};
use crate::bridge::{DoctorCheckView, LanguageView};
use crate::error::for_people;
use crate::node::{Inner, Node};
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
            (Some(trouble), _, De) => check(
                "audio",
                false,
                format!("{device} spielt nicht: wähl eine andere Ausgabe oder gib sie frei ({trouble})"),
            ),
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
        let outcome = std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe));
        match (outcome, language) {
            (Ok(()), En) => check("storage", true, format!("{} can be written", root.display())),
            (Ok(()), De) => check("storage", true, format!("{} lässt sich beschreiben", root.display())),
            (Err(error), _) => check("storage", false, format!("{}: {error}", root.display())),
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
            (Kept::InFile(Some(why)), _) => format!("{in_file}: {why}"),
        };
        check("key", true, said)
    }

    fn check_log(&self, language: LanguageView) -> DoctorCheckView {
        let logs = match self.log.rooms() {
            Ok(rooms) => rooms.len(),
            Err(error) => return check("log", false, error.to_string()),
        };
        let said = match language {
            En if logs == 1 => "1 log; to prove what is in it: `synx log verify`".to_owned(),
            En => format!("{logs} logs; to prove what is in them: `synx log verify`"),
            De if logs == 1 => "1 Protokoll; ob es unverändert ist, beweist `synx log verify`".to_owned(),
            De => format!("{logs} Protokolle; ob sie unverändert sind, beweist `synx log verify`"),
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
        (Err(error), En) => check("network", false, format!("no port can be opened: {error}")),
        (Err(error), De) => check("network", false, format!("kein Port lässt sich öffnen: {error}")),
    }
}

fn check_discovery(language: LanguageView) -> DoctorCheckView {
    match (synx_net::Browser::start(), language) {
        (Ok(_), En) => check("discovery", true, "rooms of the local network can be found".to_owned()),
        (Ok(_), De) => check("discovery", true, "Räume im lokalen Netz lassen sich finden".to_owned()),
        (Err(error), En) => check("discovery", false, format!("{error}; join by link instead")),
        (Err(error), De) => check("discovery", false, format!("tritt stattdessen per Link bei ({error})")),
    }
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
}
