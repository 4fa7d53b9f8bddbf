//! Room time from probes: which instant of the host's monotonic clock is "now" here, and how sure are we?
//!
//! A peer and the host exchange NTP-style [`Probe`]s. Each one bounds the difference of the two clocks from both
//! sides, whatever the network did to it. [`ClockFilter`] keeps those bounds and fits the widest straight strip
//! between them: its slope is the difference of the clock rates, its middle the offset. [`ProbeSchedule`] says
//! when the next probe is due.
//!
//! Invariant: this crate is pure. It reads no clock, sleeps nowhere, draws no random numbers and does no I/O; every
//! instant is an argument. Wall-clock time never enters it.
#![warn(missing_docs)]

mod estimate;
mod filter;
mod fit;
pub mod floor;
mod probe;
mod schedule;
mod strip;

pub use estimate::ClockEstimate;
pub use filter::{ClockFilter, Verdict};
pub use probe::Probe;
pub use schedule::ProbeSchedule;
