//! What the peers heard, counted and timed: from sending a message to its answer, and to its last listener.

use crate::frames::Said;
use crate::latency::Latencies;
use crate::peers::Ear;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;
use tokio::sync::Notify;

/// A message on its way.
#[derive(Clone, Copy)]
struct Sent {
    at: Instant,
    by: usize,
    /// Listeners who have not heard it yet.
    left: usize,
}

#[derive(Default)]
pub struct Tally {
    sent: RefCell<Vec<Sent>>,
    pub joined: Cell<usize>,
    pub deliveries: Cell<u64>,
    pub acknowledged: Cell<u64>,
    /// Messages that all their listeners have heard.
    pub complete: Cell<u64>,
    pub to_ack: RefCell<Latencies>,
    pub to_last: RefCell<Latencies>,
    /// Senders of messages that were answered, and of those that were heard by all, since somebody looked.
    pub answered: RefCell<VecDeque<usize>>,
    pub heard: RefCell<VecDeque<usize>>,
    pub news: Notify,
    /// The last seq of each peer's log, and the last one it heard.
    pub heads: RefCell<Vec<(u64, u64)>>,
    pub farewells: RefCell<Vec<(usize, String)>>,
}

impl Tally {
    pub fn new(peers: usize) -> Rc<Self> {
        let tally = Self::default();
        tally.heads.borrow_mut().resize(peers, (u64::MAX, 0));
        Rc::new(tally)
    }

    /// Notes a message before it is sent; its number.
    pub fn sending(&self, by: usize, listeners: usize, at: Instant) -> u64 {
        let mut sent = self.sent.borrow_mut();
        sent.push(Sent { at, by, left: listeners });
        sent.len() as u64 - 1
    }

    /// Forgets the times so far.
    pub fn clear(&self) {
        self.to_ack.borrow_mut().clear();
        self.to_last.borrow_mut().clear();
    }

    fn delivered(&self, number: u64) {
        self.deliveries.set(self.deliveries.get() + 1);
        let mut all = self.sent.borrow_mut();
        let Some(sent) = all.get_mut(number as usize).filter(|sent| sent.left > 0) else { return };
        sent.left -= 1;
        if sent.left == 0 {
            self.complete.set(self.complete.get() + 1);
            self.to_last.borrow_mut().add(sent.at.elapsed());
            self.heard.borrow_mut().push_back(sent.by);
            self.news.notify_one();
        }
    }

    fn durable(&self, number: u64) {
        let Some(sent) = self.sent.borrow().get(number as usize).copied() else { return };
        self.acknowledged.set(self.acknowledged.get() + 1);
        self.to_ack.borrow_mut().add(sent.at.elapsed());
        self.answered.borrow_mut().push_back(sent.by);
        self.news.notify_one();
    }
}

impl Ear for Tally {
    fn hear(&self, peer: usize, said: Said) {
        match said {
            Said::Answered { number, .. } => self.durable(number),
            Said::Message { number, seq } => {
                if let Some(head) = self.heads.borrow_mut().get_mut(peer) {
                    head.1 = seq;
                }
                if let Some(number) = number {
                    self.delivered(number);
                }
            }
            Said::Joined { head_seq } => {
                self.joined.set(self.joined.get() + 1);
                if let Some(head) = self.heads.borrow_mut().get_mut(peer) {
                    head.0 = head_seq;
                }
            }
            Said::Bye(text) => self.farewells.borrow_mut().push((peer, text)),
            Said::Refused(text) => panic!("peer {peer} was refused: {text}"),
            Said::Ping | Said::Else => {}
        }
    }
}
