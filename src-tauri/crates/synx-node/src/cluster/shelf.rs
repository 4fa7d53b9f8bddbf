//! The cluster's audio as a node has it: what comes here is put where all nodes find it, and what is asked for is fetched.
//!
//! Must never give out, or keep, what does not match its hash.

use crate::error::NodeError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use synx_cluster::Objects;
use synx_domain::ContentHash;
use synx_net::{AudioStore, NetError};
use tokio::sync::Mutex;

/// What has not grown for so long was left by a node that is gone, or gave up: a piece takes a server a second at most.
const TIDY_EVERY: Duration = Duration::from_secs(30 * 60);

/// Where audio is here, and where it is for all.
pub struct Shelf {
    audio: AudioStore,
    objects: Objects,
    /// What is being fetched: once, however many ask for it.
    fetching: Mutex<HashMap<ContentHash, Arc<Mutex<()>>>>,
}

impl Shelf {
    pub fn new(audio: AudioStore, objects: Objects) -> Self {
        Self { audio, objects, fetching: Mutex::default() }
    }

    pub fn audio(&self) -> &AudioStore {
        &self.audio
    }

    /// Puts audio that is here where all nodes find it.
    ///
    /// # Errors
    /// When it is not here, or the cluster does not take it.
    pub async fn publish(&self, hash: ContentHash) -> Result<(), NodeError> {
        let path = self.audio.path(hash).ok_or(NodeError::NoSuchTrack)?;
        let file = tokio::fs::File::open(&path).await;
        let file = file.map_err(|source| NodeError::File { action: "read", path, source })?;
        Ok(self.objects.put(hash, file).await?)
    }

    /// Removes what is left in the cluster of audio that was not put whole, as long as it is polled.
    pub async fn keep_tidy(&self) {
        self.objects.keep_tidy(TIDY_EVERY).await;
    }

    /// Brings audio here, if the cluster has it; whether it is here then.
    ///
    /// # Errors
    /// When the cluster does not answer, the bytes are others than their name says, or they cannot be written.
    pub async fn fetch(&self, hash: ContentHash) -> Result<bool, NodeError> {
        let turn = Arc::clone(self.fetching.lock().await.entry(hash).or_default());
        let fetched = {
            let _alone = turn.lock().await;
            self.fetch_alone(hash).await
        };
        let mut fetching = self.fetching.lock().await;
        // The last of them: one of the two is in the map.
        if Arc::strong_count(&turn) == 2 {
            fetching.remove(&hash);
        }
        fetched
    }

    async fn fetch_alone(&self, hash: ContentHash) -> Result<bool, NodeError> {
        if self.audio.path(hash).is_some() {
            return Ok(true);
        }
        let Some(mut pieces) = self.objects.get(hash).await? else { return Ok(false) };
        let mut part = self.audio.append(hash, 0)?;
        while let Some(piece) = pieces.next().await? {
            part.write(piece).await?;
        }
        part.flush().await?;
        let audio = self.audio.clone();
        let committed = tokio::task::spawn_blocking(move || audio.commit(hash)).await;
        committed.map_err(|_| NodeError::Closing)?.map(|_| true).map_err(|error: NetError| error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::io::Cursor;
    use synx_cluster::Backplane;
    use synx_cluster::testing::{NatsServer, until};
    use synx_net::WriteGate;
    use tempfile::TempDir;

    async fn shelf(server: &NatsServer) -> (Shelf, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let backplane = Backplane::connect(&server.options(folder.path())).await.unwrap();
        let audio = AudioStore::open(&folder.path().join("audio")).unwrap();
        (Shelf::new(audio, Objects::open(&backplane).await.unwrap()), folder)
    }

    fn hash_of(bytes: &[u8]) -> ContentHash {
        ContentHash::from_bytes(*blake3::hash(bytes).as_bytes())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_one_node_has_the_other_fetches_whoever_asks() {
        let server = NatsServer::start();
        let ((here, folder), (there, _folder)) = (shelf(&server).await, shelf(&server).await);
        // More than one message of the store.
        let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let hash = hash_of(&bytes);
        assert!(!there.fetch(hash).await.unwrap());
        let file = folder.path().join("song.mp3");
        std::fs::write(&file, &bytes).unwrap();
        here.audio().import(&file, hash).unwrap();
        for _ in 0..2 {
            here.publish(hash).await.unwrap();
        }
        let fetched = join_all((0..8).map(|_| there.fetch(hash))).await;
        assert!(fetched.into_iter().all(|fetched| fetched.unwrap()));
        assert_eq!(std::fs::read(there.audio().path(hash).unwrap()).unwrap(), bytes);
        assert!(there.fetching.lock().await.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_more_comes_into_a_folder_that_is_let_go() {
        let (server, gate) = (NatsServer::start(), WriteGate::default());
        let (mut shelf, _folder) = shelf(&server).await;
        shelf.audio = shelf.audio.behind(&gate);
        // Long enough that it is on its way when the node closes.
        let bytes = vec![7; 48 << 20];
        let hash = hash_of(&bytes);
        shelf.objects.put(hash, Cursor::new(bytes)).await.unwrap();
        let audio = shelf.audio.clone();
        let fetching = tokio::spawn(async move { shelf.fetch(hash).await });
        until(async || audio.partial_bytes(hash) > 0, "nothing comes").await;
        gate.close();
        let here = audio.partial_bytes(hash);
        assert!(fetching.await.unwrap().is_err());
        assert_eq!(audio.partial_bytes(hash), here);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn bytes_that_are_others_than_their_name_says_are_not_kept() {
        let server = NatsServer::start();
        let (shelf, _folder) = shelf(&server).await;
        let hash = hash_of(b"music");
        shelf.objects.put(hash, Cursor::new(b"malice")).await.unwrap();
        let error = shelf.fetch(hash).await.unwrap_err();
        assert!(matches!(error, NodeError::Net(NetError::HashMismatch)), "{error}");
        assert!(shelf.audio().path(hash).is_none() && shelf.audio().partial_bytes(hash) == 0);
    }
}
