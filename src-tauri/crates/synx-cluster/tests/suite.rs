//! The store on JetStream passes the suite that every event store passes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use synx_cluster::JetStreamStore;
use synx_cluster::testing::NatsServer;
use tempfile::TempDir;

fn make() -> (JetStreamStore, (NatsServer, TempDir)) {
    let (server, node) = (NatsServer::start(), tempfile::tempdir().unwrap());
    let store = JetStreamStore::open(server.options(node.path())).unwrap();
    (store, (server, node))
}

synx_log::event_store_suite!(make());
