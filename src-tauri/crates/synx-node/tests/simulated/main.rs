//! Host and peers as they are, on a network and a disk that are simulated, under every trouble that a seed brings.
//!
//! Server, client, room and log are the product's; bytes, time and chance are simulated, so that minutes take moments. A
//! seed fixes what happens to the network, the disk and the processes, not which of two tasks that are ready runs first.
//! `SYNX_SIM_SEEDS` says how many seeds are tried (`cargo xtask simulate` sets it), `SYNX_SIM_FIRST` from which on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dice;
mod house;
mod net;
mod peer;
mod transfers;
mod trouble;
mod verdict;

pub use dice::Dice;

use house::House;
use net::Net;
use peer::Peer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// Seeds that are tried with every test run.
const SEEDS: u64 = 12;
/// How long things go wrong, in simulated time.
const TROUBLED: Duration = Duration::from_secs(90);
/// When nothing goes wrong any more, everybody has everything after this long: the longest silence that is waited for, an
/// answer that is waited for, and some tries.
const PATIENCE: Duration = Duration::from_secs(90);

fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn whatever_happens_all_have_the_same_log_and_each_command_once() {
    let first = number_of("SYNX_SIM_FIRST", 1);
    let end = first + number_of("SYNX_SIM_SEEDS", SEEDS);
    let next = AtomicU64::new(first);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= end {
                        return;
                    }
                    let wrongs = in_simulated_time(play(seed));
                    if !wrongs.is_empty() {
                        failed.lock().unwrap().push((seed, wrongs));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}

fn in_simulated_time<T>(what: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(what);
    runtime.shutdown_background();
    outcome
}

async fn play(seed: u64) -> Vec<String> {
    let (began, real) = (Instant::now(), std::time::Instant::now());
    let dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let count = 2 + dice.below(3);
    let net = Net::new(count, dice.fork());
    let house = House::build(&net, folder.path(), dice.fork()).await;
    let at = (&net, house.room);
    let peers: Vec<Peer> = (0..count).map(|n| Peer::new(n, at, folder.path(), dice.fork())).collect();
    let busy = watch::Sender::new(true);
    peers.iter().for_each(|peer| peer.start(busy.subscribe()));

    let trouble = trouble::Trouble { net: &net, house: &house, peers: &peers, busy: &busy, dice };
    let (mut crashes, mut troubles) = (0, 0);
    while began.elapsed() < TROUBLED {
        let kind = trouble.strike().await;
        troubles += 1;
        crashes += usize::from(kind.is_crash());
    }
    trouble.end().await;
    busy.send_replace(false);

    let settled = async {
        while !is_settled(&house, &peers) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    let mut wrongs = Vec::new();
    if timeout(PATIENCE, settled).await.is_err() {
        wrongs.push("somebody waits for ever".to_owned());
    }
    wrongs.extend(verdict::wrongs(&house, &peers).await);
    let joins: usize = peers.iter().map(|peer| peer.diary.lock().unwrap().joins).sum();
    let reconnects: usize = peers.iter().map(|peer| peer.diary.lock().unwrap().reconnects).sum();
    println!(
        "seed {seed}: {count} peers, {} events, {troubles} troubles, {crashes} crashes, {joins} joins, {reconnects} \
         reconnects in {:.0?}; took {:.1?}",
        house.room().with(|room| room.seq),
        began.elapsed(),
        real.elapsed()
    );
    wrongs
}

/// Whether everybody has everything, and nobody waits for an answer.
fn is_settled(house: &House, peers: &[Peer]) -> bool {
    let head = house.room().with(|room| room.seq);
    peers.iter().all(|peer| {
        let diary = peer.diary.lock().unwrap();
        let answered = diary.deeds.iter().all(|deed| deed.outcome.is_some() || deed.forgotten);
        answered && diary.replica.as_ref().is_some_and(|room| room.seq == head)
    })
}
