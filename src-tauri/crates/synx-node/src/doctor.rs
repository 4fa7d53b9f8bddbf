//! Checks of this machine: what is in the way of music together, and what to do about it.

use crate::bridge::DoctorCheckView;
use crate::error::for_people;
use crate::node::Inner;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use synx_net::Kept;
use synx_playback::{DeviceChoice, PlayState};

/// An output device needs this long to start and to be known to run.
const DEVICE_STARTS: Duration = Duration::from_millis(1500);

impl Inner {
    /// Runs all checks.
    pub async fn doctor(self: &Arc<Self>) -> Vec<DoctorCheckView> {
        vec![
            self.check_audio().await,
            check_network(),
            check_discovery(),
            self.check_storage(),
            self.check_log(),
            self.check_key(),
        ]
    }

    async fn check_audio(self: &Arc<Self>) -> DoctorCheckView {
        if self.engine.device() == DeviceChoice::Null {
            return check("audio", true, "no output device was asked for: playing silently".to_owned());
        }
        tokio::time::sleep(DEVICE_STARTS).await;
        let status = self.engine.status();
        match (status.device_trouble, status.state) {
            (Some(trouble), _) => check("audio", false, trouble),
            (None, PlayState::NoDevice) => check("audio", false, format!("{} does not play", status.device)),
            (None, _) => {
                let latency_ms = status.output_latency_us as f64 / 1e3;
                check(
                    "audio",
                    true,
                    format!("{} at {} Hz, {latency_ms:.0} ms", status.device, status.sample_rate_hz),
                )
            }
        }
    }

    fn check_storage(&self) -> DoctorCheckView {
        let probe = self.paths().root().join("doctor.probe");
        let outcome = std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe));
        match outcome {
            Ok(()) => check("storage", true, format!("{} can be written", self.paths().root().display())),
            Err(error) => check("storage", false, format!("{}: {error}", self.paths().root().display())),
        }
    }

    fn check_key(&self) -> DoctorCheckView {
        let file = self.paths().identity();
        let said = match &self.key_kept {
            Kept::InKeyring => "in the system's keyring".to_owned(),
            Kept::InBoth => {
                format!("in the system's keyring, and until the next start in {}", file.display())
            }
            Kept::InFile(None) => format!("in {}, which only you can read", file.display()),
            Kept::InFile(Some(why)) => format!("in {}, which only you can read: {why}", file.display()),
        };
        check("key", true, said)
    }

    fn check_log(&self) -> DoctorCheckView {
        match self.log.rooms() {
            Ok(rooms) => {
                let logs = if rooms.len() == 1 { "log" } else { "logs" };
                check(
                    "log",
                    true,
                    format!("{} {logs}; to prove what is in them: `synx log verify`", rooms.len()),
                )
            }
            Err(error) => check("log", false, error.to_string()),
        }
    }
}

fn check_network() -> DoctorCheckView {
    match TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)) {
        Ok(_) => check(
            "network",
            true,
            "ports can be opened; if others cannot join, let their connections through this machine's firewall".to_owned(),
        ),
        Err(error) => check("network", false, format!("no port can be opened: {error}")),
    }
}

fn check_discovery() -> DoctorCheckView {
    match synx_net::Browser::start() {
        Ok(_) => check("discovery", true, "rooms of the local network can be found".to_owned()),
        Err(error) => check("discovery", false, format!("{error}; join by link instead")),
    }
}

pub(crate) fn check(name: &str, ok: bool, message: String) -> DoctorCheckView {
    DoctorCheckView { name: name.to_owned(), ok, message: for_people(&message) }
}
