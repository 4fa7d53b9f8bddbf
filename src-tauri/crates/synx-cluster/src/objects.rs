//! Files by content hash in the cluster's object store, so that what one node was given every node can fetch.
//!
//! Must never take the store's word for what the bytes are: who fetches them checks their hash.

use crate::leftovers::{Chunks, Leftovers};
use crate::{Backplane, ClusterError, bucket};
use async_nats::jetstream::object_store::{Config, GetErrorKind, Object, ObjectStore};
use bytes::{Bytes, BytesMut};
use std::fmt::Display;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use synx_domain::ContentHash;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, ReadBuf};
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
    chunks: Chunks,
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
        let name = config.bucket.clone();
        let (store, stream) = bucket::of_files(backplane, config).await?;
        Ok(Self { store, chunks: Chunks::new(stream, name), patience: backplane.patience() })
    }

    /// Stores a file, if it is not there yet. Begins again when a server is gone in the middle of it, as long as it gets further than
    /// ever before.
    ///
    /// # Errors
    /// When it cannot be read, or the servers do not answer or refuse.
    pub async fn put(
        &self,
        hash: ContentHash,
        file: impl AsyncRead + AsyncSeek + Unpin,
    ) -> Result<(), ClusterError> {
        let failed = |error: &dyn Display| ClusterError::server("store audio", error);
        let (name, mut reading) = (hash.to_string(), Reading::of(file));
        while !self.has(&name).await {
            match self.store.put(name.as_str(), &mut reading).await {
                // Whether others removed pieces meanwhile is asked of the leader; others may not know of the file yet.
                Ok(file) if self.chunks.has_all(&file).await.unwrap_or(true) => break,
                Ok(_) => tracing::warn!(name, "audio was put and lacks pieces: putting it again"),
                Err(error) if reading.further_at.elapsed() >= self.patience => return Err(failed(&error)),
                Err(error) => {
                    tracing::debug!(%error, "storing audio again");
                    sleep(RETRY_PAUSE).await;
                }
            }
            reading.begin_anew().await.map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// Whether a file is there with all of its pieces, as far as the servers say so.
    async fn has(&self, name: &str) -> bool {
        match self.store.info(name).await {
            Ok(file) => self.chunks.has_all(&file).await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// Removes what is left of puts that broke off, on whatever node, as long as it is polled: what has not grown for so long, which
    /// must be far longer than a server may take for a piece.
    pub async fn keep_tidy(&self, every: Duration) {
        let mut leftovers = Leftovers::new(self.chunks.clone());
        loop {
            if let Err(error) = leftovers.look().await {
                tracing::debug!(%error, "looking again later");
            }
            sleep(every).await;
        }
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

/// A file that is being put, and when more of it was read than ever before.
struct Reading<F> {
    file: F,
    read: usize,
    furthest: usize,
    further_at: Instant,
}

impl<F: AsyncSeek + Unpin> Reading<F> {
    fn of(file: F) -> Self {
        Self { file, read: 0, furthest: 0, further_at: Instant::now() }
    }

    async fn begin_anew(&mut self) -> io::Result<()> {
        self.read = 0;
        self.file.seek(SeekFrom::Start(0)).await.map(drop)
    }
}

impl<F: AsyncRead + Unpin> AsyncRead for Reading<F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(Pin::new(&mut self.file).poll_read(context, to))?;
        self.read += to.filled().len() - before;
        if self.read > self.furthest {
            (self.furthest, self.further_at) = (self.read, Instant::now());
        }
        Poll::Ready(Ok(()))
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
