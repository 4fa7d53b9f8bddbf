//! Buckets, for keys or for files: found or made, and looked at whoever made them.
//!
//! Must never use one that could forget, or that fewer servers keep than was asked for: what is put there is believed to be kept
//! as safely as the log is.

use crate::stream::{forgets, patiently};
use crate::{Backplane, ClusterError};
use async_nats::jetstream::kv;
use async_nats::jetstream::object_store::{self, ObjectStore};
use async_nats::jetstream::stream::{Config, StorageType, Stream};
use std::fmt::Display;

/// A bucket for keys, of which each has one value, or as many latest ones as `history` says.
pub(crate) async fn of_keys(backplane: &Backplane, config: kv::Config) -> Result<kv::Store, ClusterError> {
    let (context, replicas) = (backplane.jetstream(), backplane.replicas());
    let config = kv::Config { storage: StorageType::File, num_replicas: replicas, ..config };
    let bucket =
        find_or_make(|| context.get_key_value(&config.bucket), || context.create_key_value(config.clone()));
    let bucket = bucket.await?;
    let found = &bucket.stream.cached_info().config;
    let mut problems = forgets(found, replicas);
    if found.republish != config.republish {
        problems.push("it does not tell what it stores".to_owned());
    }
    fit(&config.bucket, problems)?;
    Ok(bucket)
}

/// A bucket for files, and the stream that it lies in.
pub(crate) async fn of_files(
    backplane: &Backplane,
    config: object_store::Config,
) -> Result<(ObjectStore, Stream<()>), ClusterError> {
    let (context, replicas) = (backplane.jetstream(), backplane.replicas());
    let config = object_store::Config { storage: StorageType::File, num_replicas: replicas, ..config };
    let bucket = find_or_make(
        || context.get_object_store(&config.bucket),
        || context.create_object_store(config.clone()),
    );
    let bucket = bucket.await?;
    let stream = patiently(|| context.get_stream(format!("OBJ_{}", config.bucket)), |_| true).await;
    let stream = stream.map_err(|error| ClusterError::server("look at a bucket", &error))?;
    let found: &Config = &stream.cached_info().config;
    fit(&config.bucket, forgets(found, replicas))?;
    let stream = context.get_stream_no_info(&found.name).await;
    Ok((bucket, stream.map_err(|error| ClusterError::server("look at a bucket", &error))?))
}

async fn find_or_make<B, N, E: Display, F, M>(
    find: impl Fn() -> F,
    make: impl Fn() -> M,
) -> Result<B, ClusterError>
where
    F: Future<Output = Result<B, N>>,
    M: Future<Output = Result<B, E>>,
{
    let open = || async {
        match find().await {
            Ok(found) => Ok(found),
            // Of two nodes that make it at once, both do, as they want the same.
            Err(_) => make().await,
        }
    };
    // Servers that have just started refuse until they have a leader.
    patiently(open, |_| true).await.map_err(|error| ClusterError::server("make a bucket", &error))
}

fn fit(bucket: &str, problems: Vec<String>) -> Result<(), ClusterError> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(ClusterError::UnfitBucket { bucket: bucket.to_owned(), problems })
}
