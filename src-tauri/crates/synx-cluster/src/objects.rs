//! Files by content hash in the cluster's object store, so that what one node was given every node can fetch.
//!
//! Must never take the store's word for what the bytes are: who fetches them checks their hash.

use crate::{Backplane, ClusterError, bucket};
use async_nats::jetstream::object_store::{Config, GetErrorKind, Object, ObjectStore};
use bytes::{Bytes, BytesMut};
use std::fmt::Display;
use std::io::{self, SeekFrom};
use std::time::Duration;
use synx_domain::ContentHash;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Bytes that are handed over at once: as many as a message of the store has.
const PIECE_BYTES: usize = 128 * 1024;
/// A server that sends nothing for so long may be gone. The client finds that out by itself after ten seconds, and then tries for
/// ever: too late for music, and too long.
const SILENCE: Duration = Duration::from_secs(3);
/// Pause before servers are asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The files of a cluster.
#[derive(Clone)]
pub struct Objects {
    store: ObjectStore,
    /// How long servers are waited for that do not answer, as after one of them was killed.
    patience: Duration,
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
        Ok(Self { store: bucket::of_files(backplane, config).await?, patience: backplane.patience() })
    }

    /// Stores a file, if it is not there yet.
    ///
    /// # Errors
    /// When it cannot be read, or the servers do not answer or refuse.
    pub async fn put(
        &self,
        hash: ContentHash,
        mut file: impl AsyncRead + AsyncSeek + Unpin,
    ) -> Result<(), ClusterError> {
        let failed = |error: &dyn Display| ClusterError::server("store audio", error);
        let (name, end) = (hash.to_string(), Instant::now() + self.patience);
        while self.store.info(name.as_str()).await.is_err() {
            match self.store.put(name.as_str(), &mut file).await {
                Ok(_) => break,
                Err(error) if Instant::now() >= end => return Err(failed(&error)),
                Err(error) => tracing::debug!(%error, "storing audio again"),
            }
            sleep(RETRY_PAUSE).await;
            file.seek(SeekFrom::Start(0)).await.map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// The file of this hash, if there is one.
    ///
    /// # Errors
    /// When the servers do not answer.
    pub async fn get(&self, hash: ContentHash) -> Result<Option<Pieces>, ClusterError> {
        let end = Instant::now() + self.patience;
        loop {
            match self.store.get(hash.to_string()).await {
                Ok(object) => return Ok(Some(Pieces { objects: self.clone(), hash, object, taken: 0 })),
                Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
                Err(error) if Instant::now() >= end => return Err(handed_over(&error)),
                Err(_) => sleep(RETRY_PAUSE).await,
            }
        }
    }
}

/// A file of the store, piece by piece.
pub struct Pieces {
    objects: Objects,
    hash: ContentHash,
    object: Object,
    /// Bytes that were handed over.
    taken: u64,
}

impl Pieces {
    /// The next one; none at the end. Goes on where it was when a server is gone in the middle of it.
    ///
    /// # Errors
    /// When the servers do not answer, or have lost part of it.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClusterError> {
        let end = Instant::now() + self.objects.patience;
        let mut piece = BytesMut::with_capacity(PIECE_BYTES);
        loop {
            let read = timeout(SILENCE, self.object.read_buf(&mut piece)).await;
            match read.map_err(io::Error::from).flatten() {
                Ok(read) => {
                    self.taken += read as u64;
                    return Ok((read > 0).then(|| piece.freeze()));
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidData || Instant::now() >= end => {
                    return Err(handed_over(&error));
                }
                Err(error) => tracing::debug!(%error, "fetching audio again"),
            }
            sleep(RETRY_PAUSE).await;
            self.begin_anew(end).await?;
        }
    }

    /// Comes back to where it was by another way. Where that fails, it goes on as it was.
    async fn begin_anew(&mut self, end: Instant) -> Result<(), ClusterError> {
        let gone = || handed_over(&"it was removed meanwhile");
        let Self { mut object, .. } = self.objects.get(self.hash).await?.ok_or_else(gone)?;
        let mut taken = (&mut object).take(self.taken);
        let skipped = timeout_at(end, tokio::io::copy(&mut taken, &mut tokio::io::sink())).await;
        if skipped.is_ok_and(|skipped| skipped.is_ok_and(|bytes| bytes == self.taken)) {
            self.object = object;
        }
        Ok(())
    }
}

fn handed_over(error: &dyn Display) -> ClusterError {
    ClusterError::server("hand over audio", error)
}
