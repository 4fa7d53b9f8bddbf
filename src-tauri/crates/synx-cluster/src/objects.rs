//! Files by content hash in the cluster's object store, so that what one node was given every node can fetch.
//!
//! Must never take the store's word for what the bytes are: who fetches them checks their hash.

use crate::{Backplane, ClusterError, bucket};
use async_nats::jetstream::object_store::{Config, GetErrorKind, ObjectStore};
use synx_domain::ContentHash;
use tokio::io::{AsyncRead, AsyncWrite};

/// The files of a cluster.
#[derive(Clone)]
pub struct Objects {
    store: ObjectStore,
}

impl Objects {
    /// Finds the bucket of files, or makes it.
    ///
    /// # Errors
    /// When the servers do not answer or refuse, or the bucket is not kept as the log is.
    pub async fn open(backplane: &Backplane) -> Result<Self, ClusterError> {
        let config = Config {
            bucket: backplane.bucket_name("audio"),
            description: Some("Audio of a SynxSphere cluster by content hash".to_owned()),
            ..Config::default()
        };
        Ok(Self { store: bucket::of_files(backplane, config).await? })
    }

    /// Stores a file, if it is not there yet.
    ///
    /// # Errors
    /// When it cannot be read, or the servers do not answer or refuse.
    pub async fn put(&self, hash: ContentHash, mut file: impl AsyncRead + Unpin) -> Result<(), ClusterError> {
        let name = hash.to_string();
        if self.store.info(name.as_str()).await.is_ok() {
            return Ok(());
        }
        let stored = self.store.put(name.as_str(), &mut file).await;
        stored.map(drop).map_err(|error| ClusterError::server("store audio", &error))
    }

    /// Writes a file there, if there is one of this hash; whether there was.
    ///
    /// # Errors
    /// When the servers do not answer, or it cannot be written.
    pub async fn get(
        &self,
        hash: ContentHash,
        mut to: impl AsyncWrite + Unpin,
    ) -> Result<bool, ClusterError> {
        let failed = |error: &dyn std::fmt::Display| ClusterError::server("hand over audio", error);
        let mut object = match self.store.get(hash.to_string()).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(&error)),
        };
        tokio::io::copy(&mut object, &mut to).await.map_err(|error| failed(&error))?;
        Ok(true)
    }
}
