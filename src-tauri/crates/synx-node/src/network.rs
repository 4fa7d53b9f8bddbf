//! How this machine is reached: the port of its rooms, its addresses, whether it shows itself on the local network, and
//! what of this machine may be in the way.
//!
//! Must never send anything beyond this machine.

use crate::bridge::{DoctorCheckView, InterfaceView, LanguageView, NetworkView};
use crate::doctor::check;
use crate::error::NodeError;
use crate::node::Inner;
use crate::room::stage::Stage;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Below it, ports are the system's own.
const LOWEST_PORT: u16 = 1024;
/// Addresses of networks in a link: each that does not answer holds up the next (the client's 250 ms), and a machine with
/// containers has dozens that lead nowhere. Cards come before bridges in the system's list.
const MOST_OFFERED: usize = 4;
/// This machine answers itself at once, or something swallows what it says.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

impl Inner {
    /// How this machine is reached.
    pub fn network(&self) -> NetworkView {
        let (port, seen) = {
            let settings = self.settings();
            (settings.values().port, settings.values().is_seen())
        };
        NetworkView { port, seen, open_port: self.open_port(), interfaces: interfaces() }
    }

    /// Opens rooms on another port from the next on, none for any; shows itself on the local network, or no more.
    ///
    /// # Errors
    /// When the port is the system's, or it cannot be kept for the next start.
    pub fn set_network(&self, port: Option<u16>, seen: bool) -> Result<(), NodeError> {
        if port.is_some_and(|port| port < LOWEST_PORT) {
            return Err(NodeError::BadValue {
                what: "the port",
                problem: "must be 1024 or more, or empty for any",
            });
        }
        let kept = self.settings().change(|values| {
            values.port = port;
            values.unseen = !seen;
        });
        self.lan.show(seen);
        kept
    }

    /// What of this machine may keep others out, if rooms are opened at `port` (none: at any).
    pub async fn test_network(&self, port: Option<u16>) -> Vec<DoctorCheckView> {
        let language = self.language();
        let open_port = self.open_port();
        vec![
            check_port(language, port, open_port).await,
            check_interfaces(language, &interfaces()).await,
            check_firewall(language, Path::new("/"), open_port.or(port)),
        ]
    }

    fn open_port(&self) -> Option<u16> {
        match &*self.stage() {
            Stage::Hosted(hosting) => Some(hosting.port()),
            _ => None,
        }
    }
}

/// Every address of this machine that is not its own alone.
fn interfaces() -> Vec<InterfaceView> {
    outward().map(|one| InterfaceView { address: one.ip().to_string(), name: one.name }).collect()
}

fn outward() -> impl Iterator<Item = if_addrs::Interface> {
    let found = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this machine cannot be listed");
        Vec::new()
    });
    found.into_iter().filter(|one| !one.is_loopback() && !one.is_link_local())
}

/// This machine's addresses in networks, likeliest first: that of the default route, then those of others (a second card, a
/// VPN).
pub fn own_addresses() -> Vec<IpAddr> {
    let outgoing = outgoing_address();
    let others = outward().map(|one| one.ip()).filter(|ip| Some(*ip) != outgoing);
    outgoing.into_iter().chain(others).collect()
}

/// Where others may reach a listener, likeliest first: its own address, or this machine's where it listens everywhere.
pub fn addresses(listening: SocketAddr) -> Vec<SocketAddr> {
    addresses_among(own_addresses(), listening)
}

/// The same where the machine has these addresses.
pub fn addresses_among(own: Vec<IpAddr>, listening: SocketAddr) -> Vec<SocketAddr> {
    if !listening.ip().is_unspecified() {
        return vec![listening];
    }
    // A listener of IPv6 may hear IPv4 as well or not, as the system likes: its own family is what is sure.
    let own_family = own.into_iter().filter(|ip| ip.is_ipv4() == listening.is_ipv4());
    let offered = own_family.take(MOST_OFFERED).chain([Ipv4Addr::LOCALHOST.into()]);
    offered.map(|ip| SocketAddr::new(ip, listening.port())).collect()
}

/// The address from which this machine would speak to the network. Nothing is sent: a datagram socket only picks a route.
fn outgoing_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // TEST-NET-1 (RFC 5737): no host, but the default route leads there.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

async fn check_port(language: LanguageView, port: Option<u16>, open_port: Option<u16>) -> DoctorCheckView {
    use LanguageView::{De, En};
    if let Some(port) = open_port {
        return check(
            "port",
            true,
            match language {
                En => format!("your room listens on port {port}"),
                De => format!("dein Raum lauscht auf Port {port}"),
            },
        );
    }
    let asked = port.unwrap_or(0);
    match (TcpListener::bind((Ipv4Addr::UNSPECIFIED, asked)).await, port, language) {
        (Ok(_), None, En) => check("port", true, "a port can be opened".to_owned()),
        (Ok(_), None, De) => check("port", true, "ein Port lässt sich öffnen".to_owned()),
        (Ok(_), Some(port), En) => check("port", true, format!("port {port} is free")),
        (Ok(_), Some(port), De) => check("port", true, format!("Port {port} ist frei")),
        (Err(error), _, En) => {
            check("port", false, format!("port {asked} cannot be opened: {error}; choose another, or none"))
        }
        (Err(error), _, De) => check(
            "port",
            false,
            format!("Port {asked} lässt sich nicht öffnen ({error}): wähl einen anderen oder keinen"),
        ),
    }
}

async fn check_interfaces(language: LanguageView, interfaces: &[InterfaceView]) -> DoctorCheckView {
    use LanguageView::{De, En};
    let mut deaf = Vec::new();
    for interface in interfaces {
        let heard = match interface.address.parse() {
            Ok(address) => hears_itself(address).await,
            Err(_) => continue,
        };
        if let Err(error) = heard {
            deaf.push(format!("{} ({error})", interface.address));
        }
    }
    let deaf = deaf.join(", ");
    match (interfaces.is_empty(), deaf.is_empty(), language) {
        (true, _, En) => {
            check("interfaces", false, "this machine is in no network: join one first".to_owned())
        }
        (true, _, De) => {
            check("interfaces", false, "dieses Gerät ist in keinem Netz: verbinde es zuerst".to_owned())
        }
        (_, true, En) => {
            check("interfaces", true, "this machine answers at each of its addresses".to_owned())
        }
        (_, true, De) => {
            check("interfaces", true, "dieses Gerät antwortet an jeder seiner Adressen".to_owned())
        }
        (_, false, En) => {
            check("interfaces", false, format!("not even this machine itself gets an answer at {deaf}"))
        }
        (_, false, De) => check(
            "interfaces",
            false,
            format!("nicht einmal dieses Gerät selbst bekommt eine Antwort an {deaf}"),
        ),
    }
}

/// Opens a port at an address of this machine, and calls there.
async fn hears_itself(address: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((address, 0)).await?;
    let there: SocketAddr = listener.local_addr()?;
    let call = async { tokio::try_join!(listener.accept(), TcpStream::connect(there)).map(drop) };
    tokio::time::timeout(ANSWERS_WITHIN, call).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// What cannot be tried from here is looked up: whether a firewall that is known is on.
fn check_firewall(language: LanguageView, root: &Path, port: Option<u16>) -> DoctorCheckView {
    use LanguageView::{De, En};
    let port = port.map_or_else(|| "PORT".to_owned(), |port| port.to_string());
    let command = match firewall(root) {
        Some(Firewall::Ufw) => format!("sudo ufw allow {port}/tcp"),
        Some(Firewall::Firewalld) => format!("sudo firewall-cmd --add-port={port}/tcp"),
        None => {
            return check("firewall", true, match language {
                En => "no firewall is known to be on here; only somebody on another machine can tell for sure: send them a link".to_owned(),
                De => "hier ist keine Firewall bekannt; sicher weiß es nur jemand an einem anderen Gerät: schick ihm einen Link".to_owned(),
            });
        }
    };
    check(
        "firewall",
        false,
        match language {
            En => format!(
                "a firewall is on and may keep others out; give rooms a port of their own, and let it through: {command}"
            ),
            De => format!(
                "eine Firewall ist an und kann andere abhalten; gib Räumen einen eigenen Port und lass ihn durch: {command}"
            ),
        },
    )
}

#[derive(Debug, PartialEq, Eq)]
enum Firewall {
    Ufw,
    Firewalld,
}

/// The firewall of a system whose files lie under `root`, as far as anybody may see it.
fn firewall(root: &Path) -> Option<Firewall> {
    let ufw = std::fs::read_to_string(root.join("etc/ufw/ufw.conf")).unwrap_or_default();
    if ufw.lines().any(|line| line.trim().eq_ignore_ascii_case("enabled=yes")) {
        return Some(Firewall::Ufw);
    }
    root.join("run/firewalld").exists().then_some(Firewall::Firewalld)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_told() {
        let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let told = check_port(LanguageView::En, Some(port), None).await;
        assert!(!told.ok && told.message.contains(&port.to_string()), "{told:?}");
        drop(taken);
        assert!(check_port(LanguageView::En, None, None).await.ok);
        assert!(check_port(LanguageView::De, None, Some(port)).await.message.contains("lauscht auf Port"));
    }

    #[tokio::test]
    async fn an_address_that_is_not_this_machines_does_not_answer() {
        assert!(hears_itself(Ipv4Addr::LOCALHOST.into()).await.is_ok());
        let foreign = InterfaceView { name: "none".to_owned(), address: "192.0.2.1".to_owned() };
        let told = check_interfaces(LanguageView::En, &[foreign]).await;
        assert!(!told.ok && told.message.contains("192.0.2.1"), "{told:?}");
        assert!(!check_interfaces(LanguageView::De, &[]).await.ok);
    }

    #[test]
    fn a_listener_is_reached_at_every_network_the_likeliest_first() {
        let ip = |last| IpAddr::from([10, 0, 0, last]);
        let everywhere: SocketAddr = "0.0.0.0:47900".parse().unwrap();
        let reached = |own: Vec<IpAddr>| -> Vec<IpAddr> {
            addresses_among(own, everywhere).iter().map(SocketAddr::ip).collect()
        };
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        assert_eq!(reached(vec![ip(2), "fd00::1".parse().unwrap(), ip(1)]), [ip(2), ip(1), loopback]);
        assert_eq!(reached(Vec::new()), [loopback], "in no network");
        assert_eq!(reached((1..100).map(ip).collect()).len(), MOST_OFFERED + 1);
        let listening = "192.0.2.7:47900".parse().unwrap();
        assert_eq!(addresses(listening), [listening], "who chose an address is reached there alone");
        let own = own_addresses();
        assert!(own.iter().all(|one| own.iter().filter(|other| *other == one).count() == 1), "{own:?}");
    }

    #[test]
    fn a_firewall_that_is_on_is_told_with_the_way_through() {
        let root = tempfile::tempdir().unwrap();
        assert!(check_firewall(LanguageView::En, root.path(), None).ok);
        std::fs::create_dir_all(root.path().join("run/firewalld")).unwrap();
        assert_eq!(firewall(root.path()), Some(Firewall::Firewalld));
        std::fs::create_dir_all(root.path().join("etc/ufw")).unwrap();
        std::fs::write(root.path().join("etc/ufw/ufw.conf"), "# on\nENABLED=yes\n").unwrap();
        let told = check_firewall(LanguageView::En, root.path(), Some(7420));
        assert!(!told.ok && told.message.contains("ufw allow 7420/tcp"), "{told:?}");
    }
}
