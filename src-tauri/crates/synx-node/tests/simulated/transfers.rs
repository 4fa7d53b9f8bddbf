//! Files over connections that end in the middle, or are forgotten on the way.

use crate::house::House;
use crate::net::Net;
use crate::{Dice, in_simulated_time, peer};
use std::time::Duration;
use synx_domain::ContentHash;
use synx_net::RoomClient;
use tokio::time::timeout;

/// A file of many connections' bytes.
const FILE_BYTES: usize = 60_000;
/// As often as a transfer may break off without a byte, each time after the longest that is waited for at its end.
const PATIENCE: Duration = Duration::from_secs(900);

#[test]
fn an_upload_arrives_over_connections_that_are_forgotten_on_the_way() {
    for seed in 1..=4 {
        in_simulated_time(upload(seed));
    }
}

async fn upload(seed: u64) {
    let dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let net = Net::new(1, dice.fork());
    net.calm();
    let house = House::build(&net, folder.path(), dice.fork()).await;
    let (client, _events) =
        RoomClient::join_over(peer::config(0, house.room, folder.path()), net.way_of(0)).await.unwrap();
    let bytes: Vec<u8> = (0..FILE_BYTES).map(|_| dice.below(256) as u8).collect();
    let hash = ContentHash::from_bytes(*blake3::hash(&bytes).as_bytes());
    let path = folder.path().join("song.wav");
    std::fs::write(&path, &bytes).unwrap();

    let forgetting = async {
        for _ in 0..3 {
            tokio::time::sleep(dice.delay(&(1_000..200_000))).await;
            net.lose(0);
        }
        std::future::pending::<()>().await;
    };
    let sent = async {
        // A person whose upload ends in an error tries again.
        while let Err(error) = client.upload(&path, hash, |_| {}).await {
            assert_eq!(error.code(), "connection_lost", "{error}");
        }
    };
    let arrived = timeout(PATIENCE, async {
        tokio::select! {
            () = sent => {}
            () = forgetting => {}
        }
    });
    arrived.await.unwrap_or_else(|_| panic!("seed {seed}: the upload waits for ever"));
    let kept = house.audio.of_room(house.room).path(hash).expect("the file is here");
    assert_eq!(std::fs::read(kept).unwrap(), bytes);
}
