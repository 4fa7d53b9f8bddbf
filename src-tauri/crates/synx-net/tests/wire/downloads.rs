//! Audio on its way to peers.

use crate::audio::{Sender, hash_of, noise};
use crate::guest::Guest;
use crate::house::House;
use crate::proxy::Proxy;
use std::path::PathBuf;
use std::time::Duration;
use synx_domain::ContentHash;
use synx_net::AudioStore;
use tokio::io::AsyncReadExt;

const MIB: usize = 1 << 20;

/// Somebody with a link to the host, and the folder of their audio.
struct Fetching {
    guest: Guest,
    proxy: Proxy,
    folder: PathBuf,
}

impl Fetching {
    async fn from(house: &House) -> Self {
        let proxy = Proxy::to(house.at()).await;
        let folder = house.folder().join("fetched");
        let mut config = house.config("Cleo");
        config.addresses = Some(vec![proxy.address()]);
        config.audio = AudioStore::open(&folder).unwrap();
        Self { guest: Guest::join(config).await.unwrap(), proxy, folder }
    }

    /// Puts bytes where an earlier download left them.
    fn has_already(&self, hash: ContentHash, bytes: &[u8]) {
        let name = hash.to_string();
        let folder = self.folder.join(&name[..2]);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.part")), bytes).unwrap();
        assert_eq!(self.guest.audio.partial_bytes(hash), bytes.len() as u64);
    }

    /// Fetches; the code if it fails.
    async fn fetch(&self, hash: ContentHash) -> Result<(), String> {
        let fetched = crate::soon(self.guest.client.fetch((hash, u64::MAX), |_| {})).await;
        fetched.map_err(|error| error.code().to_owned())
    }

    fn kept(&self, hash: ContentHash) -> Option<Vec<u8>> {
        self.guest.audio.path(hash).map(|path| std::fs::read(path).unwrap())
    }
}

#[tokio::test]
async fn what_one_shares_another_fetches() {
    let house = House::with(|plan| plan.tls = true).await;
    let (ben, cleo) = (house.guest("Ben").await, house.guest("Cleo").await);
    let bytes = noise("song", 3 * MIB + 1);
    let hash = hash_of(&bytes);
    ben.client.upload(&house.file("song.flac", &bytes), hash, |_| {}).await.unwrap();
    let mut progress = Vec::new();
    cleo.client.fetch((hash, u64::MAX), |here| progress.push(here)).await.unwrap();
    assert_eq!(std::fs::read(cleo.audio.path(hash).unwrap()).unwrap(), bytes);
    assert!(progress.is_sorted() && progress.last() == Some(&(bytes.len() as u64)));
}

#[tokio::test]
async fn what_is_here_is_not_fetched_again() {
    let house = House::open().await;
    let hash = Sender::of(&house).shares(&noise("song", MIB)).await;
    let cleo = Fetching::from(&house).await;
    cleo.fetch(hash).await.unwrap();
    let carried = cleo.proxy.carried();
    cleo.fetch(hash).await.unwrap();
    assert_eq!(cleo.proxy.carried(), carried);
}

#[tokio::test]
async fn a_download_goes_on_from_the_bytes_that_are_here() {
    let house = House::open().await;
    let bytes = noise("song", 4 * MIB);
    let hash = Sender::of(&house).shares(&bytes).await;
    let cleo = Fetching::from(&house).await;
    cleo.has_already(hash, &bytes[..3 * MIB]);
    cleo.fetch(hash).await.unwrap();
    assert_eq!(cleo.kept(hash), Some(bytes));
    let carried = cleo.proxy.carried();
    assert!(carried < 2 * MIB as u64, "{carried} bytes: only the rest");
}

#[tokio::test]
async fn a_download_whose_last_byte_is_here_is_checked_and_used() {
    let house = House::open().await;
    let bytes = noise("song", MIB);
    let hash = Sender::of(&house).shares(&bytes).await;
    let cleo = Fetching::from(&house).await;
    cleo.has_already(hash, &bytes);
    cleo.fetch(hash).await.unwrap();
    assert_eq!(cleo.kept(hash), Some(bytes));
}

#[tokio::test]
async fn damaged_bytes_are_refused_and_not_kept() {
    let house = House::open().await;
    let bytes = noise("song", MIB);
    let hash = Sender::of(&house).shares(&bytes).await;
    let cleo = Fetching::from(&house).await;
    let too_long = [bytes.as_slice(), b"more"].concat();
    for damaged in [b"damaged".as_slice(), &noise("another", MIB), &too_long] {
        cleo.has_already(hash, damaged);
        assert_eq!(cleo.fetch(hash).await, Err("hash_mismatch".to_owned()));
        assert_eq!((cleo.kept(hash), cleo.guest.audio.partial_bytes(hash)), (None, 0));
    }
    cleo.fetch(hash).await.unwrap();
    assert_eq!(cleo.kept(hash), Some(bytes), "the next try is a fresh one");
}

#[tokio::test]
async fn a_download_that_breaks_again_and_again_is_finished_as_long_as_it_moves_on() {
    let house = House::open().await;
    let bytes = noise("song", 4 * MIB);
    let hash = Sender::of(&house).shares(&bytes).await;
    let cleo = Fetching::from(&house).await;
    cleo.proxy.break_after(MIB as u64 / 2, 7);
    assert_eq!(cleo.fetch(hash).await, Ok(()));
    assert_eq!(cleo.proxy.breaks_left(), 0);
    assert_eq!(cleo.kept(hash), Some(bytes));
    let carried = cleo.proxy.carried();
    assert!(carried < 6 * MIB as u64, "{carried} bytes");
}

#[tokio::test]
async fn what_nobody_shared_cannot_be_fetched() {
    let house = House::open().await;
    let cleo = Fetching::from(&house).await;
    assert_eq!(cleo.fetch(hash_of(b"music")).await, Err("not_found".to_owned()));
    let announced = Sender::of(&house).announces(b"music");
    assert_eq!(cleo.fetch(announced).await, Err("not_found".to_owned()), "nor before it is complete");
}

#[tokio::test]
async fn who_left_gets_no_audio() {
    let house = House::open().await;
    let hash = Sender::of(&house).shares(b"music").await;
    let cleo = Fetching::from(&house).await;
    house.room.host_removes(cleo.guest.user);
    assert_eq!(cleo.fetch(hash).await, Err("not_a_member".to_owned()));
    assert_eq!(cleo.kept(hash), None);
}

#[tokio::test]
async fn a_range_is_answered_with_its_bytes() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let hash = ben.shares(b"0123456789").await;
    for (range, told, bytes) in [
        ("bytes=0-", "bytes 0-9/10", "0123456789"),
        ("bytes=4-6", "bytes 4-6/10", "456"),
        ("bytes=9-9", "bytes 9-9/10", "9"),
        ("bytes=4-60", "bytes 4-9/10", "456789"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=-30", "bytes 0-9/10", "0123456789"),
    ] {
        let part = ben.get(hash).header("Range", range).send(house.at()).await;
        assert_eq!((part.status, part.header("content-range")), (206, Some(told)), "{range}");
        assert_eq!(part.body, bytes.as_bytes(), "{range}");
        assert_eq!(part.header("content-length"), Some(bytes.len().to_string().as_str()), "{range}");
    }
}

#[tokio::test]
async fn a_range_past_the_end_is_answered_with_the_size() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let hash = ben.shares(b"0123456789").await;
    for range in ["bytes=10-", "bytes=10-20", "bytes=18446744073709551615-", "bytes=-0"] {
        let none = ben.get(hash).header("Range", range).send(house.at()).await;
        assert_eq!((none.status, none.header("content-range")), (416, Some("bytes */10")), "{range}");
        assert_eq!(none.body, b"", "{range}");
    }
}

#[tokio::test]
async fn without_a_range_that_is_understood_the_whole_file_comes() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let hash = ben.shares(b"0123456789").await;
    let mut asked = vec![ben.get(hash)];
    for range in ["bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes", "bytes=--1"] {
        asked.push(ben.get(hash).header("Range", range));
    }
    for ask in asked {
        let whole = ask.send(house.at()).await;
        assert_eq!((whole.status, whole.body.as_slice()), (200, b"0123456789".as_slice()));
        assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
        assert_eq!(whole.header("accept-ranges"), Some("bytes"));
        assert_eq!(whole.header("etag"), Some(format!("\"{hash}\"").as_str()));
    }
    let head = ben.head(hash).send(house.at()).await;
    assert_eq!((head.status, head.body.as_slice()), (200, b"".as_slice()));
    assert_eq!(head.header("content-length"), Some("10"));
}

#[tokio::test]
async fn a_download_ends_with_the_membership_of_who_takes_it() {
    let house = House::open().await;
    let bytes = noise("song", 48 * MIB);
    let hash = Sender::of(&house).shares(&bytes).await;
    let eve = Sender::of(&house);
    let mut stream = eve.get(hash).begin(house.at()).await;
    let mut taken = vec![0; MIB];
    crate::soon(stream.read_exact(&mut taken)).await.unwrap();
    house.room.host_removes(eve.user);
    // Longer than the host may take to notice; what lies in the buffers of the system comes all the same.
    tokio::time::sleep(Duration::from_millis(150)).await;
    let mut rest = Vec::new();
    drop(crate::soon(stream.read_to_end(&mut rest)).await);
    assert!(rest.len() < 40 * MIB, "{} bytes came after the removal", rest.len());
}

#[tokio::test]
async fn a_host_that_sends_more_than_it_announced_is_not_listened_to() {
    let house = House::open().await;
    let bytes = noise("song", 2 * MIB);
    let hash = Sender::of(&house).shares(&bytes).await;
    let cleo = Fetching::from(&house).await;
    let fetched = crate::soon(cleo.guest.client.fetch((hash, MIB as u64), |_| {})).await;
    assert_eq!(fetched.unwrap_err().code(), "file_too_long");
    assert_eq!((cleo.guest.audio.partial_bytes(hash), cleo.kept(hash)), (0, None));
    cleo.fetch(hash).await.unwrap();
}
