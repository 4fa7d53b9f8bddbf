//! A peer's downloads: what plays, what plays next, then the rest of the queue. One file at a time, so that the file that
//! is needed first has the whole line.

use crate::bridge::{TransferDirection, TransferView};
use crate::node::Inner;
use crate::room::stage::Stage;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use synx_domain::{ContentHash, Room, TrackMeta};

/// After a failure the next try comes this much later; it doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// With so much of a file it is tried whether it can be played already; then with twice as much, and so on.
const FIRST_LOOK_BYTES: u64 = 64 * 1024;

/// Fetches until the stage ends.
pub async fn follow(inner: Weak<Inner>, stage: Arc<Stage>) {
    let mut changes = stage.changes();
    let mut failures: HashMap<ContentHash, (u32, Instant)> = HashMap::new();
    loop {
        let Some(node) = inner.upgrade() else { return };
        let mut stops = node.transfers.stops();
        let wanted = stage.with(wanted);
        let due = |hash: &ContentHash| failures.get(hash).is_none_or(|(_, at)| *at <= Instant::now());
        let stopped = |hash: &ContentHash| node.transfers.is_stopped(&hash.to_string());
        let next = wanted
            .into_iter()
            .find(|meta| node.locate(meta.hash).is_none() && due(&meta.hash) && !stopped(&meta.hash));
        let Some(meta) = next else {
            drop(node);
            let retry = failures.values().map(|(_, at)| at.saturating_duration_since(Instant::now())).min();
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                changed = stops.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(retry.unwrap_or(Duration::MAX)), if retry.is_some() => {}
            }
            continue;
        };
        let track = meta.hash.to_string();
        let fetched = tokio::select! {
            fetched = fetch(&node, &stage, &meta) => fetched,
            // It stays where it is, and goes on from there.
            () = node.transfers.until_stopped(&track) => continue,
            () = another_is_needed(&node, &stage, meta.hash) => continue,
        };
        match fetched {
            Ok(()) => drop(failures.remove(&meta.hash)),
            Err(error) => {
                tracing::warn!(hash = %meta.hash, %error, "download failed");
                let tries = failures.get(&meta.hash).map_or(0, |(tries, _)| *tries);
                let wait = (RETRY_MIN * 2_u32.saturating_pow(tries)).min(RETRY_MAX);
                failures.insert(meta.hash, (tries + 1, Instant::now() + wait));
            }
        }
    }
}

/// Returns when something else must be heard before `hash`: the music has moved on.
async fn another_is_needed(node: &Inner, stage: &Stage, hash: ContentHash) {
    let mut changes = stage.changes();
    let current = |room: &Room| Some(room.transport.as_ref()?.current?.track);
    let needed = || stage.with(current).filter(|now| *now != hash && node.locate(*now).is_none());
    let before = needed();
    // The one that was missing already when this began has failed, or it would be fetched now.
    while needed().is_none_or(|now| Some(now) == before) {
        if changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The room's audio in the order in which it is needed.
fn wanted(room: &Room) -> Vec<TrackMeta> {
    let current = room.transport.as_ref().and_then(|transport| transport.current);
    let items = room.queue.items();
    let at = current.and_then(|current| items.iter().position(|item| item.id == current.item)).unwrap_or(0);
    let queued = items[at..].iter().chain(&items[..at]).map(|item| item.track);
    let hashes = current.map(|current| current.track).into_iter().chain(queued);
    hashes.filter_map(|hash| room.playable(hash).cloned()).collect()
}

async fn fetch(node: &Arc<Inner>, stage: &Stage, meta: &TrackMeta) -> Result<(), synx_net::NetError> {
    let Stage::Joined(joined) = stage else { return Ok(()) };
    let (track, user) = (meta.hash.to_string(), node.me().to_string());
    let view = TransferView {
        track: track.clone(),
        file_name: meta.file_name.clone(),
        direction: TransferDirection::Download,
        user: user.clone(),
        bytes_done: 0,
        bytes_total: meta.size_bytes,
        stopped: false,
    };
    node.transfers.moved(view.clone());
    let told = Arc::clone(node);
    let mut looked_at = FIRST_LOOK_BYTES;
    let progress = Box::new(move |bytes_done: u64| {
        told.transfers.moved(TransferView { bytes_done, ..view.clone() });
        if bytes_done >= looked_at {
            looked_at = bytes_done.saturating_mul(2);
            told.arrivals.send_modify(|count| *count += 1);
        }
    });
    let _ended = Ended { node, track, user };
    joined.client().fetch((meta.hash, meta.size_bytes), progress).await?;
    node.audio_arrived(meta.hash);
    Ok(())
}

/// Takes a transfer off the list however it ends: done, failed, or given up for a more urgent one.
struct Ended<'a> {
    node: &'a Inner,
    track: String,
    user: String,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.node.transfers.ended(&self.track, &self.user);
    }
}
