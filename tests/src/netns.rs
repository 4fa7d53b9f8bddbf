//! A network namespace with two links to this one, each of which can be cut: for a node that is cut off from some and not from others.
//!
//! A process that is killed leaves its namespace behind, whose addresses the next one's has too: who makes one removes those first.

use std::path::Path;
use std::process::Command;

/// What a namespace's name begins with; what follows is whose it is.
const PREFIX: &str = "synx-";

/// A namespace. It ends with this.
pub struct Namespace {
    name: String,
    process: u32,
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

    /// What the name of its end here begins with; what follows is whose it is.
    fn prefix(self) -> String {
        format!("synx{}-", self.number())
    }
}

impl Namespace {
    /// A new namespace; none, with the reason, where this user may make none.
    pub fn make() -> Result<Self, String> {
        remove_leftovers()?;
        let made = Self::add(std::process::id())?;
        ip(&["-n", &made.name, "link", "set", "lo", "up"])?;
        for link in [Link::First, Link::Second] {
            let (here, there) = made.devices(link);
            ip(&["address", "add", &format!("{}/24", link.here()), "dev", &here])?;
            ip(&["link", "set", &here, "up"])?;
            ip(&["-n", &made.name, "address", "add", &format!("{}/24", link.there()), "dev", &there])?;
            ip(&["-n", &made.name, "link", "set", &there, "up"])?;
        }
        Ok(made)
    }

    /// The namespace of a process, and its links.
    fn add(process: u32) -> Result<Self, String> {
        let made = Self { name: format!("{PREFIX}{process}"), process };
        ip(&["netns", "add", &made.name])?;
        for link in [Link::First, Link::Second] {
            let (here, there) = made.devices(link);
            ip(&["link", "add", &here, "type", "veth", "peer", "name", &there, "netns", &made.name])?;
        }
        Ok(made)
    }

    /// A link's ends, here and there.
    fn devices(&self, link: Link) -> (String, String) {
        let here = format!("{}{}", link.prefix(), self.process);
        let there = format!("{here}t");
        (here, there)
    }

    /// What to put before a program's name to start it in there.
    pub fn wrapper(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name].map(str::to_owned).to_vec()
    }

    /// Puts the machine there into the network of a link, or takes it out.
    pub fn belong(&self, link: Link, belongs: bool) {
        let (change, (_, there)) = (if belongs { "add" } else { "del" }, self.devices(link));
        ip(&["-n", &self.name, "address", change, &format!("{}/24", link.there()), "dev", &there]).unwrap();
    }

    /// Cuts a link, or mends it.
    pub fn set(&self, link: Link, up: bool) {
        ip(&["link", "set", &self.devices(link).0, if up { "up" } else { "down" }]).unwrap();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The links go with it.
        drop(ip(&["netns", "delete", &self.name]));
    }
}

/// Removes the links and namespaces of processes that are gone.
fn remove_leftovers() -> Result<(), String> {
    // First, and by themselves: a namespace in which a program still runs stays, without its name.
    for link in said(&["-br", "link", "show", "type", "veth"])?.lines() {
        let name = link.split(['@', ' ']).next().unwrap_or_default();
        if is_left([Link::First, Link::Second].iter().find_map(|link| owner(name, &link.prefix()))) {
            ip(&["link", "delete", name])?;
        }
    }
    for namespace in said(&["netns", "list"])?.lines() {
        let name = namespace.split(' ').next().unwrap_or_default();
        if is_left(owner(name, PREFIX)) {
            ip(&["netns", "delete", name])?;
        }
    }
    Ok(())
}

/// Whose something with this name is, if it is one of ours.
fn owner(name: &str, prefix: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.parse().ok()
}

fn is_left(owner: Option<u32>) -> bool {
    owner.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists())
}

fn ip(args: &[&str]) -> Result<(), String> {
    said(args).map(drop)
}

fn said(args: &[&str]) -> Result<String, String> {
    let output = Command::new("ip").args(args).output().map_err(|error| format!("ip: {error}"))?;
    let [said, complained] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("ip {}: {}", args.join(" "), complained.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What there is of a namespace: its name and its links here.
    fn is_there(namespace: &Namespace) -> [bool; 3] {
        let names = said(&["netns", "list"]).unwrap();
        let link = |link| Path::new("/sys/class/net").join(namespace.devices(link).0).exists();
        let named = names.lines().any(|line| line.split(' ').next() == Some(&namespace.name));
        [named, link(Link::First), link(Link::Second)]
    }

    #[test]
    fn what_a_process_left_behind_that_was_killed_is_removed_and_nothing_else() {
        let mut killed = Command::new("sleep").arg("600").spawn().unwrap();
        let (mine, theirs) = match (Namespace::add(std::process::id()), Namespace::add(killed.id())) {
            (Ok(mine), Ok(theirs)) => (mine, theirs),
            (mine, theirs) => {
                killed.kill().unwrap();
                killed.wait().unwrap();
                return println!("skipped: no network namespace can be made ({:?})", mine.and(theirs).err());
            }
        };
        // A program of theirs lives on in there.
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &theirs.name, "sleep", "600"]);
        let mut inside = inside.spawn().unwrap();
        remove_leftovers().unwrap();
        assert_eq!((is_there(&mine), is_there(&theirs)), ([true; 3], [true; 3]));
        killed.kill().unwrap();
        killed.wait().unwrap();
        remove_leftovers().unwrap();
        assert_eq!((is_there(&mine), is_there(&theirs)), ([true; 3], [false; 3]));
        inside.kill().unwrap();
        inside.wait().unwrap();
    }
}
