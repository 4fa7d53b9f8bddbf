//! One running instance: host, peer, library and player composed.

pub mod bridge;
