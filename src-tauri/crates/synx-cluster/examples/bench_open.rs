//! How long a node whose copy is new takes until it has a long room: to copy the log, and to fold the room with and without a
//! snapshot that another node has made.
//!
//! `cargo run --release -p synx-cluster --example bench_open -- [FOLDER] [EVENTS] [EVENTS IN A MESSAGE] [ROUNDS]`. Prints one JSON
//! object a round.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use synx_cluster::JetStreamStore;
use synx_cluster::testing::{NatsServer, until};
use synx_domain::Room;
use synx_log::testing::{chats, created, room};
use synx_log::{EventStore, Log, LogOptions};

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut number = |or| args.next().map_or(or, |text| text.parse().expect("a number"));
    let (events, together, rounds) = (number(100_000), number(10), number(3));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for _ in 0..rounds {
        let scratch = tempfile::tempdir_in(&folder).unwrap();
        runtime.block_on(measure(scratch.path(), events, together));
    }
}

async fn measure(folder: &Path, events: usize, together: usize) {
    let server = NatsServer::start_in(folder, 1).remove(0);
    let first = log(&Arc::new(opened(&server, &folder.join("first"))));
    first.append(room(1), 0, vec![created()]).await.unwrap();
    while let head = first.head(room(1)).unwrap()
        && (head as usize) < events
    {
        first.append(room(1), head, chats(together)).await.unwrap();
    }
    let begun = Instant::now();
    let store = Arc::new(opened(&server, &folder.join("second")));
    let (copy_s, second) = (begun.elapsed().as_secs_f64(), log(&store));
    let (state, without_s) = fold(&second).await;
    // Who had to fold it has put a snapshot.
    let store = Arc::new(opened(&server, &folder.join("third")));
    until(async || store.snapshot(room(1), state.seq).unwrap().is_some(), "no snapshot is put").await;
    let (found, with_s) = fold(&log(&store)).await;
    assert_eq!(found, state);
    println!(
        "{{\"events\":{},\"in_a_message\":{together},\"copy_s\":{copy_s:.2},\"fold_without_s\":{without_s:.4},\
         \"fold_with_s\":{with_s:.4}}}",
        state.seq
    );
}

fn opened(server: &NatsServer, node: &Path) -> JetStreamStore {
    std::fs::create_dir(node).unwrap();
    JetStreamStore::open(server.options(node)).unwrap()
}

fn log(store: &Arc<JetStreamStore>) -> Log {
    Log::over(Arc::clone(store) as Arc<dyn EventStore>, LogOptions::default()).unwrap()
}

async fn fold(log: &Log) -> (Room, f64) {
    let begun = Instant::now();
    let found = log.fold(room(1), None).await.unwrap();
    (found, begun.elapsed().as_secs_f64())
}
