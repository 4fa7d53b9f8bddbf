//! Buckets that others have made: taken if they keep what is put there, refused if they do not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_nats::jetstream::stream::StorageType;
use async_nats::jetstream::{Context, kv, object_store};
use std::time::Duration;
use synx_cluster::testing::NatsServer;
use synx_cluster::{Backplane, ClusterClock, ClusterError, ClusterOptions, JetStreamStore, NodeId, Objects};
use tempfile::tempdir;

async fn context(server: &NatsServer) -> Context {
    let client = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    async_nats::jetstream::new(client.connect(server.url()).await.unwrap())
}

fn problems<T>(opened: Result<T, ClusterError>, expected: &str) -> Vec<String> {
    let error = opened.err().expect("the bucket was taken");
    assert_eq!(error.code(), "cluster_unfit_bucket", "{error}");
    let ClusterError::UnfitBucket { bucket, problems } = error else { panic!("{error}") };
    assert_eq!(bucket, expected);
    problems
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_that_forget_or_tell_nothing_are_refused() {
    let (server, node) = (NatsServer::start(), tempdir().unwrap());
    let made = context(&server).await;
    let name = |bucket: &str| bucket.to_owned();
    let (bucket, storage, max_age) = (name("synx-keys"), StorageType::Memory, Duration::from_secs(600));
    made.create_key_value(kv::Config { bucket, storage, max_age, ..Default::default() }).await.unwrap();
    let (bucket, storage) = (name("synx-clock"), StorageType::File);
    made.create_key_value(kv::Config { bucket, storage, ..Default::default() }).await.unwrap();
    let (bucket, storage) = (name("synx-snapshots"), StorageType::Memory);
    made.create_key_value(kv::Config { bucket, storage, ..Default::default() }).await.unwrap();
    let (bucket, max_bytes) = (name("synx-audio"), 1 << 20);
    made.create_object_store(object_store::Config { bucket, max_bytes, ..Default::default() }).await.unwrap();

    let options = server.options(node.path());
    let backplane = Backplane::connect(&options).await.unwrap();
    let limits = "it has limits beyond which it forgets or refuses";
    let keys = problems(backplane.shared_secret(vec![1]).await, "synx-keys");
    assert_eq!(keys, ["it is kept in memory", limits]);
    assert_eq!(problems(Objects::open(&backplane).await, "synx-audio"), [limits]);
    let clock = ClusterClock::start(options.clone(), NodeId::new(), || 0).await;
    assert_eq!(problems(clock, "synx-clock"), ["it does not tell what it stores"]);
    let store = tokio::task::spawn_blocking(move || JetStreamStore::open(options)).await.unwrap();
    assert_eq!(problems(store, "synx-snapshots"), ["it is kept in memory"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_that_too_few_servers_keep_are_refused_and_those_of_other_nodes_are_shared() {
    let (server, node) = (NatsServer::start(), tempdir().unwrap());
    let options = |replicas| ClusterOptions { replicas, ..server.options(node.path()) };
    for secret in [vec![1], vec![2]] {
        let backplane = Backplane::connect(&options(1)).await.unwrap();
        assert_eq!(backplane.shared_secret(secret).await.unwrap(), [1]);
        Objects::open(&backplane).await.unwrap();
    }
    let backplane = Backplane::connect(&options(3)).await.unwrap();
    let few = |stream: &str| {
        format!("it is kept on 1 of the servers, not 3, which `nats stream edit {stream} --replicas 3` mends")
    };
    assert_eq!(problems(backplane.shared_secret(vec![3]).await, "synx-keys"), [few("KV_synx-keys")]);
    assert_eq!(problems(Objects::open(&backplane).await, "synx-audio"), [few("OBJ_synx-audio")]);
}
