//! Pieces in the object store of which no file is made: those of puts that broke off, whoever's they were.
//!
//! Must never remove what is part of a file, or may still become one. Whoever puts a file adds a piece every few seconds or has given
//! up, so what has not grown from one look to the next is nobody's. The stream's leader is asked, as other servers may lack what
//! is stored.

use crate::ClusterError;
use async_nats::jetstream::object_store::ObjectInfo;
use async_nats::jetstream::stream::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

/// Files that are asked for at once.
const ASKED_AT_ONCE: usize = 16;

/// The pieces of all files of a bucket, and of none: those of each put have a subject of their own.
#[derive(Clone)]
pub(crate) struct Chunks {
    stream: Stream<()>,
    bucket: String,
}

impl Chunks {
    pub(crate) fn new(stream: Stream<()>, bucket: String) -> Self {
        Self { stream, bucket }
    }

    /// Whether all pieces of a file are there.
    pub(crate) async fn has_all(&self, file: &ObjectInfo) -> Result<bool, ClusterError> {
        let subject = self.pieces_of(&file.nuid);
        Ok(self.messages(&subject).await?.get(&subject).copied().unwrap_or(0) == file.chunks)
    }

    /// Pieces of which no file is made, now: how many, for each put that left some.
    async fn without_file(&self) -> Result<HashMap<String, usize>, ClusterError> {
        // In this order: of a file that is completed meanwhile both are found.
        let mut pieces = self.messages(&self.pieces_of("*")).await?;
        let files = self.messages(&format!("$O.{}.M.>", self.bucket)).await?;
        // Each file has pieces under one subject.
        if pieces.len() <= files.len() {
            return Ok(HashMap::new());
        }
        let asked = files.into_keys().map(|subject| self.file(subject));
        let made: HashSet<String> = stream::iter(asked).buffer_unordered(ASKED_AT_ONCE).try_collect().await?;
        pieces.retain(|subject, _| !made.contains(subject));
        Ok(pieces)
    }

    /// The subject of the pieces that a file is made of.
    async fn file(&self, subject: String) -> Result<String, ClusterError> {
        let message = self.stream.get_last_raw_message_by_subject(&subject).await;
        let message = message.map_err(|error| failed(&error))?;
        let file: ObjectInfo = serde_json::from_slice(&message.payload).map_err(|error| failed(&error))?;
        Ok(self.pieces_of(&file.nuid))
    }

    /// How many messages there are of each subject.
    async fn messages(&self, filter: &str) -> Result<HashMap<String, usize>, ClusterError> {
        let subjects = self.stream.info_with_subjects(filter).await.map_err(|error| failed(&error))?;
        subjects.try_collect().await.map_err(|error| failed(&error))
    }

    fn pieces_of(&self, nuid: &str) -> String {
        format!("$O.{}.C.{nuid}", self.bucket)
    }
}

/// What is left over in a bucket.
pub(crate) struct Leftovers {
    chunks: Chunks,
    /// As it was found at the last look.
    found: HashMap<String, usize>,
}

impl Leftovers {
    pub(crate) fn new(chunks: Chunks) -> Self {
        Self { chunks, found: HashMap::new() }
    }

    /// Removes what was there, and as much, at the last look.
    pub(crate) async fn look(&mut self) -> Result<(), ClusterError> {
        let now = self.chunks.without_file().await?;
        let before = std::mem::replace(&mut self.found, now);
        for (subject, pieces) in
            self.found.iter().filter(|(subject, pieces)| before.get(*subject) == Some(pieces))
        {
            tracing::info!(subject, pieces, "removing what a put of audio left behind that broke off");
            self.chunks.stream.purge().filter(subject).await.map_err(|error| failed(&error))?;
        }
        Ok(())
    }
}

fn failed(error: &dyn Display) -> ClusterError {
    ClusterError::server("look for left pieces of audio", error)
}
