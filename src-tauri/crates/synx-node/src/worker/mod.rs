//! Work on files from strangers, in processes of their own: the same program started again under a hidden name, with limits
//! of memory that the system holds and of time that we hold. A decoder that hangs or swallows memory takes its worker down.
//!
//! Must never believe more of a worker than that it sent some lines: they are read with limits, and whatever is wrong
//! with them ends it.

mod job;
mod pool;
mod serve;

pub use pool::{Bounds, Launch, Progress, WorkError, Workers};
pub(crate) use serve::can_serve;
pub use serve::{limit_oneself, serve_if_asked};
