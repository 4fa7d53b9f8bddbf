//! One room on 1, 2 and 3 nodes of a cluster, on one NATS server and on three, beside the embedded store: what is delivered, and what a
//! delivery costs.

use crate::Bench;
use crate::house::House;
use crate::load::{Load, WARM_UP, answer_for, print};
use crate::peers::{Target, run};
use serde_json::json;
use std::time::Instant;
use synx_cluster::testing::NatsServer;
use synx_testkit::cpu_s;
use tempfile::TempDir;

/// Members, and messages that are on their way at saturation: the next one goes once all have heard one. In the large room
/// deliveries are the work, in the small one it is who writes next.
const ROOMS: [(usize, usize); 2] = [(300, 16), (12, 48)];
/// At an equal rate the nodes do the same work, whatever their number.
const PER_S: f64 = 30.0;

/// Rooms that are spread over the nodes: at saturation, and at an equal rate. No node at all is the embedded store.
pub fn cluster(bench: &Bench, tls: bool) {
    for (members, window) in ROOMS {
        for (nodes, servers) in [(0, 0), (1, 1), (2, 1), (3, 1), (1, 3), (3, 3)] {
            spread(bench, tls, (members, window), (nodes, servers));
        }
    }
}

fn spread(bench: &Bench, tls: bool, (members, window): (usize, usize), (nodes, servers): (usize, usize)) {
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let nats = NatsServer::start_in(folder.path(), servers);
    let urls: Vec<_> = nats.iter().map(NatsServer::url).collect();
    let folders: Vec<TempDir> =
        (0..nodes.max(1)).map(|_| tempfile::tempdir_in(folder.path()).unwrap()).collect();
    let open = |folder: &TempDir| House::open_on(folder.path(), 1, members, tls, &urls);
    let houses: Vec<House> = folders.iter().map(open).collect();
    let targets: Vec<_> = houses
        .iter()
        .zip(&folders)
        .map(|(house, folder)| Target::new(house.at, folder.path(), tls))
        .collect();
    let nats_cpu_s = || nats.iter().map(|server| cpu_s(server.id())).sum::<f64>();
    let found = run(async {
        let load = Load::enter_by(&houses, &targets, 1, members).await;
        for by in 0..window {
            load.send(by % members, members, Instant::now());
        }
        answer_for(&load, WARM_UP, &load.tally.heard, members).await;
        load.tally.clear();
        let then = load.mark();
        answer_for(&load, bench.time, &load.tally.heard, members).await;
        let saturated = load.since(&then);
        load.pace(PER_S, WARM_UP, members, members).await;
        load.tally.clear();
        let (then, nats_s) = (load.mark(), nats_cpu_s());
        load.pace(PER_S, bench.time, members, members).await;
        json!({"saturated": saturated, "equal_rate": load.since(&then), "nats_cpu_s": nats_cpu_s() - nats_s})
    });
    let what = json!({"nodes": nodes, "servers": servers, "members": members, "found": found});
    print("cluster", tls, folder.path(), what);
}
