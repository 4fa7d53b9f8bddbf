//! Many peers at once: what each costs while nothing happens, and how soon all are in.

use crate::Bench;
use crate::house::{House, own_cpu_s};
use crate::peers::{Ear, Peer, Target, run, until};
use crate::tally::Tally;
use serde_json::json;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// After so long with nothing to say, what is left is what a connection costs.
const CALM: Duration = Duration::from_secs(3);

/// Memory of the server for each peer that is in a room and silent.
pub fn idle(bench: &Bench, tls: bool) {
    const ROOMS: usize = 80;
    const MEMBERS: usize = 100;
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let house = House::open(folder.path(), ROOMS, MEMBERS, tls);
    run(async {
        let (before, peers) = (house.rss_kib(), ROOMS * MEMBERS);
        let (tally, target) = (Tally::new(peers), Target::new(house.at, folder.path(), tls));
        let ear: Rc<dyn Ear> = Rc::<Tally>::clone(&tally);
        let mut inside = Vec::new();
        for number in 0..peers {
            // All rooms fill evenly, so that no room's beginning is told to many.
            let (room, seat) = (number % ROOMS, number / ROOMS);
            inside.push(Peer::start(&target, room * MEMBERS + seat, room, None, Rc::clone(&ear)));
            assert!(until(|| tally.joined.get() + 50 > number).await, "the peers do not get in");
        }
        assert!(until(|| tally.joined.get() == peers).await, "not all peers got in");
        tokio::time::sleep(CALM).await;
        let kib = (house.rss_kib() - before) as f64 / peers as f64;
        let found = json!({
            "measure": "idle", "tls": tls, "connections": peers, "kib_per_connection": (kib * 10.0).round() / 10.0
        });
        println!("{found}");
    });
}

/// 2000 peers at once, 20 to a room: each connects, proves its key, and enters its room.
pub fn storm(bench: &Bench, tls: bool) {
    const ROOMS: usize = 100;
    const MEMBERS: usize = 20;
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let house = House::open(folder.path(), ROOMS, MEMBERS, tls);
    run(async {
        let peers = ROOMS * MEMBERS;
        let (tally, target) = (Tally::new(peers), Target::new(house.at, folder.path(), tls));
        let ear: Rc<dyn Ear> = Rc::<Tally>::clone(&tally);
        let (begin, server_s, own_s) = (Instant::now(), house.cpu_s(), own_cpu_s());
        let start = |number| Peer::start(&target, number, number / MEMBERS, None, Rc::clone(&ear));
        let inside: Vec<_> = (0..peers).map(start).collect();
        assert!(until(|| tally.joined.get() == peers).await, "not all peers got in");
        let found = json!({
            "measure": "storm", "tls": tls, "peers": inside.len(),
            "all_in_s": begin.elapsed().as_secs_f64(), "server_cpu_s": house.cpu_s() - server_s,
            "generator_cpu_s": own_cpu_s() - own_s,
        });
        println!("{found}");
    });
}
