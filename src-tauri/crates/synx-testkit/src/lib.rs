//! Virtual time and a lossy link for tests: everything repeats from a seed, nothing sleeps. Never a dependency of
//! anything but tests.
#![warn(missing_docs)]

mod clock;
pub mod events;
mod link;
mod random;

pub use clock::SimClock;
pub use link::{Delay, Link};
pub use random::Random;
