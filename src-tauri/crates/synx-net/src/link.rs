//! Links that lead into a room: `synxsphere://join?v=1&room=…&name=…&fp=…&a=host:port&i=…`.

use crate::NetError;
use std::{fmt, str::FromStr};
use synx_domain::RoomId;
use url::Url;

const VERSION: &str = "1";
/// A link is pasted by people: what is longer than this is none.
const MAX_BYTES: usize = 8192;

/// All that is needed to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// Which room.
    pub room: RoomId,
    /// Its name when the link was made, to show before joining.
    pub name: String,
    /// Where its host may be reached, likeliest first: `host:port`, or `https://name` of a proxy with an ordinary
    /// certificate.
    pub addresses: Vec<String>,
    /// SHA-256 of the host's certificate; none for a host without TLS.
    pub fingerprint: Option<[u8; 32]>,
    /// The signed invite; none for a public room.
    pub invite: Option<String>,
}

impl fmt::Display for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("v", VERSION)
            .append_pair("room", &self.room.to_string())
            .append_pair("name", &self.name);
        if let Some(fingerprint) = &self.fingerprint {
            query.append_pair("fp", &data_encoding::HEXLOWER.encode(fingerprint));
        }
        for address in &self.addresses {
            query.append_pair("a", address);
        }
        if let Some(invite) = &self.invite {
            query.append_pair("i", invite);
        }
        write!(f, "synxsphere://join?{}", query.finish())
    }
}

impl FromStr for InviteLink {
    type Err = NetError;

    fn from_str(text: &str) -> Result<Self, NetError> {
        if text.len() > MAX_BYTES {
            return Err(NetError::BadLink("it is too long"));
        }
        let url = Url::parse(text.trim()).ok();
        let url = url
            .filter(|url| url.scheme() == "synxsphere" && url.host_str() == Some("join"))
            .ok_or(NetError::BadLink("it does not begin with synxsphere://join"))?;
        let all = |key: &'static str| {
            url.query_pairs().filter(move |(name, _)| name == key).map(|(_, value)| value.into_owned())
        };
        match all("v").next().as_deref() {
            Some(VERSION) => {}
            None => return Err(NetError::BadLink("a part of it is missing")),
            Some(_) => return Err(NetError::LinkVersion),
        }
        let room = all("room").next().and_then(|room| room.parse().ok());
        let addresses: Vec<String> = all("a").collect();
        if !addresses.iter().all(|address| is_address(address)) {
            return Err(NetError::BadLink("an address in it is neither host:port nor https://name"));
        }
        let fingerprint = all("fp").next().map(|digits| fingerprint(&digits)).transpose()?;
        Ok(Self {
            room: room.ok_or(NetError::BadLink("it names no room"))?,
            name: all("name").next().unwrap_or_default(),
            addresses,
            fingerprint,
            invite: all("i").next(),
        })
    }
}

fn fingerprint(digits: &str) -> Result<[u8; 32], NetError> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap_or_default();
    bytes.try_into().map_err(|_| NetError::BadLink("its fingerprint is damaged"))
}

/// What an address of a proxy with an ordinary certificate begins with.
const HTTPS: &str = "https://";

/// The name and, where it is not 443, the port of a proxy with an ordinary certificate; none for a host's own address.
pub(crate) fn behind_https(address: &str) -> Option<&str> {
    address.strip_prefix(HTTPS)
}

/// Whether a text has the form `host:port`, or `https://host` for a proxy, with or without a port.
pub fn is_address(text: &str) -> bool {
    match behind_https(text) {
        Some(proxy) if proxy.contains(':') => is_host_and_port(proxy),
        Some(proxy) => is_host_and_port(&format!("{proxy}:443")),
        None => is_host_and_port(text),
    }
}

fn is_host_and_port(text: &str) -> bool {
    let plain =
        !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#'));
    plain && text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_a_hosts_own_or_a_proxys() {
        for fine in [
            "192.168.1.5:47900",
            "[::1]:80",
            "studio.local:1",
            "https://music.example.org",
            "https://a.b:8443",
        ] {
            assert!(is_address(fine), "{fine}");
        }
        for wrong in [
            "",
            "host",
            ":1",
            "host:",
            "host:99999",
            "http://a:1",
            "https://",
            "https://a/b",
            "https://a:x",
            "a b:1",
        ] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_link_says_why() {
        for (wrong, why) in [
            ("hello", "does not begin with"),
            ("https://join?v=1", "does not begin with"),
            ("synxsphere://join?nothing", "part of it is missing"),
            ("synxsphere://join?v=2&room=x", "another version"),
            ("synxsphere://join?v=1", "names no room"),
        ] {
            let said = wrong.parse::<InviteLink>().unwrap_err().to_string();
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            room: [u8; 16],
            name in ".{0,40}",
            ports in proptest::collection::vec(any::<u16>(), 0..4),
            fingerprint: Option<[u8; 32]>,
            invite in proptest::option::of("[A-Za-z0-9_.-]{1,300}"),
        ) {
            let addresses = ports.iter().map(|port| format!("[fe80::{port:x}]:{port}")).collect();
            let link = InviteLink { room: RoomId::from_bytes(room), name, addresses, fingerprint, invite };
            prop_assert_eq!(link.to_string().parse::<InviteLink>().unwrap(), link);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(synxsphere://join\\?v=1)?.{0,200}") {
            drop(text.parse::<InviteLink>());
        }
    }
}
