//! Connections that break, and what is never lost, doubled or held up by that.

use crate::eventually;
use crate::guest::Guest;
use crate::house::House;
use crate::proxy::{Mode, Proxy};
use std::time::Duration;
use synx_domain::Command;
use synx_net::ClientEvent;

const PING_EVERY: Duration = Duration::from_millis(150);
const SILENCE: Duration = Duration::from_millis(600);

/// Somebody who joins through a link that can be cut.
async fn guest_behind(house: &House, proxy: &Proxy, silence: Option<Duration>) -> Guest {
    let mut config = house.config("Ben");
    config.addresses = Some(vec![proxy.address()]);
    config.silence = silence.unwrap_or(config.silence);
    Guest::join(config).await.unwrap()
}

fn chat(text: &str) -> Command {
    Command::PostChatMessage { text: text.to_owned() }
}

async fn until_reconnecting(guest: &mut Guest) {
    guest.until(|event| matches!(event, ClientEvent::Reconnecting { .. })).await;
}

#[tokio::test]
async fn a_cut_connection_comes_back_and_misses_nothing() {
    let house = House::with(|plan| plan.tls = true).await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy, None).await;
    for round in 1..=3 {
        house.room.host_says("before");
        proxy.set(Mode::Cut);
        house.room.host_says("meanwhile");
        until_reconnecting(&mut ben).await;
        house.room.host_says("meanwhile");
        proxy.set(Mode::Open);
        ben.until_reconnected().await;
        let seq = house.room.host_says("after");
        ben.until_seq(seq).await;
        assert_eq!(ben.room, house.room.with(Clone::clone));
        assert_eq!(ben.log.len(), round * 4, "told one by one");
    }
}

#[tokio::test]
async fn a_command_that_is_given_while_the_connection_is_cut_is_done_once() {
    let house = House::open().await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy, None).await;
    proxy.set(Mode::Cut);
    until_reconnecting(&mut ben).await;
    let Guest { client, .. } = &ben;
    let said = async { crate::soon(client.execute(chat("hello?"))).await };
    let mend = async { proxy.set(Mode::Open) };
    let (said, ()) = tokio::join!(said, mend);
    assert_eq!(said.unwrap(), house.room.seq());
    assert_eq!(house.room.times_said("hello?"), 1);
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_is_done_once() {
    let house = House::open().await;
    let proxy = Proxy::to(house.at()).await;
    let ben = guest_behind(&house, &proxy, None).await;
    proxy.set(Mode::HostUnheard);
    let lose_the_answer = async {
        eventually("the host has done it", async || house.room.times_said("hello?") == 1).await;
        let seq = house.room.seq();
        house.room.host_says("meanwhile");
        proxy.set(Mode::Cut);
        proxy.set(Mode::Open);
        seq
    };
    let (answer, seq) = tokio::join!(ben.say("hello?"), lose_the_answer);
    assert_eq!(answer.unwrap(), seq, "the first time's answer");
    assert_eq!(house.room.times_said("hello?"), 1);
}

#[tokio::test]
async fn commands_whose_answers_were_lost_are_done_once_and_in_their_order() {
    let house = House::open().await;
    let proxy = Proxy::to(house.at()).await;
    let ben = guest_behind(&house, &proxy, None).await;
    house.room.hold();
    let words: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let talk = futures_util::future::join_all(words.iter().map(|word| ben.say(word)));
    let lose_the_answers = async {
        eventually("the host has all", async || house.room.waiting() == words.len()).await;
        proxy.set(Mode::Cut);
        house.room.release();
        proxy.set(Mode::Open);
    };
    let (answers, ()) = tokio::join!(talk, lose_the_answers);
    let seqs: Vec<u64> = answers.into_iter().map(Result::unwrap).collect();
    assert!(seqs.is_sorted());
    let said: Vec<String> = house.room.with(|room| room.chat.iter().map(|said| said.text.clone()).collect());
    assert_eq!(said, words);
}

#[tokio::test]
async fn an_idle_connection_is_kept_by_pings() {
    let house = House::with(|plan| plan.limits.ping_every = PING_EVERY).await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy, Some(SILENCE)).await;
    ben.listen_for(SILENCE * 5 / 2).await;
    assert!(house.is_connected(ben.user));
    let seq = ben.say("still here").await.unwrap();
    ben.until_seq(seq).await;
    assert_eq!(ben.breaks, 0);
}

#[tokio::test]
async fn a_host_that_goes_silent_is_noticed() {
    let house = House::with(|plan| plan.limits.ping_every = PING_EVERY).await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy, Some(SILENCE)).await;
    proxy.set(Mode::Silent);
    until_reconnecting(&mut ben).await;
    house.room.host_says("can you hear me?");
    proxy.set(Mode::Open);
    ben.until_reconnected().await;
    ben.until_seq(house.room.seq()).await;
    assert_eq!(ben.room.chat.back().unwrap().text, "can you hear me?");
}

#[tokio::test]
async fn a_peer_that_goes_silent_is_noticed() {
    let house = House::with(|plan| plan.limits.ping_every = PING_EVERY).await;
    let proxy = Proxy::to(house.at()).await;
    let ben = guest_behind(&house, &proxy, None).await;
    assert!(house.is_connected(ben.user));
    proxy.set(Mode::Silent);
    eventually("the host has noticed", async || !house.is_connected(ben.user)).await;
    assert!(house.room.is_in(ben.user), "they may come back");
}
