//! One running instance: host, peer, library and player composed.
//!
//! The only crate that a user interface talks to. It must never decide what a room allows (`synx-domain` does), nor hold
//! anything back that the log has.

mod alone;
pub mod bridge;
mod calibration;
mod call;
mod cluster;
mod control;
mod data_dir;
mod doctor;
mod error;
mod headless;
pub mod history;
mod invites;
mod joining;
mod keyring;
mod lan;
mod language;
mod left_off;
pub mod library;
mod library_call;
mod looking_back;
pub mod migrate;
mod missed;
mod network;
mod node;
pub mod ops;
pub mod past;
mod person;
mod player;
mod room;
mod rooms;
mod settings;
mod sync;
mod transfers;
mod watchers;
pub mod worker;

pub use cluster::{ClusterConfig, ClusterNode, cluster_invite};
pub use control::Control;
pub use data_dir::{DataPaths, default_data_dir};
pub use error::{NodeError, for_people};
pub use headless::{HostOptions, JoinOptions, Opened, RoomEnd};
pub use invites::{InviteOptions, list_invites, make_invite, revoke_invite};
pub use lan::find_lan_rooms;
pub use node::{Node, NodeConfig};
pub use room::{HostBackend, HostedRoom};
pub use sync::SyncMeasure;
pub use synx_cluster::{ClusterName, ClusterOptions};
pub use synx_net::NetError;

/// Milliseconds since 1970 UTC by the wall clock: for people to read, and for when an invite ends; never to order by.
pub(crate) fn wall_clock_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
