//! Moves blocks from the renderer to a card and the card's stamps to its clock.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Card, CardFault, PREFILL_US, QUEUE_US};
use crate::card_clock::CardClock;
use crate::renderer::Renderer;
use crate::shared::Shared;

/// Frames rendered in one go.
const BLOCK: usize = 1024;
/// Smaller pieces are left for the next turn.
const LEAST: usize = 64;
/// Time between two fillings. It varies from turn to turn: a card that moves its position in steps is then caught right
/// after a step now and then, which is what its clock needs.
const TURN_US: u32 = 15_000;
const TURN_VARIES_US: u32 = 5_000;
/// While the card settles its stamps are wanted quickly.
const SETTLING_TURN_US: u32 = 4_000;

pub(crate) struct Pump {
    shared: Arc<Shared>,
    renderer: Renderer,
    clock: CardClock,
    rate_hz: u32,
    written: u64,
    turns: u32,
    dry: bool,
    block: Vec<[f32; 2]>,
}

impl Pump {
    pub(crate) fn new(shared: Arc<Shared>, renderer: Renderer) -> Self {
        let rate_hz = 48_000;
        let clock = CardClock::new(rate_hz);
        Self {
            shared,
            renderer,
            clock,
            rate_hz,
            written: 0,
            turns: 0,
            dry: false,
            block: vec![[0.0; 2]; BLOCK],
        }
    }

    /// Another card from now on.
    pub(crate) fn attach(&mut self, rate_hz: u32) {
        self.rate_hz = rate_hz;
        self.clock = CardClock::new(rate_hz);
        self.shared.device_hz.store(rate_hz, Ordering::Relaxed);
    }

    /// At `asked_us` (local) the card had `delay_frames` to go before the next frame is heard.
    pub(crate) fn observe(&mut self, asked_us: f64, delay_frames: f64) {
        self.clock.observe(self.written, asked_us, delay_frames);
    }

    /// The next frames to be heard, at most [`BLOCK`].
    pub(crate) fn next(&mut self, frames: usize) -> &[[f32; 2]] {
        let block = &mut self.block[..frames.min(BLOCK)];
        self.renderer.render(block, self.clock.block(self.written));
        self.written += block.len() as u64;
        block
    }

    #[cfg(test)]
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Plays on a card until it fails or `leave` says so.
    pub(crate) fn run(
        &mut self,
        card: &mut dyn Card,
        mut leave: impl FnMut() -> bool,
    ) -> Result<(), CardFault> {
        self.attach(card.rate_hz());
        card.start()?;
        while !leave() {
            self.turn(card)?;
        }
        Ok(())
    }

    pub(crate) fn turn(&mut self, card: &mut dyn Card) -> Result<(), CardFault> {
        match self.fill(card) {
            Err(CardFault::Xrun) => {
                self.shared.xruns.fetch_add(1, Ordering::Relaxed);
                self.clock.restart();
                card.start()?;
            }
            other => other?,
        }
        self.turns = self.turns.wrapping_add(1);
        let settled = self.clock.block(self.written).is_some();
        // The golden ratio spreads the waits evenly without repeating.
        let vary = (u64::from(self.turns) * 2_654_435_769 % (1 << 32) * u64::from(TURN_VARIES_US)) >> 32;
        card.wait(if settled { TURN_US - TURN_VARIES_US / 2 + vary as u32 } else { SETTLING_TURN_US });
        Ok(())
    }

    fn fill(&mut self, card: &mut dyn Card) -> Result<(), CardFault> {
        let Some(queue) = card.queue()? else { return Ok(()) };
        if queue.delay_frames > 0.0 {
            self.dry = false;
            self.observe(queue.asked_us, queue.delay_frames);
        } else if !std::mem::replace(&mut self.dry, true) {
            // Some sound servers run dry without saying so, and while they wake up they say nothing of use.
            self.shared.xruns.fetch_add(1, Ordering::Relaxed);
            self.clock.restart();
        }
        // Until the card has settled only silence could be queued, and it would delay the sound behind it.
        let settled = self.clock.block(self.written).is_some();
        let goal_us = if settled { QUEUE_US } else { PREFILL_US };
        let goal = u64::from(goal_us) * u64::from(self.rate_hz) / 1_000_000;
        let mut room = queue.writable.min((goal as usize).saturating_sub(queue.queued));
        while room >= LEAST {
            let block = self.next(room);
            room -= block.len();
            card.write(block)?;
        }
        Ok(())
    }
}
