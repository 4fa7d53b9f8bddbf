//! Invites that end before their time, and those that ask the host first.

use crate::eventually;
use crate::guest::Guest;
use crate::house::{House, terms};
use crate::peer::{Peer, join_room};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synx_domain::{Command, InviteTerms, Role};
use synx_net::wire::ServerMessage;
use synx_net::{ClientConfig, Identity, NetError, Session};

/// How somebody new joins with this invite.
fn by(house: &House, name: &str, terms: InviteTerms) -> ClientConfig {
    let mut config = house.config(name);
    config.link.invite = Some(house.invite_of(house.room.id(), terms));
    config
}

async fn refusal(house: &House, terms: InviteTerms) -> String {
    house.refusal(by(house, "Eve", terms)).await.code().to_owned()
}

fn knock_terms() -> InviteTerms {
    InviteTerms { knock: true, role: Role::Dj, ..terms() }
}

/// Somebody joins, on a task of its own.
fn knocking(config: ClientConfig) -> tokio::task::JoinHandle<Result<Guest, NetError>> {
    tokio::spawn(Guest::join(config))
}

#[tokio::test]
async fn a_revoked_invite_lets_in_nobody_new() {
    let house = House::open().await;
    let invite = terms();
    let ben = by(&house, "Ben", invite);
    drop(Guest::join(ben.clone()).await.unwrap());
    house.room.host_does(Command::RevokeInvite { invite: invite.id });
    assert_eq!(refusal(&house, invite).await, "invite_revoked");
    Guest::join(ben).await.expect("who was in needs no invite");
}

#[tokio::test]
async fn an_invite_that_is_revoked_between_the_token_and_the_door_opens_nothing() {
    let house = House::open().await;
    let (eve, invite) = (Identity::generate(), terms());
    let session = Session {
        user: eve.user_id(),
        room: house.room.id(),
        role: Role::Listener,
        invite: Some(invite),
        key: Some(eve.public_key()),
    };
    let token = house.session(&session);
    house.room.host_does(Command::CreateInvite { invite });
    house.room.host_does(Command::RevokeInvite { invite: invite.id });
    let mut join = join_room(house.room.id(), &token);
    join["proof"] = eve.prove_token(&token).into();
    assert_eq!(Peer::refusal(&house, join).await, "invite_revoked");
}

#[tokio::test]
async fn the_last_use_of_an_invite_is_one_persons() {
    let house = House::open().await;
    let invite = InviteTerms { max_uses: Some(2), ..terms() };
    let joins = (0..6).map(|n| Guest::join(by(&house, &n.to_string(), invite)));
    let outcomes = futures_util::future::join_all(joins).await;
    let refused: Vec<String> =
        outcomes.iter().filter_map(|join| Some(join.as_ref().err()?.code().to_owned())).collect();
    assert_eq!(refused, ["invite_used_up"; 4]);
    assert_eq!(refusal(&house, invite).await, "invite_used_up");
}

#[tokio::test]
async fn the_link_of_who_is_removed_opens_nothing_for_another_key() {
    let house = House::open().await;
    let invite = terms();
    let eve = Guest::join(by(&house, "Eve", invite)).await.unwrap();
    house.room.host_removes(eve.user);
    assert_eq!(refusal(&house, invite).await, "invite_revoked");
}

#[tokio::test]
async fn who_knocks_waits_for_the_host_and_is_known_from_then_on() {
    let house = House::open().await;
    let said = Arc::<Mutex<Vec<String>>>::default();
    let mut config = by(&house, "Ben", knock_terms());
    let heard = Arc::clone(&said);
    config.waiting = Arc::new(move |words| heard.lock().unwrap().push(words.to_owned()));
    let ben = config.identity.user_id();
    let joining = knocking(config.clone());
    eventually("the host is asked", async || house.room.knocking() == [ben]).await;
    assert!(
        !house.is_connected(ben) && !house.room.with(|room| room.present(ben).is_some()),
        "who waits takes no seat"
    );
    house.room.answers_knock(ben, true);
    let guest = crate::soon(joining).await.unwrap().unwrap();
    assert_eq!(guest.room.present(ben).unwrap().role, Role::Dj);
    assert!(said.lock().unwrap()[0].contains("waiting for the host"));
    drop(guest);
    Guest::join(config).await.expect("nobody is asked about who is known");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so() {
    let house = House::with(|plan| plan.limits.knock = Duration::from_millis(300)).await;
    let config = by(&house, "Eve", knock_terms());
    let eve = config.identity.user_id();
    let joining = knocking(config.clone());
    eventually("the host is asked", async || house.room.knocking() == [eve]).await;
    house.room.answers_knock(eve, false);
    let code = |joined: Result<Guest, NetError>| joined.err().expect("must not be let in").code().to_owned();
    assert_eq!(code(crate::soon(joining).await.unwrap()), "knock_refused");
    assert_eq!(code(Guest::join(config).await), "knock_unanswered");
    assert!(house.room.knocking().is_empty() && !house.room.with(|room| room.present(eve).is_some()));
}

#[tokio::test]
async fn nobody_is_asked_about_who_could_not_come_in() {
    let house = House::open().await;
    let mut config = by(&house, "Eve", knock_terms());
    config.profile.color = Some("url(//elsewhere)".to_owned());
    assert_eq!(house.refusal(config).await.code(), "invalid");
    assert!(house.room.knocking().is_empty());
}

#[tokio::test]
async fn a_knock_ends_with_who_knocked_and_the_door_holds_only_so_many() {
    let house = House::with(|plan| plan.limits.knocks_per_room = 1).await;
    let eve = Identity::generate();
    let session = Session {
        user: eve.user_id(),
        room: house.room.id(),
        role: Role::Listener,
        invite: Some(knock_terms()),
        key: None,
    };
    let first = join_room(house.room.id(), &house.session(&session));
    let (peer, answer) = Peer::knock(&house, first).await;
    assert!(matches!(answer, ServerMessage::Waiting { patience_s: 120, .. }), "{answer:?}");
    eventually("the host is asked", async || house.room.knocking() == [eve.user_id()]).await;
    assert_eq!(refusal(&house, knock_terms()).await, "too_many_connections");
    drop(peer);
    eventually("the knock is taken back", async || house.room.knocking().is_empty()).await;
}
