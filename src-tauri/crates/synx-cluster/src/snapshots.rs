//! Rooms' snapshots in a bucket: a node whose copy is new, or far behind, need not fold a long room from its first event.
//!
//! Whoever gets one holds it against the hashes of their own copy. Must never be waited for by who appends, nor for long by who
//! reads: a snapshot that is lost costs a longer fold.

use crate::backplane::Backplane;
use crate::{ClusterError, bucket};
use async_nats::jetstream::kv::{Config, Store};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use futures_util::TryStreamExt;
use std::cmp::Reverse;
use std::fmt::Display;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use synx_domain::RoomId;
use synx_log::StoredSnapshot;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Snapshots of each room that are kept, whoever made them: one that is damaged has others beside it.
const KEPT: i64 = 4;
/// Snapshots that are on their way at once; what comes then is not put.
const PUT_AT_ONCE: usize = 4;
/// How long one may be on its way.
const PUT_PATIENCE: Duration = Duration::from_secs(10);
/// How long the servers may take to hand over what they have: they take some ms, and a fold of 100,000 events a few hundred.
const GET_PATIENCE: Duration = Duration::from_millis(500);
/// A message takes no more bytes; a room with all that it may hold comes near it.
const PACKED_LIMIT: usize = 6 << 20;
/// No snapshot is larger when it is unpacked: one that is was made to do harm.
const UNPACKED_LIMIT: u64 = 64 << 20;
/// How they are packed: this byte, then the place, the digest, and the state, deflated.
const FORMAT: u8 = 1;

/// A node's way to the bucket.
pub(crate) struct Snapshots {
    bucket: Store,
    runtime: Handle,
    putting: Arc<Semaphore>,
}

impl Snapshots {
    /// Finds the bucket, or makes it. What is put and got from then on is done by the runtime that this is called in.
    pub(crate) async fn open(backplane: &Backplane) -> Result<Self, ClusterError> {
        let config = Config {
            bucket: backplane.bucket_name("snapshots"),
            description: "Rooms of a SynxSphere cluster as they were after some event".to_owned(),
            history: KEPT,
            ..Config::default()
        };
        let bucket = bucket::of_keys(backplane, config).await?;
        Ok(Self { bucket, runtime: Handle::current(), putting: Arc::new(Semaphore::new(PUT_AT_ONCE)) })
    }

    /// Puts a snapshot, in the background.
    pub(crate) fn put(&self, snapshot: StoredSnapshot) {
        let Ok(permit) = Arc::clone(&self.putting).try_acquire_owned() else { return };
        let bucket = self.bucket.clone();
        self.runtime.spawn(async move {
            let (room, seq) = (snapshot.room_id, snapshot.seq);
            // Not on the runtime's thread, which stores events.
            let packed = tokio::task::spawn_blocking(move || packed(&snapshot)).await;
            let put = async {
                let packed = packed.map_err(io::Error::from).flatten().map_err(|error| failed(&error))?;
                bucket.put(room.to_string(), packed).await.map_err(|error| failed(&error))
            };
            let put = timeout(PUT_PATIENCE, put).await.unwrap_or_else(|late| Err(failed(&late)));
            if let Err(error) = put {
                tracing::warn!(%error, %room, seq, "other nodes do not get a snapshot");
            }
            drop(permit);
        });
    }

    /// The room's at or before a place, the latest first, as far as the servers say so in time. Blocks until then.
    pub(crate) fn get(&self, room: RoomId, at_or_before: u64) -> Vec<StoredSnapshot> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let bucket = self.bucket.clone();
        self.runtime.spawn(async move {
            let values = timeout(GET_PATIENCE, values(&bucket, room)).await;
            // Who asked waits for it; where the runtime ends instead they are told that.
            drop(tell.send(values.unwrap_or_else(|late| Err(failed(&late)))));
        });
        let values = told.recv().unwrap_or_else(|closed| Err(failed(&closed)));
        let values = values.inspect_err(|error| tracing::warn!(%error, %room, "folding without a snapshot"));
        let values = values.unwrap_or_default();
        let mut found: Vec<_> =
            values.iter().filter_map(|value| unpacked(room, value, at_or_before)).collect();
        found.sort_unstable_by_key(|snapshot| Reverse(snapshot.seq));
        found
    }
}

/// All that are kept of a room.
async fn values(bucket: &Store, room: RoomId) -> Result<Vec<Bytes>, ClusterError> {
    let entries = bucket.history(room.to_string()).await.map_err(|error| failed(&error))?;
    entries.map_ok(|entry| entry.value).try_collect().await.map_err(|error| failed(&error))
}

fn packed(snapshot: &StoredSnapshot) -> io::Result<Bytes> {
    let mut packed = vec![FORMAT];
    packed.extend_from_slice(&snapshot.seq.to_le_bytes());
    packed.extend_from_slice(&snapshot.digest);
    let mut encoder = DeflateEncoder::new(packed, Compression::fast());
    encoder.write_all(snapshot.data.as_bytes())?;
    let packed = encoder.finish()?;
    match packed.len() {
        ..=PACKED_LIMIT => Ok(packed.into()),
        size => Err(io::Error::other(format!("its {size} bytes do not fit into a message"))),
    }
}

/// A snapshot as it was put, if it is of such a place. What is no snapshot is none.
fn unpacked(room_id: RoomId, packed: &[u8], at_or_before: u64) -> Option<StoredSnapshot> {
    let packed = packed.strip_prefix(&[FORMAT])?;
    let (seq, packed) = packed.split_first_chunk()?;
    let (digest, packed) = packed.split_first_chunk()?;
    let seq = u64::from_le_bytes(*seq);
    let mut data = String::new();
    let unpacked = (seq <= at_or_before)
        .then(|| DeflateDecoder::new(packed).take(UNPACKED_LIMIT).read_to_string(&mut data).ok());
    unpacked.flatten().map(|_| StoredSnapshot { room_id, seq, data, digest: *digest })
}

fn failed(error: &dyn Display) -> ClusterError {
    ClusterError::server("keep snapshots", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_log::testing::room;

    #[test]
    fn what_is_packed_is_read_back_and_what_is_damaged_is_not_or_differs() {
        let data = "{\"version\":2}".repeat(100);
        let snapshot = StoredSnapshot { room_id: room(1), seq: 7, data, digest: [9; 32] };
        let whole = packed(&snapshot).unwrap();
        assert!(whole.len() < 200);
        assert_eq!(unpacked(room(1), &whole, 7), Some(snapshot.clone()));
        assert_eq!(unpacked(room(1), &whole, 6), None);
        for end in 0..whole.len() {
            assert_ne!(unpacked(room(1), &whole[..end], 7), Some(snapshot.clone()), "cut at {end}");
            let mut altered = whole.to_vec();
            altered[end] ^= 1;
            assert_ne!(unpacked(room(1), &altered, 7), Some(snapshot.clone()), "altered at {end}");
        }
    }
}
