//! A network namespace with two links to this one, each of which can be cut: for a node that is cut off from some and not from others.

use std::process::Command;

/// A namespace. It ends with this.
pub struct Namespace {
    name: String,
}

/// One of its two links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// `10.213.1.1` here, `10.213.1.2` there.
    First,
    /// `10.213.2.1` here, `10.213.2.2` there.
    Second,
}

impl Link {
    fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }

    /// This side's address.
    pub fn here(self) -> String {
        format!("10.213.{}.1", self.number())
    }

    /// The other side's.
    pub fn there(self) -> String {
        format!("10.213.{}.2", self.number())
    }

    fn device(self) -> String {
        format!("synx{}-{}", self.number(), std::process::id())
    }
}

impl Namespace {
    /// A new namespace; none, with the reason, where this user may make none.
    pub fn make() -> Result<Self, String> {
        let made = Self { name: format!("synx-{}", std::process::id()) };
        ip(&["netns", "add", &made.name])?;
        ip(&["-n", &made.name, "link", "set", "lo", "up"])?;
        for link in [Link::First, Link::Second] {
            let (here, there) = (link.device(), format!("{}t", link.device()));
            ip(&["link", "add", &here, "type", "veth", "peer", "name", &there, "netns", &made.name])?;
            ip(&["address", "add", &format!("{}/24", link.here()), "dev", &here])?;
            ip(&["link", "set", &here, "up"])?;
            ip(&["-n", &made.name, "address", "add", &format!("{}/24", link.there()), "dev", &there])?;
            ip(&["-n", &made.name, "link", "set", &there, "up"])?;
        }
        Ok(made)
    }

    /// What to put before a program's name to start it in there.
    pub fn wrapper(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name].map(str::to_owned).to_vec()
    }

    /// Puts the machine there into the network of a link, or takes it out.
    pub fn belong(&self, link: Link, belongs: bool) {
        let (change, there) = (if belongs { "add" } else { "del" }, format!("{}t", link.device()));
        ip(&["-n", &self.name, "address", change, &format!("{}/24", link.there()), "dev", &there]).unwrap();
    }

    /// Cuts a link, or mends it.
    pub fn set(&self, link: Link, up: bool) {
        ip(&["link", "set", &link.device(), if up { "up" } else { "down" }]).unwrap();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The links go with it.
        drop(ip(&["netns", "delete", &self.name]));
    }
}

fn ip(args: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(args).output().map_err(|error| format!("ip: {error}"))?;
    let said = || format!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    if output.status.success() { Ok(()) } else { Err(said()) }
}
