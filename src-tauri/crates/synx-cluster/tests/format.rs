//! Streams that say in which format their messages are, and those that do not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Config;
use std::sync::Arc;
use synx_cluster::testing::{NatsServer, until};
use synx_cluster::{ClusterError, JetStreamStore};
use synx_log::testing::{chats, room};
use synx_log::{AuditFilter, EventStore, Log, LogOptions, MemoryStore};
use tempfile::{TempDir, tempdir};

const MARK: &str = "synx_format";

async fn context(server: &NatsServer) -> Context {
    let client = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    async_nats::jetstream::new(client.connect(server.url()).await.unwrap())
}

async fn config(context: &Context) -> Config {
    context.get_stream("synx-log").await.unwrap().cached_info().config.clone()
}

/// Marks the stream, or takes its mark away.
async fn mark(context: &Context, format: Option<&str>) {
    let mut config = config(context).await;
    config.metadata.remove(MARK);
    config.metadata.extend(format.map(|format| (MARK.to_owned(), format.to_owned())));
    context.update_stream(config).await.unwrap();
}

fn open(server: &NatsServer) -> (Result<JetStreamStore, ClusterError>, TempDir) {
    let node = tempdir().unwrap();
    (JetStreamStore::open(server.options(node.path())), node)
}

fn log(store: JetStreamStore) -> Log {
    Log::over(Arc::new(store), LogOptions::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_its_format_and_one_without_a_mark_is_of_the_first() {
    let server = NatsServer::start();
    let (store, _node) = open(&server);
    let here = log(store.unwrap());
    here.append(room(1), 0, chats(3)).await.unwrap();
    let context = context(&server).await;
    assert_eq!(config(&context).await.metadata.get(MARK).map(String::as_str), Some("1"));
    // As an earlier version has made it.
    mark(&context, None).await;
    let (store, _other) = open(&server);
    let there = log(store.unwrap());
    there.append(room(1), 3, chats(1)).await.unwrap();
    until(async || here.head(room(1)).unwrap() == 4, "the first node lags").await;
    here.append(room(1), 4, chats(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_a_later_format_is_refused_and_says_so_first() {
    let server = NatsServer::start();
    drop(open(&server).0.unwrap());
    let context = context(&server).await;
    for later in ["2", "17", "two", ""] {
        // Whatever else a later version does otherwise.
        context.update_stream(Config { max_messages: 1000, ..config(&context).await }).await.unwrap();
        mark(&context, Some(later)).await;
        let error = open(&server).0.err().expect("the stream was taken");
        assert_eq!(error.code(), "cluster_newer_format", "{error}");
        let said = error.to_string();
        assert!(said.contains("synx-log") && said.contains(&format!("{later:?}")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_runs_while_a_later_one_takes_over_reads_and_writes_no_more() {
    let server = NatsServer::start();
    let (store, node) = open(&server);
    let store = store.unwrap();
    let source = Arc::new(MemoryStore::new());
    let log = Log::over(Arc::clone(&source) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
    log.append(room(1), 0, chats(2)).await.unwrap();
    let records = source.audit(&AuditFilter::default()).unwrap();
    store.commit(&records[..1]).unwrap();
    let context = context(&server).await;
    mark(&context, Some("2")).await;
    // What it does not understand comes from a later version: it must not be taken for nobody's.
    let told = context.publish(format!("synx.log.{}", room(1)), "in another format".into());
    told.await.unwrap().await.unwrap();
    until(async || store.ready().is_err(), "the node takes itself for ready").await;
    let said = store.ready().unwrap_err().to_string();
    assert!(said.contains("format \"2\""), "{said}");
    let refused = store.commit(&records[1..]).unwrap_err();
    assert!(refused.to_string().contains("format \"2\""), "{refused}");
    let messages = context.get_stream("synx-log").await.unwrap().cached_info().state.messages;
    assert_eq!(messages, 2, "nothing was written into it");
    drop(store);
    // The version that knows the format reads on from where this one stood.
    mark(&context, None).await;
    let again = JetStreamStore::open(server.options(node.path())).unwrap();
    again.commit(&records[1..]).unwrap();
}
