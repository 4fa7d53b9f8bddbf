//! Nodes with crystals of their own, servers that go down and paths that are cut, in simulated time.

use super::lease::{Record, Written};
use super::timekeeper::{Order, Timekeeper};
use crate::NodeId;
use std::collections::BTreeMap;
use synx_clock::Probe;
use synx_domain::EpochId;
use synx_testkit::{Delay, Link, Random, SimClock};
use uuid::Uuid;

/// To a NATS server and back.
const ANSWER_US: f64 = 2_000.0;
/// What is lost on the way is given up after this.
const LOST_US: f64 = 400_000.0;
const SECOND_US: f64 = 1e6;
/// Nodes are asked what time it is this often.
const LOOK_US: f64 = 1_000.0;

enum Event {
    Wake,
    Looked(Result<Option<(u64, Record)>, ()>),
    Written(Record, Written),
    Told(u64, Record),
    Probed(NodeId, Option<(EpochId, Probe)>),
}

struct Node {
    id: NodeId,
    clock: SimClock,
    keeper: Timekeeper,
    path: Link,
    alive: bool,
    cut: bool,
}

/// A cluster in which time passes.
struct World {
    now_us: f64,
    nodes: Vec<Node>,
    record: Option<(u64, Record)>,
    revisions: u64,
    servers_up: bool,
    /// Answers of the servers that are lost, for so many writes to come.
    deaf_writes: u32,
    events: BTreeMap<(u64, u64), (usize, Event)>,
    made: u64,
    random: Random,
    /// What each node said last: its epoch, room time minus its own clock.
    said: Vec<Option<(EpochId, f64)>>,
    /// The furthest that any node's time has jumped within an epoch.
    jump_us: f64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            now_us: 0.0,
            nodes: Vec::new(),
            record: None,
            revisions: 0,
            servers_up: true,
            deaf_writes: 0,
            events: BTreeMap::new(),
            made: 0,
            random: Random::new(seed),
            said: Vec::new(),
            jump_us: 0.0,
        }
    }

    fn of(seed: u64, nodes: usize) -> Self {
        let mut world = Self::new(seed);
        for _ in 0..nodes {
            world.start();
        }
        world
    }

    /// Another node; its index.
    fn start(&mut self) -> usize {
        let number = self.nodes.len();
        let id = NodeId::numbered(number as u128 + 1);
        let clock = SimClock::new(self.random.uniform(-40.0, 40.0), self.random.uniform(1e9, 9e12));
        let fresh = EpochId::from_uuid(Uuid::from_u128(number as u128 + 100));
        let keeper = Timekeeper::new(id, fresh, clock.read_us(self.now_us) as i64);
        let path = Link::new(Delay::Queue(120.0, 60.0), self.random.bits());
        self.nodes.push(Node { id, clock, keeper, path, alive: true, cut: false });
        self.said.push(None);
        self.at(0.0, number, Event::Wake);
        number
    }

    fn at(&mut self, after_us: f64, node: usize, event: Event) {
        self.made += 1;
        self.events.insert(((self.now_us + after_us.max(0.0)) as u64, self.made), (node, event));
    }

    fn local_us(&self, node: usize) -> i64 {
        self.nodes[node].clock.read_us(self.now_us) as i64
    }

    fn run(&mut self, seconds: f64) {
        let end_us = self.now_us + seconds * SECOND_US;
        let mut look_us = self.now_us;
        while look_us < end_us {
            look_us += LOOK_US;
            while let Some((&(at_us, _), _)) = self.events.first_key_value()
                && at_us as f64 <= look_us
            {
                let Some(((at_us, _), (node, event))) = self.events.pop_first() else { break };
                self.now_us = self.now_us.max(at_us as f64);
                if self.nodes[node].alive {
                    self.happens(node, event);
                }
            }
            self.now_us = look_us;
            self.look();
        }
    }

    fn happens(&mut self, node: usize, event: Event) {
        let now_us = self.local_us(node);
        let keeper = &mut self.nodes[node].keeper;
        match event {
            Event::Wake => {}
            Event::Looked(found) => keeper.looked(now_us, found),
            Event::Written(record, outcome) => keeper.wrote(now_us, record, outcome),
            Event::Told(revision, record) => keeper.saw(now_us, revision, record),
            Event::Probed(owner, answer) => keeper.probed(owner, answer),
        }
        for order in keeper.orders(now_us) {
            self.carry_out(node, order);
        }
        let next_us = self.nodes[node].keeper.next_us().saturating_sub(now_us);
        if next_us < 60_000_000 {
            self.at(next_us as f64 + 1.0, node, Event::Wake);
        }
    }

    fn carry_out(&mut self, node: usize, order: Order) {
        let reached = self.servers_up && !self.nodes[node].cut;
        match order {
            Order::Look if reached => self.at(ANSWER_US, node, Event::Looked(Ok(self.record))),
            Order::Look => self.at(LOST_US, node, Event::Looked(Err(()))),
            Order::Write { record, .. } if !reached => {
                self.at(LOST_US, node, Event::Written(record, Written::Unknown))
            }
            Order::Write { record, over } => {
                let outcome = self.write(record, over);
                let deaf = self.deaf_writes > 0;
                self.deaf_writes = self.deaf_writes.saturating_sub(1);
                match deaf {
                    true => self.at(LOST_US, node, Event::Written(record, Written::Unknown)),
                    false => self.at(ANSWER_US, node, Event::Written(record, outcome)),
                }
            }
            Order::Probe { owner } => self.probe(node, owner),
        }
    }

    fn write(&mut self, record: Record, over: Option<u64>) -> Written {
        if self.record.map(|(revision, _)| revision) != over {
            return Written::Overtaken;
        }
        self.revisions += 1;
        self.record = Some((self.revisions, record));
        for other in 0..self.nodes.len() {
            if !self.nodes[other].cut {
                self.at(ANSWER_US / 2.0, other, Event::Told(self.revisions, record));
            }
        }
        Written::Stored(self.revisions)
    }

    fn probe(&mut self, node: usize, owner: NodeId) {
        let Some(host) = self.nodes.iter().position(|other| other.id == owner) else {
            return self.at(LOST_US, node, Event::Probed(owner, None));
        };
        let (peer_clock, host_clock) = (self.nodes[node].clock, self.nodes[host].clock);
        let owns = self.nodes[host].keeper.owns(self.local_us(host));
        let known = self.nodes[host].keeper.known().filter(|_| owns && self.nodes[host].alive);
        let cut = self.nodes[node].cut || self.nodes[host].cut || !self.servers_up;
        let sent = self.nodes[node].path.probe(self.now_us, &peer_clock, &host_clock);
        let (Some((probe, back_us)), Some(known), false) = (sent, known, cut) else {
            return self.at(LOST_US, node, Event::Probed(owner, None));
        };
        let room_us = |local_us: i64| known.line.room_us(local_us as f64) as i64;
        let probe = Probe { t2_us: room_us(probe.t2_us), t3_us: room_us(probe.t3_us), ..probe };
        self.at(back_us - self.now_us, node, Event::Probed(owner, Some((known.epoch, probe))));
    }

    /// What must hold at any time: there are never two owners, and nobody's time jumps within an epoch.
    fn look(&mut self) {
        assert!(self.owners().len() <= 1, "two owners at {} s", self.now_us / SECOND_US);
        for node in 0..self.nodes.len() {
            let own_us = self.nodes[node].clock.read_us(self.now_us);
            let known = self.nodes[node].keeper.known().filter(|_| self.nodes[node].alive);
            let said = known.map(|known| (known.epoch, known.line.room_us(own_us) - own_us));
            if let (Some((epoch, ahead_us)), Some((before, ahead_before_us))) = (said, self.said[node])
                && epoch == before
                // The first estimate settles while nobody goes by it.
                && self.now_us > 3.0 * SECOND_US
            {
                self.jump_us = self.jump_us.max((ahead_us - ahead_before_us).abs());
            }
            self.said[node] = said;
        }
    }

    fn owners(&self) -> Vec<usize> {
        let owns = |node: &usize| {
            let Node { alive, keeper, .. } = &self.nodes[*node];
            *alive && keeper.owns(self.local_us(*node))
        };
        (0..self.nodes.len()).filter(owns).collect()
    }

    /// The one owner.
    fn owner(&self) -> usize {
        let owners = self.owners();
        assert_eq!(owners.len(), 1, "{owners:?}");
        owners[0]
    }

    /// Seconds until there is another owner than this one.
    fn seconds_until_other_than(&mut self, before: usize) -> f64 {
        let begun_us = self.now_us;
        while self.owners().iter().all(|owner| *owner == before) {
            assert!(self.now_us - begun_us < 10.0 * SECOND_US, "nobody takes over");
            self.run(0.001);
        }
        (self.now_us - begun_us) / SECOND_US
    }

    fn epochs(&self) -> Vec<EpochId> {
        let known = |node: &Node| node.keeper.known().map(|known| known.epoch);
        let mut epochs: Vec<_> = self.nodes.iter().filter(|node| node.alive).filter_map(known).collect();
        epochs.dedup();
        epochs
    }

    /// How far apart the nodes' room times are.
    fn spread_us(&self) -> f64 {
        let room_us = |node: &Node| {
            let known = node.keeper.known().filter(|_| node.alive)?;
            Some(known.line.room_us(node.clock.read_us(self.now_us)))
        };
        let times: Vec<f64> = self.nodes.iter().filter_map(room_us).collect();
        let most = |times: &[f64]| times.iter().copied().fold(f64::MIN, f64::max);
        most(&times) + most(&times.iter().map(|time| -time).collect::<Vec<_>>())
    }
}

/// A step that no peer's estimate follows: far below the noise of a busy Wi-Fi.
const TOGETHER_US: f64 = 300.0;

#[test]
fn nodes_agree_on_one_owner_one_epoch_and_one_time() {
    for seed in 0..20 {
        let mut world = World::of(seed, 5);
        world.run(10.0);
        world.owner();
        assert_eq!(world.epochs().len(), 1, "seed {seed}");
        assert!(world.spread_us() < 100.0, "seed {seed}: {}", world.spread_us());
        assert!(world.jump_us < TOGETHER_US, "seed {seed}: {}", world.jump_us);
    }
}

#[test]
fn a_lost_owner_is_replaced_within_two_seconds_and_time_goes_on() {
    for seed in 0..20 {
        let mut world = World::of(seed, 3);
        world.run(6.0);
        let epochs = world.epochs();
        for _ in 0..2 {
            let owner = world.owner();
            world.nodes[owner].alive = false;
            let seconds = world.seconds_until_other_than(owner);
            assert!(seconds < 1.5, "seed {seed}: {seconds}");
            world.run(5.0);
        }
        assert_eq!(world.epochs(), epochs, "seed {seed}");
        // Another joins in where the last one is.
        world.start();
        world.run(3.0);
        assert_eq!(world.epochs(), epochs, "seed {seed}");
        assert!(world.spread_us() < 100.0, "seed {seed}: {}", world.spread_us());
        assert!(world.jump_us < TOGETHER_US, "seed {seed}: {}", world.jump_us);
    }
}

#[test]
fn an_owner_that_is_cut_off_gives_up_before_it_is_replaced() {
    for seed in 0..20 {
        let mut world = World::of(seed, 3);
        world.run(6.0);
        let (owner, epochs) = (world.owner(), world.epochs());
        world.nodes[owner].cut = true;
        // Two owners at once would be found by looking.
        assert!(world.seconds_until_other_than(owner) < 1.5, "seed {seed}");
        world.run(10.0);
        world.nodes[owner].cut = false;
        world.run(5.0);
        assert_eq!(world.epochs(), epochs, "seed {seed}");
        assert!(world.spread_us() < 100.0, "seed {seed}: {}", world.spread_us());
        // Ten seconds on its own crystal: 80 ppm of them, at most.
        assert!(world.jump_us < 1_000.0, "seed {seed}: {}", world.jump_us);
    }
}

#[test]
fn servers_that_go_down_take_no_time_along() {
    for seed in 0..20 {
        let mut world = World::of(seed, 3);
        world.run(6.0);
        let epochs = world.epochs();
        world.servers_up = false;
        world.run(5.0);
        assert_eq!(world.owners(), [0; 0], "seed {seed}: nobody can own it");
        world.servers_up = true;
        world.run(3.0);
        world.owner();
        assert_eq!(world.epochs(), epochs, "seed {seed}");
        assert!(world.spread_us() < 100.0, "seed {seed}: {}", world.spread_us());
        assert!(world.jump_us < 1_000.0, "seed {seed}: {}", world.jump_us);
    }
}

#[test]
fn a_record_that_is_gone_is_written_again_with_its_epoch() {
    let mut world = World::of(1, 3);
    world.run(6.0);
    let epochs = world.epochs();
    (world.record, world.revisions) = (None, 0);
    world.run(5.0);
    world.owner();
    assert_eq!(world.epochs(), epochs);
    assert!(world.jump_us < TOGETHER_US, "{}", world.jump_us);
}

#[test]
fn answers_that_are_lost_take_the_clock_from_nobody() {
    let mut world = World::of(1, 3);
    world.run(6.0);
    let owner = world.owner();
    world.deaf_writes = 1;
    world.run(3.0);
    assert_eq!(world.owner(), owner);
}

#[test]
fn who_knows_no_time_begins_a_new_epoch() {
    let mut world = World::of(1, 2);
    world.run(6.0);
    let before = world.epochs();
    world.nodes.iter_mut().for_each(|node| node.alive = false);
    world.start();
    world.start();
    world.run(3.0);
    world.owner();
    assert_eq!(world.epochs().len(), 1);
    assert_ne!(world.epochs(), before);
}
