//! Virtual time and a lossy link for tests, where everything repeats from a seed and nothing sleeps, and what benchmarks measure by.
//! Never a dependency of anything but tests.
#![warn(missing_docs)]

mod clock;
pub mod events;
mod link;
mod processor;
mod random;

pub use clock::SimClock;
pub use link::{Delay, Link};
pub use processor::cpu_s;
pub use random::Random;
