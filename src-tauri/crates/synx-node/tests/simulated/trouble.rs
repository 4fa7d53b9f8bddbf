//! What goes wrong: one trouble after another, each for a while, several at the same time.

use crate::Dice;
use crate::house::House;
use crate::net::{GOOD_US, Net};
use crate::peer::Peer;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::Command;
use tokio::sync::watch;
use tokio::time::sleep;

/// Between two troubles.
const PEACE: Duration = Duration::from_millis(1_200);

/// Everything that can go wrong, and what is to be done about it.
pub struct Trouble<'a> {
    pub net: &'a Arc<Net>,
    pub house: &'a House,
    pub peers: &'a [Peer],
    pub busy: &'a watch::Sender<bool>,
    pub dice: Dice,
}

/// One trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing passes between a peer and the host, one way or both.
    Partition,
    /// A peer's path is as it was made to be.
    Mended,
    /// Everything on a peer's path takes long.
    Slow,
    /// A peer's connections break.
    Reset,
    /// A peer's connections are forgotten on the way, and nobody is told.
    Forgotten,
    /// A peer's process ends, or comes back.
    PeerCrash,
    /// The host's process ends, or its machine; or it comes back.
    HostCrash,
    /// None: the host's own person says something.
    HostSpeaks,
}

impl Kind {
    pub fn is_crash(self) -> bool {
        matches!(self, Self::PeerCrash | Self::HostCrash)
    }
}

/// As often as they are listed.
const KINDS: [Kind; 16] = [
    Kind::Partition,
    Kind::Partition,
    Kind::Mended,
    Kind::Mended,
    Kind::Mended,
    Kind::Mended,
    Kind::Slow,
    Kind::Slow,
    Kind::Reset,
    Kind::Forgotten,
    Kind::PeerCrash,
    Kind::PeerCrash,
    Kind::HostCrash,
    Kind::HostSpeaks,
    Kind::HostSpeaks,
    Kind::HostSpeaks,
];

impl Trouble<'_> {
    /// Waits a while and lets something happen.
    pub async fn strike(&self) -> Kind {
        // What is down does not stay so for long: else little happens that can go wrong.
        let longest = if self.house.is_running() { PEACE } else { PEACE * 2 };
        sleep(self.dice.about(longest)).await;
        let kind = KINDS[self.dice.below(KINDS.len())];
        let number = self.dice.below(self.peers.len());
        let peer = &self.peers[number];
        match kind {
            Kind::Partition => {
                let ways = [[false, false], [true, false], [false, true]];
                self.net.open(number, ways[self.dice.below(ways.len())]);
            }
            Kind::Mended => self.mend(number),
            Kind::Slow => {
                let slowest_us = 20_000 + self.dice.below(1_500_000) as u64;
                self.net.delay(number, slowest_us / 4..slowest_us);
            }
            Kind::Reset => self.net.reset(number),
            Kind::Forgotten => self.net.lose(number),
            Kind::PeerCrash if peer.is_running() => peer.crash(),
            Kind::PeerCrash => peer.start(self.busy.subscribe()),
            Kind::HostCrash if self.house.is_running() => self.house.crash(self.dice.once_in(2)),
            Kind::HostSpeaks if self.house.is_running() => {
                // It may take long, and end with the process.
                let text = "the host speaks".to_owned();
                let said = self.house.does(Command::PostChatMessage { text });
                drop(tokio::time::timeout(Duration::from_millis(100), said).await);
            }
            Kind::HostCrash | Kind::HostSpeaks => self.house.start().await,
        }
        kind
    }

    fn mend(&self, number: usize) {
        self.net.open(number, [true; 2]);
        self.net.delay(number, GOOD_US);
    }

    /// Nothing goes wrong any more.
    pub async fn end(&self) {
        self.net.calm();
        (0..self.peers.len()).for_each(|number| self.mend(number));
        if !self.house.is_running() {
            self.house.start().await;
        }
        for peer in self.peers.iter().filter(|peer| !peer.is_running()) {
            peer.start(self.busy.subscribe());
        }
    }
}
