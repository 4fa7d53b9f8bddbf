//! Rooms: alone, of this machine, and of others.

pub(crate) mod abandoned;
pub(crate) mod archive;
pub(crate) mod backend;
pub(crate) mod clock;
pub(crate) mod coming;
pub(crate) mod conductor;
mod engine_time;
pub(crate) mod feed;
pub(crate) mod fetch;
pub(crate) mod hosted;
pub(crate) mod hosting;
pub(crate) mod invites;
pub(crate) mod joined;
pub(crate) mod knocks;
pub(crate) mod lead;
pub(crate) mod page;
mod reach;
pub(crate) mod solo;
pub(crate) mod stage;
pub(crate) mod summary;
pub(crate) mod time;
pub(crate) mod upcoming;
pub(crate) mod view;

pub use backend::HostBackend;
pub use hosted::HostedRoom;
