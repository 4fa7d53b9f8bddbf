//! What one address may do: how many connections it holds, and how often it is refused before it is not listened to.
//!
//! Must never keep more than it has limits for: an address costs memory only while it is connected, or was refused lately.

use crate::server::bucket::Bucket;
use crate::server::config::ServerConfig;
use crate::server::hall::lock;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// Refusals that are forgiven each second.
const FORGIVEN_PER_S: f64 = 0.5;
/// Addresses whose refusals are remembered; when there are more, those that have been forgiven all go.
const REMEMBERED: usize = 4096;

#[derive(Default)]
pub(crate) struct Addresses {
    connected: Mutex<HashMap<IpAddr, usize>>,
    refused: Mutex<HashMap<IpAddr, Bucket>>,
}

/// A connection's place among those of its address. Dropping it gives it back.
pub(crate) struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connected = lock(&self.addresses.connected);
        if let Some(count) = connected.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                connected.remove(&self.address);
            }
        }
    }
}

impl Addresses {
    /// A place for one more connection; none if the address has enough of them.
    pub fn connect(self: &Arc<Self>, config: &ServerConfig, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut connected = lock(&self.connected);
        let count = connected.entry(address).or_default();
        if *count >= config.limits.connections_per_address && !config.shared_addresses.contains(&address) {
            return None;
        }
        *count += 1;
        Some(Place { addresses: Arc::clone(self), address })
    }

    /// Whether what an address brings is looked at.
    pub fn is_heard(&self, config: &ServerConfig, address: IpAddr) -> bool {
        let address = address.to_canonical();
        config.shared_addresses.contains(&address)
            || lock(&self.refused).get_mut(&address).is_none_or(|bucket| bucket.has_one())
    }

    /// Notes that an address brought a proof, an invite or a token that is not good.
    pub fn refuse(&self, config: &ServerConfig, address: IpAddr) {
        let mut refused = lock(&self.refused);
        if refused.len() >= REMEMBERED {
            refused.retain(|_, bucket| !bucket.is_full());
        }
        if refused.len() < REMEMBERED {
            let full = || Bucket::full(FORGIVEN_PER_S, config.limits.refused_per_address);
            refused.entry(address.to_canonical()).or_insert_with(full).take();
        }
    }
}
