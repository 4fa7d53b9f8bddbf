//! Who comes in, and who does not.

use crate::guest::Guest;
use crate::house::{HOUR, House};
use crate::jwt;
use crate::peer::{Peer, join_room};
use synx_domain::{Command, Role, RoomId, SettingsChange, Visibility};
use synx_net::{ClientConfig, NetError};

async fn house_with_tls() -> House {
    House::with(|plan| plan.tls = true).await
}

fn with_invite(house: &House, invite: Option<String>) -> ClientConfig {
    let mut config = house.config("Ben");
    config.link.invite = invite;
    config
}

fn limited_to(max_participants: u32) -> Command {
    let change = SettingsChange { max_participants: Some(max_participants), ..SettingsChange::default() };
    Command::UpdateSettings { change }
}

#[tokio::test]
async fn who_is_invited_comes_in_and_sees_the_room() {
    let house = house_with_tls().await;
    house.room.host_says("welcome");
    let mut config = house.config("Ben");
    // The link as it travels between people.
    config.link = config.link.to_string().parse().unwrap();
    let guest = Guest::join(config).await.unwrap();
    let member = guest.room.present(guest.user).expect("they are in their own picture of the room");
    assert_eq!((member.profile.name.as_str(), member.role), ("Ben", Role::Dj));
    assert_eq!(guest.room, house.room.with(Clone::clone));
    assert!(house.is_connected(guest.user));
}

#[tokio::test]
async fn nobody_enters_a_private_room_without_an_invite() {
    let house = House::open().await;
    let config = with_invite(&house, None);
    let user = config.identity.user_id();
    assert_eq!(house.refusal(config).await.code(), "invite_missing");
    assert!(!house.room.is_in(user));
}

#[tokio::test]
async fn a_bad_invite_is_refused_by_what_is_wrong_with_it() {
    let house = House::open().await;
    let (room, later) = (house.room.id(), jwt::now_s() + HOUR.as_secs());
    let good = house.invite(room, Role::Dj);
    let other_room = RoomId::from_bytes([7; 16]);
    for (flaw, invite, code) in [
        ("expired", jwt::by_host(&jwt::invite(room, jwt::now_s() - 1)), "invite_expired"),
        ("another host's", jwt::signed([8; 32], &jwt::invite(room, later)), "invite_forged"),
        ("not signed", jwt::unsigned(&jwt::invite(room, later)), "invite_forged"),
        ("symmetric", jwt::hs256(&jwt::invite(room, later)), "invite_forged"),
        ("changed", jwt::mixed(&jwt::by_host(&jwt::invite(room, later)), &good), "invite_forged"),
        ("no token", "come in".to_owned(), "invite_forged"),
        ("another room's", house.invite(other_room, Role::Dj), "invite_other_room"),
        ("a session", house.token(house.config("Eve").identity.user_id()), "invite_other_room"),
    ] {
        let refused = house.refusal(with_invite(&house, Some(invite))).await;
        assert_eq!(refused.code(), code, "{flaw}");
    }
    assert!(Guest::join(with_invite(&house, Some(jwt::by_host(&jwt::invite(room, later))))).await.is_ok());
}

#[tokio::test]
async fn a_public_room_takes_in_listeners_without_an_invite() {
    let house = House::with(|plan| plan.settings.visibility = Visibility::Public).await;
    let guest = Guest::join(with_invite(&house, None)).await.unwrap();
    assert_eq!(guest.room.present(guest.user).unwrap().role, Role::Listener);
    let dj = house.guest("Cleo").await;
    assert_eq!(dj.room.present(dj.user).unwrap().role, Role::Dj, "an invite still counts");
    let damaged = with_invite(&house, Some("damaged".to_owned()));
    assert_eq!(house.refusal(damaged).await.code(), "invite_forged");
}

#[tokio::test]
async fn an_invite_makes_nobody_a_host() {
    let house = House::open().await;
    let invite = house.invite(house.room.id(), Role::Host);
    let guest = Guest::join(with_invite(&house, Some(invite))).await.unwrap();
    assert_eq!(guest.room.present(guest.user).unwrap().role, Role::Dj);
}

#[tokio::test]
async fn a_full_room_takes_in_nobody_more() {
    let house = House::with(|plan| plan.settings.max_participants = 2).await;
    let _ben = house.guest("Ben").await;
    let cleo = house.config("Cleo");
    assert_eq!(house.refusal(cleo.clone()).await.code(), "room_full");
    house.room.host_does(limited_to(3));
    assert!(Guest::join(cleo).await.is_ok());
}

#[tokio::test]
async fn who_was_removed_does_not_come_back() {
    let house = House::open().await;
    let config = house.config("Ben");
    let mut ben = Guest::join(config.clone()).await.unwrap();
    house.room.host_removes(ben.user);
    assert_eq!(ben.until_ended().await, "removed");
    assert_eq!(house.refusal(config).await.code(), "removed");
    // Nor with a token from before.
    let token = house.token(ben.user);
    assert_eq!(Peer::refusal(&house, join_room(house.room.id(), &token)).await, "removed");
    assert!(!house.room.is_in(ben.user) && !house.is_connected(ben.user));
}

#[tokio::test]
async fn who_left_needs_no_invite_to_come_back() {
    let house = House::open().await;
    let mut config = house.config("Ben");
    let ben = Guest::join(config.clone()).await.unwrap();
    ben.client.leave().await.unwrap();
    assert!(!house.room.is_in(ben.user));
    config.link.invite = None;
    let ben = Guest::join(config).await.unwrap();
    assert_eq!(ben.room.present(ben.user).unwrap().role, Role::Dj, "with the role they had");
}

#[tokio::test]
async fn another_certificate_is_refused() {
    let house = house_with_tls().await;
    let mut config = house.config("Ben");
    config.link.fingerprint = Some([7; 32]);
    let user = config.identity.user_id();
    let refused = house.refusal(config).await;
    assert!(matches!(refused, NetError::WrongCertificate { .. }), "{refused:?}");
    assert!(!house.room.is_in(user));
}

#[tokio::test]
async fn a_peer_never_falls_back_to_plain() {
    let house = House::open().await;
    let mut config = house.config("Ben");
    config.link.fingerprint = Some([7; 32]);
    assert_eq!(house.refusal(config).await.code(), "unreachable");
    let house = house_with_tls().await;
    let mut config = house.config("Ben");
    config.link.fingerprint = None;
    assert!(Guest::join(config).await.is_err(), "nor does a host with TLS");
}

#[tokio::test]
async fn the_first_address_that_answers_is_taken() {
    let house = house_with_tls().await;
    let mut config = house.config("Ben");
    // Nobody listens at the first.
    config.addresses = Some(vec!["127.0.0.1:1".to_owned(), house.at().to_string()]);
    assert!(Guest::join(config).await.is_ok());
}

#[tokio::test]
async fn a_room_that_is_not_open_is_no_room() {
    let house = House::open().await;
    let mut config = house.config("Ben");
    config.link.room = RoomId::from_bytes([7; 16]);
    assert_eq!(house.refusal(config).await.code(), "no_such_room");
}

#[tokio::test]
async fn a_name_out_of_bounds_is_refused_at_the_door() {
    let house = House::open().await;
    for name in ["", "bell\u{7}", &"x".repeat(41)] {
        assert_eq!(house.refusal(house.config(name)).await.code(), "invalid", "{name:?}");
    }
    assert_eq!(house.room.with(|room| room.members.len()), 1, "nobody but the host");
}
