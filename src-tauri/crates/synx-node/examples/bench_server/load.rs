//! Rooms under a stream of messages: stored, delivered, at an equal rate, and with one who does not listen.

use crate::house::{House, own_cpu_s};
use crate::peers::{Ear, Peer, Target, run, until};
use crate::tally::Tally;
use crate::{Bench, disk};
use serde_json::{Value, json};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A chat message of some length: 200 letters besides its number.
const PADDING: usize = 200;
/// Before a figure is taken, the load runs for this long.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// A server with peers in its rooms.
pub struct Load<'a> {
    houses: &'a [House],
    pub tally: Rc<Tally>,
    pub peers: Vec<Rc<Peer>>,
    padding: String,
}

/// Times and counters at one moment.
pub struct Mark {
    at: Instant,
    server_cpu_s: f64,
    own_cpu_s: f64,
    deliveries: u64,
    acknowledged: u64,
    complete: u64,
}

impl<'a> Load<'a> {
    /// All peers in: `members` in each of `rooms`.
    async fn enter(house: &'a House, folder: &Path, tls: bool, rooms: usize, members: usize) -> Self {
        let target = Target::new(house.at, folder, tls);
        Self::enter_by(std::slice::from_ref(house), &[target], rooms, members).await
    }

    /// The same into rooms that several servers serve: one peer here, the next one there.
    pub async fn enter_by(houses: &'a [House], targets: &[Rc<Target>], rooms: usize, members: usize) -> Self {
        let tally = Tally::new(rooms * members);
        let ear: Rc<dyn Ear> = Rc::<Tally>::clone(&tally);
        let mut peers = Vec::new();
        for number in 0..rooms * members {
            let target = &targets[number % targets.len()];
            peers.push(Peer::start(target, number, number / members, None, Rc::clone(&ear)));
            // Not all at once: that is another measure.
            assert!(until(|| tally.joined.get() + 20 > number).await, "the peers do not get in");
        }
        assert!(until(|| tally.joined.get() == peers.len()).await, "not all peers got in");
        Self { houses, tally, peers, padding: "x".repeat(PADDING) }
    }

    pub fn send(&self, by: usize, listeners: usize, at: Instant) {
        let number = self.tally.sending(by, listeners, at);
        self.peers[by].chat(number, &self.padding);
    }

    pub fn mark(&self) -> Mark {
        Mark {
            at: Instant::now(),
            server_cpu_s: self.houses.iter().map(House::cpu_s).sum(),
            own_cpu_s: own_cpu_s(),
            deliveries: self.tally.deliveries.get(),
            acknowledged: self.tally.acknowledged.get(),
            complete: self.tally.complete.get(),
        }
    }

    /// What happened since.
    pub fn since(&self, then: &Mark) -> Value {
        let (now, round) = (self.mark(), |value: f64| (value * 100.0).round() / 100.0);
        let elapsed = now.at.duration_since(then.at).as_secs_f64();
        let deliveries = (now.deliveries - then.deliveries) as f64;
        let (server, own) = (now.server_cpu_s - then.server_cpu_s, now.own_cpu_s - then.own_cpu_s);
        json!({
            "events_per_s": ((now.acknowledged - then.acknowledged) as f64 / elapsed).round(),
            "complete": now.complete - then.complete,
            "deliveries_per_s": (deliveries / elapsed).round(),
            "server_us_per_delivery": round(server * 1e6 / deliveries.max(1.0)),
            "server_cpu": round(server / elapsed),
            "generator_cpu": round(own / elapsed),
            "to_ack_ms": self.tally.to_ack.borrow_mut().ms(),
            "to_last_ms": self.tally.to_last.borrow_mut().ms(),
        })
    }

    /// Messages at a steady rate, by all in turn, from a clock of their own: latency counts from when each was due.
    pub async fn pace(&self, per_s: f64, time: Duration, senders: usize, listeners: usize) {
        let (due, mut dues) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let begin = Instant::now();
            for number in 0..(per_s * time.as_secs_f64()) as u32 {
                let at = begin + Duration::from_secs_f64(f64::from(number) / per_s);
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                if due.send((number as usize, at)).is_err() {
                    return;
                }
            }
        });
        while let Some((number, at)) = dues.recv().await {
            self.send(number % senders, listeners, at);
        }
    }
}

pub fn print(measure: &str, tls: bool, folder: &Path, what: Value) {
    let mut line = json!({"measure": measure, "tls": tls, "fdatasync_ms": (disk::sync_ms(folder) * 1000.0).round() / 1000.0});
    if let (Some(line), Value::Object(what)) = (line.as_object_mut(), what) {
        line.extend(what);
    }
    println!("{line}");
}

/// 64 senders, each in a room of their own, with 1 and with 16 messages outstanding: each waits for its durable answer.
pub fn append(bench: &Bench, tls: bool) {
    const SENDERS: usize = 64;
    for depth in [1, 16] {
        let folder = tempfile::tempdir_in(&bench.folder).unwrap();
        let house = House::open(folder.path(), SENDERS, 1, tls);
        let found = run(async {
            let load = Load::enter(&house, folder.path(), tls, SENDERS, 1).await;
            for by in 0..SENDERS * depth {
                load.send(by % SENDERS, 1, Instant::now());
            }
            answer_for(&load, WARM_UP, &load.tally.answered, 1).await;
            load.tally.clear();
            let then = load.mark();
            answer_for(&load, bench.time, &load.tally.answered, 1).await;
            load.since(&then)
        });
        let what = json!({"senders": SENDERS, "outstanding": depth, "found": found});
        print("append", tls, folder.path(), what);
    }
}

/// Whoever's message is through sends the next one.
pub async fn answer_for(
    load: &Load<'_>,
    time: Duration,
    through: &std::cell::RefCell<std::collections::VecDeque<usize>>,
    listeners: usize,
) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        // A server that says nothing shall not hold up the end.
        drop(tokio::time::timeout(Duration::from_millis(100), load.tally.news.notified()).await);
        let senders = std::mem::take(&mut *through.borrow_mut());
        senders
            .into_iter()
            .for_each(|by| load.send((by + listeners) % load.peers.len(), listeners, Instant::now()));
    }
}

/// Rooms of 10, 100 and 1000 at saturation: a window of messages, the next one once all have heard one.
pub fn fanout(bench: &Bench, tls: bool) {
    for (members, window) in [(10, 64), (100, 64), (1000, 16)] {
        let folder = tempfile::tempdir_in(&bench.folder).unwrap();
        let house = House::open(folder.path(), 1, members, tls);
        let found = run(async {
            let load = Load::enter(&house, folder.path(), tls, 1, members).await;
            for by in 0..window {
                load.send(by % members, members, Instant::now());
            }
            answer_for(&load, WARM_UP, &load.tally.heard, members).await;
            load.tally.clear();
            let then = load.mark();
            answer_for(&load, bench.time, &load.tally.heard, members).await;
            load.since(&then)
        });
        print("fanout", tls, folder.path(), json!({"members": members, "window": window, "found": found}));
    }
}

/// 160 messages a second into a room of 100: what an evening at its busiest is like.
pub fn equal_rate(bench: &Bench, tls: bool) {
    const MEMBERS: usize = 100;
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let house = House::open(folder.path(), 1, MEMBERS, tls);
    let found = run(async {
        let load = Load::enter(&house, folder.path(), tls, 1, MEMBERS).await;
        load.pace(160.0, WARM_UP, MEMBERS, MEMBERS).await;
        load.tally.clear();
        let then = load.mark();
        load.pace(160.0, bench.time, MEMBERS, MEMBERS).await;
        load.since(&then)
    });
    print("equal", tls, folder.path(), json!({"members": MEMBERS, "per_s": 160, "found": found}));
}

/// One of 20 stops taking anything: what the others feel of it, what the server keeps for it, what becomes of it.
pub fn stalled(bench: &Bench, tls: bool) {
    const MEMBERS: usize = 20;
    const PER_S: f64 = 150.0;
    // The longest message that a room takes, in the widest letters: 16 KB.
    let padding = "\u{1d11e}".repeat(3900);
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let house = House::open(folder.path(), 1, MEMBERS, tls);
    let found = run(async {
        let load = Load { padding, ..Load::enter(&house, folder.path(), tls, 1, MEMBERS).await };
        load.pace(PER_S, Duration::from_secs(4), MEMBERS - 1, MEMBERS).await;
        until(|| load.tally.heard.borrow().len() >= 600).await;
        let before = load.tally.to_last.borrow_mut().ms();
        let rss_before = house.rss_kib();
        load.tally.clear();
        load.peers[MEMBERS - 1].stall(true);
        let mut rss_peak = rss_before;
        let watch = async {
            loop {
                rss_peak = rss_peak.max(house.rss_kib());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            () = load.pace(PER_S, Duration::from_secs(20), MEMBERS - 1, MEMBERS - 1) => {}
            () = watch => {}
        }
        let during = load.tally.to_last.borrow_mut().ms();
        load.peers[MEMBERS - 1].stall(false);
        let cut_off = until(|| load.peers[MEMBERS - 1].over.get()).await;
        let told: Vec<String> = load.tally.farewells.borrow().iter().map(|(_, text)| text.clone()).collect();
        json!({
            "to_last_before_ms": before, "to_last_during_ms": during, "cut_off": cut_off, "told": told,
            "rss_before_mib": rss_before / 1024, "rss_growth_mib": (rss_peak - rss_before) as f64 / 1024.0,
        })
    });
    print("stalled", tls, folder.path(), json!({"members": MEMBERS, "found": found}));
}
