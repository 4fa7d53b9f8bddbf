//! Whose turn it is in a room that several nodes write to at once.
//!
//! Each may append only behind what the others have appended. If all tried at once, all but one would have to decide anew, and the same one
//! could be last again and again, as who was first knows first how it goes on. So who has just written lets others write first: then
//! they go round. They tell each other nothing, so each finds out by waiting for a moment whether anybody else wants to write.
//! Must never be relied upon: what is decided on something else than it is written behind is refused, whosever turn it was.

use std::time::Duration;
use tokio::time::Instant;

/// After so many writes it is tried whether there is one more who wants to write: twice as many each time that there is nobody at all.
const TRIED_AFTER: u32 = 8;
const TRIED_AFTER_AT_MOST: u32 = 64;
/// Others who are let write between two turns, at most.
const OTHERS: u32 = 7;
/// How long all of them are waited for, at most.
const PATIENCE: Duration = Duration::from_millis(50);

/// A node's view of the turns in one room.
#[derive(Debug)]
pub(super) struct Turns {
    /// Whether others write as soon as they are let.
    contended: bool,
    /// How many of them.
    others: u32,
    /// Writes since it was tried whether there are more, and until it is.
    writes: u32,
    tried_after: u32,
    yielding: Option<Yielding>,
}

/// The turn of others.
#[derive(Debug)]
struct Yielding {
    until: Instant,
    to: u32,
    wrote: u32,
}

impl Turns {
    pub fn new() -> Self {
        Self { contended: false, others: 1, writes: 0, tried_after: TRIED_AFTER, yielding: None }
    }

    /// Until when it is the others' turn, if it is.
    pub fn others_until(&self) -> Option<Instant> {
        self.yielding.as_ref().map(|yielding| yielding.until)
    }

    /// The others had their time.
    pub fn is_mine(&mut self) {
        let Some(Yielding { wrote, .. }) = self.yielding.take() else { return };
        self.contended = wrote > 0;
        self.others = wrote.max(1);
        self.tried_after =
            if self.contended { TRIED_AFTER } else { (self.tried_after * 2).min(TRIED_AFTER_AT_MOST) };
    }

    /// One of the others has written.
    pub fn another_wrote(&mut self) {
        let Some(yielding) = &mut self.yielding else { return };
        yielding.wrote += 1;
        if yielding.wrote >= yielding.to {
            self.is_mine();
        }
    }

    /// This one has written, which took so long, and was overtaken before or not.
    pub fn wrote(&mut self, now: Instant, took: Duration, overtaken: bool) {
        self.contended |= overtaken;
        self.writes += 1;
        let is_tried = self.writes >= self.tried_after;
        if is_tried {
            self.writes = 0;
        }
        if self.contended || is_tried {
            let to = (self.others + u32::from(self.contended && is_tried)).min(OTHERS);
            // Each takes about as long, and needs as long to hear of the one before.
            let until = now + (took * 2 * to).min(PATIENCE);
            self.yielding = Some(Yielding { until, to, wrote: 0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a write takes.
    const WRITE: Duration = Duration::from_millis(5);

    struct Node {
        turns: Turns,
        overtaken: bool,
        wrote: u32,
    }

    /// Nodes that always have something to write, and of which the first always comes first; how often anybody was overtaken.
    fn write(nodes: usize, writes: usize) -> (Vec<Node>, u32) {
        let (mut now, mut overtaken) = (Instant::now(), 0);
        let new = || Node { turns: Turns::new(), overtaken: false, wrote: 0 };
        let mut nodes: Vec<_> = (0..nodes).map(|_| new()).collect();
        for _ in 0..writes {
            let mut writer = None;
            while writer.is_none() {
                for (index, node) in nodes.iter_mut().enumerate() {
                    if node.turns.others_until().is_some_and(|until| until <= now) {
                        node.turns.is_mine();
                    }
                    if node.turns.others_until().is_some() {
                        continue;
                    }
                    node.overtaken |= writer.is_some();
                    overtaken += u32::from(writer.is_some());
                    writer = writer.or(Some(index));
                }
                now += WRITE;
            }
            for (index, node) in nodes.iter_mut().enumerate() {
                if Some(index) == writer {
                    node.turns.wrote(now, WRITE, std::mem::take(&mut node.overtaken));
                    node.wrote += 1;
                } else {
                    node.turns.another_wrote();
                }
            }
        }
        (nodes, overtaken)
    }

    #[test]
    fn all_get_their_turn_however_unfair_the_race_is() {
        for count in 1..=6 {
            let (nodes, overtaken) = write(count, 1000);
            let least = nodes.iter().map(|node| node.wrote).min().unwrap();
            assert!(least >= 1000 / count as u32 / 2, "the last of {count} wrote {least} times");
            assert!(overtaken < 1000, "{overtaken} of {count}");
        }
    }

    #[test]
    fn who_is_alone_seldom_waits() {
        let (mut turns, now) = (Turns::new(), Instant::now());
        let waited = (0..1000).filter(|_| {
            turns.wrote(now, WRITE, false);
            let waits = turns.others_until().is_some();
            turns.is_mine();
            waits
        });
        assert!(waited.count() < 20);
        // Also after somebody else has come once.
        turns.wrote(now, WRITE, true);
        assert_eq!(turns.others_until(), Some(now + WRITE * 2));
        turns.is_mine();
        turns.wrote(now, WRITE, false);
        assert_eq!(turns.others_until(), None);
    }
}
