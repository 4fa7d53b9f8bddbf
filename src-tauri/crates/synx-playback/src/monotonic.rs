//! The one local clock. Probes, card stamps and the null output all read it, so their instants can be compared.

use std::sync::LazyLock;
use std::time::Instant;

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Microseconds since this process first asked: `CLOCK_MONOTONIC` on Linux, its equivalents elsewhere. Never the wall
/// clock, never backwards. Reading it is no system call.
#[must_use]
pub fn monotonic_us() -> i64 {
    i64::try_from(ORIGIN.elapsed().as_micros()).unwrap_or(i64::MAX)
}

/// The same with its fraction, for stamps of the sound card.
pub(crate) fn monotonic_exact_us() -> f64 {
    ORIGIN.elapsed().as_nanos() as f64 * 1e-3
}
