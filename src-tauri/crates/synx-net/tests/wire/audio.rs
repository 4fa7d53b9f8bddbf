//! Audio by hand: bytes, their hash, and the requests that carry them.

use crate::house::House;
use crate::http::{Answer, Ask};
use synx_domain::{ContentHash, UserId};

/// Bytes that look like nothing in particular, always the same for one seed.
pub fn noise(seed: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(seed.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

pub fn hash_of(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(*blake3::hash(bytes).as_bytes())
}

/// A member who uploads and downloads by hand.
pub struct Sender<'a> {
    pub house: &'a House,
    pub user: UserId,
    token: String,
}

impl<'a> Sender<'a> {
    pub fn of(house: &'a House) -> Self {
        let user = house.member();
        Self { house, user, token: house.token(user) }
    }

    fn ask(&self, method: &'static str, part: &str, hash: ContentHash) -> Ask {
        let path = format!("/api/v1/rooms/{}/{part}/{hash}", self.house.room.id());
        Ask::new(method, path).bearer(&self.token)
    }

    pub fn get(&self, hash: ContentHash) -> Ask {
        self.ask("GET", "audio", hash)
    }

    pub fn head(&self, hash: ContentHash) -> Ask {
        self.ask("HEAD", "audio", hash)
    }

    pub fn put(&self, hash: ContentHash, offset: usize) -> Ask {
        self.ask("PUT", "audio", hash).header("Upload-Offset", offset)
    }

    pub async fn send(&self, hash: ContentHash, offset: usize, bytes: &[u8]) -> Answer {
        self.put(hash, offset).body(bytes).send(self.house.at()).await
    }

    pub async fn state(&self, hash: ContentHash) -> Answer {
        self.ask("GET", "uploads", hash).send(self.house.at()).await
    }

    /// Bytes that the host says it has of an upload.
    pub async fn received(&self, hash: ContentHash) -> u64 {
        let state = self.state(hash).await;
        assert_eq!((state.status, &state.json()["complete"]), (200, &false.into()), "{state:?}");
        state.json()["received_bytes"].as_u64().unwrap()
    }

    pub fn announces(&self, bytes: &[u8]) -> ContentHash {
        let hash = hash_of(bytes);
        self.house.room.announce(self.user, hash, bytes.len() as u64);
        hash
    }

    /// Announces and sends all.
    pub async fn shares(&self, bytes: &[u8]) -> ContentHash {
        let hash = self.announces(bytes);
        let answer = self.send(hash, 0, bytes).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        crate::eventually("it is shared", async || self.house.room.is_shared(hash)).await;
        hash
    }
}
