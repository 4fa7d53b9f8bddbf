//! Where others reach a hosted room: at the addresses that this machine has when it is asked.
//!
//! Must never take them for lasting: a laptop goes from one network to the next while its room is open.

use crate::network::{addresses_among, own_addresses};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How soon a change is noticed: sooner than anybody has copied a link again, and for two looks at a list.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The addresses of this machine in networks, likeliest first.
type Networks = Arc<dyn Fn() -> Vec<IpAddr> + Send + Sync>;

/// Where a room is reached.
#[derive(Clone)]
pub struct Reach {
    public_address: Option<String>,
    /// None where a proxy is what encrypts: nobody is shown the way around it.
    listening: Option<SocketAddr>,
    networks: Networks,
}

impl Reach {
    /// A room whose server listens there, and encrypts or not; with the address of a proxy that leads to it.
    pub fn new(listening: SocketAddr, tls: bool, public_address: Option<String>) -> Self {
        let listening = Some(listening).filter(|_| tls || public_address.is_none());
        Self { public_address, listening, networks: Arc::new(own_addresses) }
    }

    /// `https://name` of the proxy, then `host:port`, likeliest first, as it is now.
    pub fn addresses(&self) -> Vec<String> {
        let own = self.listening.map(|listening| addresses_among((self.networks)(), listening));
        let own = own.unwrap_or_default();
        self.public_address.iter().cloned().chain(own.iter().map(SocketAddr::to_string)).collect()
    }

    /// Those that are of use on another machine, for people to pass on.
    pub fn addresses_elsewhere(&self) -> Vec<String> {
        let is_here = |address: &String| address.parse().is_ok_and(|at: SocketAddr| at.ip().is_loopback());
        self.addresses().into_iter().filter(|address| !is_here(address)).collect()
    }

    /// Tells the addresses when they are no longer what was `known`, for as long as that may happen.
    pub async fn follow(self, mut known: Vec<String>, told: impl Fn(Vec<String>)) {
        if self.listening.is_none_or(|listening| !listening.ip().is_unspecified()) {
            return;
        }
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let now = self.addresses();
            if now != known {
                known.clone_from(&now);
                told(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::sync::mpsc;

    #[tokio::test(start_paused = true)]
    async fn a_room_is_reached_where_its_machine_is_now() {
        let home = IpAddr::from([192, 168, 1, 7]);
        let cafe = IpAddr::from([10, 20, 0, 3]);
        let networks = Arc::new(Mutex::new(vec![home]));
        let listed = Arc::clone(&networks);
        let reach = Reach {
            networks: Arc::new(move || listed.lock().unwrap().clone()),
            ..Reach::new("0.0.0.0:4711".parse().unwrap(), true, Some("https://rooms.example".to_owned()))
        };
        let at = |ip: &[&str]| -> Vec<String> {
            let own = ip.iter().chain(&["127.0.0.1"]).map(|ip| format!("{ip}:4711"));
            ["https://rooms.example".to_owned()].into_iter().chain(own).collect()
        };
        assert_eq!(reach.addresses(), at(&["192.168.1.7"]));
        assert_eq!(reach.addresses_elsewhere(), ["https://rooms.example", "192.168.1.7:4711"]);

        let (told, mut changes) = mpsc::unbounded_channel();
        let follows = reach.clone().follow(reach.addresses(), move |now| told.send(now).unwrap());
        let follows = tokio::spawn(follows);
        *networks.lock().unwrap() = vec![cafe];
        assert_eq!(reach.addresses(), at(&["10.20.0.3"]));
        assert_eq!(changes.recv().await.unwrap(), at(&["10.20.0.3"]));
        networks.lock().unwrap().clear();
        assert_eq!(changes.recv().await.unwrap(), at(&[]));
        // Told once, not at every look.
        *networks.lock().unwrap() = vec![cafe, home];
        assert_eq!(changes.recv().await.unwrap(), at(&["10.20.0.3", "192.168.1.7"]));
        tokio::time::sleep(10 * LOOK_EVERY).await;
        assert!(changes.try_recv().is_err());
        follows.abort();
    }

    #[tokio::test]
    async fn what_was_chosen_is_not_looked_for() {
        for (listening, tls, public, reached) in [
            ("192.0.2.7:4711", true, None, vec!["192.0.2.7:4711"]),
            ("0.0.0.0:4711", false, Some("https://rooms.example"), vec!["https://rooms.example"]),
        ] {
            let reach = Reach::new(listening.parse().unwrap(), tls, public.map(str::to_owned));
            assert_eq!(reach.addresses(), reached);
            reach.follow(Vec::new(), |_| panic!("nothing changes")).await;
        }
    }
}
