//! Cards: where frames leave the program. One loop drives every card that is polled, real or simulated, so that what is
//! tested in simulated time is what plays.

pub(crate) mod desk;
pub(crate) mod null;
pub(crate) mod pump;

#[cfg(target_os = "linux")]
pub(crate) mod alsa;
#[cfg(any(test, not(target_os = "linux")))]
pub(crate) mod cpal;

/// Sound that is queued ahead while all is well, in microseconds. A machine that stalls for 50 ms right before the next
/// filling (every 12 to 18 ms) still finds 7 ms left; more would only make play and seek slower.
pub(crate) const QUEUE_US: u32 = 75_000;
/// Silence with which a card is started: enough not to run dry before the first stamps are in.
pub(crate) const PREFILL_US: u32 = 30_000;

/// What a card says about its queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    /// Frames that can be written now.
    pub writable: usize,
    /// Frames written that wait in this machine's own buffer. A sound server or a radio behind it adds to the delay, but
    /// nothing to what a stall can live on.
    pub queued: usize,
    /// Frames between the next one written and the one being heard.
    pub delay_frames: f64,
    /// Local instant by which that was so: read after the card was asked.
    pub asked_us: f64,
}

#[derive(Debug)]
pub(crate) enum CardFault {
    /// The card ran dry and stands still.
    Xrun,
    /// The card is gone or broken.
    Gone(String),
}

/// A sound card that is polled.
pub(crate) trait Card {
    fn rate_hz(&self) -> u32;
    /// Starts or restarts with [`PREFILL_US`] of silence.
    fn start(&mut self) -> Result<(), CardFault>;
    /// `None` when the card has no answer this time.
    fn queue(&mut self) -> Result<Option<Queue>, CardFault>;
    fn write(&mut self, frames: &[[f32; 2]]) -> Result<(), CardFault>;
    /// Lets about this long pass.
    fn wait(&mut self, us: u32);
}
