//! Commands and their events: once, in order, to all; answers only to who asked.

use crate::eventually;
use crate::house::House;
use crate::peer::Peer;
use crate::room::command_id;
use futures_util::SinkExt;
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;
use synx_domain::{Command, ContentHash, Role};
use synx_net::wire::{Alone, ClientMessage, ServerMessage, SyncReport};
use synx_net::{ClientEvent, Identity};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_command_that_is_sent_twice_is_done_once() {
    let house = House::open().await;
    let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
    let (id, other) = (command_id(), command_id());
    let chat = |id| json!({"type": "chat_message", "id": id, "text": "once"});
    peer.say(&chat(id)).await;
    let first = peer.answer(id).await.unwrap();
    house.room.host_says("meanwhile");
    peer.say(&chat(id)).await;
    assert_eq!(peer.answer(id).await, Ok(first));
    assert_eq!(house.room.times_said("once"), 1);
    peer.say(&chat(other)).await;
    assert_eq!(
        peer.answer(other).await,
        Ok(first + 2),
        "the same words under another id are another message"
    );
}

#[tokio::test]
async fn a_command_that_is_sent_twice_at_once_is_done_once() {
    let house = House::open().await;
    let user = Identity::generate().user_id();
    let mut devices = [Peer::join(&house, user).await, Peer::join(&house, user).await];
    let id = command_id();
    house.room.hold();
    for device in &mut devices {
        device.say(&json!({"type": "chat_message", "id": id, "text": "once"})).await;
    }
    eventually("both are there", async || house.room.waiting() == 2).await;
    house.room.release();
    let [first, second] = &mut devices;
    assert_eq!(first.answer(id).await, second.answer(id).await);
    assert_eq!(house.room.times_said("once"), 1);
}

#[tokio::test]
async fn all_peers_see_all_events_in_the_order_of_the_log() {
    let house = House::open().await;
    let mut guests = [house.guest("Ben").await, house.guest("Cleo").await, house.guest("Dan").await];
    let talk = guests.iter().map(|guest| async move {
        for n in 0..40 {
            guest.say(&n.to_string()).await.unwrap();
        }
    });
    join_all(talk).await;
    let (seq, log) = (house.room.seq(), house.room.log());
    for guest in &mut guests {
        guest.until_seq(seq).await;
        assert_eq!(guest.room, house.room.with(Clone::clone));
        let told = &guest.log;
        assert!(told.len() >= 120 && *told == log[log.len() - told.len()..], "what is told is the log");
    }
}

#[tokio::test]
async fn commands_of_one_peer_take_effect_in_the_order_they_were_sent() {
    let house = House::open().await;
    let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
    let mut last = None;
    for n in 0..200 {
        last = Some(peer.chat(&n.to_string()).await);
    }
    peer.answer(last.unwrap()).await.unwrap();
    let said: Vec<String> = house.room.with(|room| room.chat.iter().map(|said| said.text.clone()).collect());
    assert_eq!(said, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_said_before_leaving_is_said() {
    let house = House::open().await;
    // Often, as a host that gets this wrong does so by chance.
    for round in 1..=40 {
        let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
        let chat = json!({"type": "chat_message", "id": command_id(), "text": "one more thing"});
        // Both go out at once.
        peer.socket.feed(Message::text(chat.to_string())).await.unwrap();
        let leave = peer.command(json!({"type": "leave_room"})).await;
        assert!(peer.answer(leave).await.is_ok());
        assert_eq!(house.room.times_said("one more thing"), round);
    }
}

#[tokio::test]
async fn a_rejection_reaches_its_sender_alone() {
    let house = House::open().await;
    let mut others = Peer::join(&house, Identity::generate().user_id()).await;
    let mut config = house.config("Cleo");
    config.link.invite = Some(house.invite(house.room.id(), Role::Listener));
    let cleo = crate::guest::Guest::join(config).await.unwrap();
    let seq = house.room.seq();
    let pause = cleo.client.execute(Command::Pause).await.unwrap_err();
    assert_eq!(pause.code(), "not_allowed");
    let blank = cleo.say(" ").await.unwrap_err();
    assert_eq!(blank.code(), "invalid");
    assert_eq!(house.room.seq(), seq, "nothing has changed");
    let chat = others.chat("what happened?").await;
    for heard in others.until_answered(chat).await {
        assert!(!matches!(heard, ServerMessage::Error { .. }), "{heard:?}");
    }
    assert!(cleo.say("and the session goes on").await.is_ok());
}

#[tokio::test]
async fn answers_do_not_wait_for_one_another() {
    let house = House::open().await;
    let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
    house.room.hold();
    let slow = peer.chat("slow").await;
    eventually("it waits", async || house.room.waiting() == 1).await;
    let wrong = peer.command(json!({"type": "dance"})).await;
    assert_eq!(peer.next_error().await.0, Some(wrong), "answered while the other waits");
    house.room.release();
    assert!(peer.answer(slow).await.is_ok());
}

#[tokio::test]
async fn who_has_many_unanswered_commands_is_read_no_further() {
    let house = House::open().await;
    let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
    let mut other = Peer::join(&house, Identity::generate().user_id()).await;
    house.room.hold();
    let mut last = None;
    for n in 0..100 {
        last = Some(peer.chat(&n.to_string()).await);
    }
    eventually("64 wait", async || house.room.waiting() == 64).await;
    other.chat("one more").await;
    eventually("the other's waits as well", async || house.room.waiting() > 64).await;
    assert_eq!(house.room.waiting(), 65);
    house.room.release();
    assert!(peer.answer(last.unwrap()).await.is_ok());
    assert_eq!(house.room.with(|room| room.chat.len()), 101, "nothing is lost");
}

#[tokio::test]
async fn of_what_comes_at_once_nothing_is_passed_over() {
    let house = House::open().await;
    let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
    house.room.hold();
    // Is not answered, so that not all that is read at once waits.
    peer.say(&json!({"type": "typing"})).await;
    let mut last = None;
    for n in 0..100 {
        last = Some(peer.chat(&n.to_string()).await);
    }
    eventually("64 wait", async || house.room.waiting() == 64).await;
    house.room.release();
    assert!(peer.answer(last.unwrap()).await.is_ok());
    let said =
        house.room.with(|room| room.chat.iter().map(|message| message.text.clone()).collect::<Vec<_>>());
    assert_eq!(said, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_only_a_host_process_may_do_no_peer_can_ask_for() {
    let house = House::open().await;
    let ben = house.guest("Ben").await;
    let advance = ben.client.execute(Command::Advance { revision: 1, awaits: false }).await;
    assert_eq!(advance.unwrap_err().code(), "protocol");
    let release = ben.client.execute(Command::Release { revision: 1 }).await;
    assert_eq!(release.unwrap_err().code(), "protocol");
    let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
    for name in ["advance", "release", "share_track", "create_room", "join", "record_analysis"] {
        let id = peer.command(json!({"type": name, "revision": 1})).await;
        assert_eq!(peer.answer(id).await, Err("unknown_type".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn everybody_learns_who_is_writing() {
    let house = House::open().await;
    let mut ben = house.guest("Ben").await;
    let user = Identity::generate().user_id();
    let mut peer = Peer::join(&house, user).await;
    let seq = house.room.seq();
    peer.say(&json!({"type": "typing"})).await;
    let typing = ServerMessage::Typing { user };
    ben.until(|event| matches!(event, ClientEvent::Transient(said) if **said == typing)).await;
    assert_eq!(peer.hear().await, Some(typing), "the sender too");
    assert_eq!(house.room.seq(), seq, "that is not history");
}

#[tokio::test]
async fn reports_reach_the_host_and_come_back_to_all() {
    let house = House::open().await;
    let (ben, mut cleo) = (house.guest("Ben").await, house.guest("Cleo").await);
    let alone = Alone { track: ContentHash::from_bytes([7; 32]), position_us: 61_500_000, playing: true };
    let report = SyncReport {
        error_us: Some(-80.5),
        xruns: 2,
        has_track: true,
        alone: Some(alone),
        ..SyncReport::default()
    };
    ben.client.report(report.clone());
    let reports = vec![(ben.user, report)];
    eventually("the host has it", async || house.room.reports() == reports).await;
    let told = ServerMessage::sync_reports(reports);
    house.server.broadcast(house.room.id(), &told);
    cleo.until(|event| matches!(event, ClientEvent::Transient(said) if **said == told)).await;
}

#[test]
fn a_report_names_few_files_whatever_it_says() {
    let hashes: Vec<String> = (0..200u8).map(|n| ContentHash::from_bytes([n; 32]).to_string()).collect();
    let said = json!({"type": "sync_report", "report": {"has": hashes}}).to_string();
    let Ok(ClientMessage::SyncReport { report }) = ClientMessage::decode(&said) else { panic!("{said}") };
    assert_eq!(report.has.map(|has| has.len()), Some(SyncReport::HAS_MOST));
    let silent = json!({"type": "sync_report", "report": {"has_track": true}}).to_string();
    let Ok(ClientMessage::SyncReport { report }) = ClientMessage::decode(&silent) else { panic!("{silent}") };
    assert_eq!((report.has, report.alone), (None, None), "it does not say");
}

#[tokio::test]
async fn a_session_gets_a_fresh_token_before_its_own_is_too_old() {
    let house = House::with(|plan| plan.limits.session = Duration::from_secs(3)).await;
    let mut peer = Peer::join(&house, Identity::generate().user_id()).await;
    let token = loop {
        if let ServerMessage::Token { token } = peer.hear().await.expect("the session goes on") {
            break token;
        }
    };
    let clock = crate::http::Ask::upgrade(format!("/api/v1/rooms/{}/clock", house.room.id()));
    let stream = clock.bearer(&token).begin(house.at()).await;
    let mut head = [0; 12];
    crate::soon(tokio::io::AsyncReadExt::read_exact(&mut { stream }, &mut head)).await.unwrap();
    assert_eq!(head, *b"HTTP/1.1 101");
}
