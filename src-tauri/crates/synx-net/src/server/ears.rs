//! Who is told that there is more to send, in groups: one after the other, and in between whoever has something to say is heard.
//!
//! All of a thousand at once would stand in front of the room's own work: what is said next would be stored, and told, behind
//! all of them. So each group is told of all that has come by its turn, and what comes meanwhile waits for one group, not for
//! the room. Must never leave a group out: one that was not told of the last event is behind until it is.

use crate::server::hall::lock;
use std::sync::Mutex;
use tokio::sync::watch;

/// Peers that are woken together: as many as the runtime serves before it looks at its sockets again (tokio's `event_interval`).
const GROUP: usize = 61;

/// Groups of peers, each with the seq that it was told last.
#[derive(Default)]
pub(crate) struct Ears(Mutex<Vec<watch::Sender<u64>>>);

impl Ears {
    /// A place in the first group that has one.
    pub fn listen(&self) -> watch::Receiver<u64> {
        let mut groups = lock(&self.0);
        if let Some(group) = groups.iter().find(|group| group.receiver_count() < GROUP) {
            return group.subscribe();
        }
        let (group, ear) = watch::channel(0);
        groups.push(group);
        ear
    }

    /// Tells the group that has waited longest of those that were not told of this seq; whether there are others.
    pub fn tell_some(&self, seq: u64) -> bool {
        let mut groups = lock(&self.0);
        groups.retain(|group| group.receiver_count() > 0);
        let waiting = || groups.iter().filter(|group| *group.borrow() < seq);
        if let Some(longest) = waiting().min_by_key(|group| *group.borrow()) {
            longest.send_replace(seq);
        }
        waiting().next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_told_and_the_one_that_has_waited_longest_first() {
        let ears = Ears::default();
        let mut all: Vec<_> = (0..2 * GROUP + 1).map(|_| ears.listen()).collect();
        let told = |all: &[watch::Receiver<u64>]| {
            all.iter().map(|ear| ear.has_changed().unwrap()).filter(|told| *told).count()
        };
        assert!(ears.tell_some(1));
        assert_eq!(told(&all), GROUP);
        // What comes between the groups is told with the rest, and then to those who know of the first alone.
        assert!(ears.tell_some(2));
        assert!(ears.tell_some(2));
        assert_eq!(told(&all), all.len());
        all.iter_mut().for_each(watch::Receiver::mark_unchanged);
        assert!(!ears.tell_some(2));
        assert_eq!(told(&all), GROUP);
        assert!(!ears.tell_some(2));
        assert_eq!(told(&all), GROUP);
        assert_eq!(all.iter().map(|ear| *ear.borrow()).min(), Some(2));
    }

    #[test]
    fn a_place_that_was_given_up_is_given_again() {
        let ears = Ears::default();
        let mut all: Vec<_> = (0..2 * GROUP).map(|_| ears.listen()).collect();
        all.drain(..GROUP / 2);
        all.extend((0..GROUP / 2).map(|_| ears.listen()));
        assert_eq!(lock(&ears.0).len(), 2);
        all.clear();
        assert!(!ears.tell_some(1));
        assert!(lock(&ears.0).is_empty());
    }
}
