//! Who counts as being in the room when connections come and go.

use crate::eventually;
use crate::house::House;
use crate::peer::{Peer, join_room};
use crate::soon;
use serde_json::json;
use std::time::Duration;
use synx_domain::{LeaveReason, RoomEvent, UserId};
use synx_net::Identity;
use synx_net::wire::ServerMessage;

const GRACE: Duration = Duration::from_millis(200);

fn somebody() -> UserId {
    Identity::generate().user_id()
}

/// How somebody left, each time.
fn leavings(house: &House, who: UserId) -> Vec<LeaveReason> {
    let reason = |event: &RoomEvent| match event {
        RoomEvent::UserLeft { user, reason } if *user == who => Some(*reason),
        _ => None,
    };
    house.room.log().iter().filter_map(|envelope| reason(&envelope.event)).collect()
}

async fn until_left(house: &House, user: UserId) {
    eventually("they have left", async || !house.room.is_in(user)).await;
}

#[tokio::test]
async fn who_does_not_come_back_has_left() {
    let house = House::with(|plan| plan.limits.return_grace = GRACE).await;
    let user = somebody();
    drop(Peer::join(&house, user).await);
    until_left(&house, user).await;
    assert_eq!(leavings(&house, user), [LeaveReason::ConnectionLost]);
}

#[tokio::test]
async fn who_comes_back_in_time_has_not_left() {
    let house = House::with(|plan| plan.limits.return_grace = GRACE * 5).await;
    let (ben, cleo) = (somebody(), somebody());
    drop(Peer::join(&house, ben).await);
    eventually("the connection has ended", async || !house.is_connected(ben)).await;
    let _again = Peer::join(&house, ben).await;
    // Lost later: so when it is given up the first one's time is over as well.
    drop(Peer::join(&house, cleo).await);
    until_left(&house, cleo).await;
    assert_eq!(leavings(&house, ben), []);
    assert!(house.room.is_in(ben));
}

#[tokio::test]
async fn who_has_another_connection_has_not_left() {
    let house = House::with(|plan| plan.limits.return_grace = GRACE).await;
    let (ben, cleo) = (somebody(), somebody());
    let (first, mut second) = (Peer::join(&house, ben).await, Peer::join(&house, ben).await);
    drop(first);
    drop(Peer::join(&house, cleo).await);
    until_left(&house, cleo).await;
    assert_eq!(leavings(&house, ben), []);
    let chat = second.chat("still here").await;
    assert!(second.answer(chat).await.is_ok());
}

#[tokio::test]
async fn who_leaves_is_told_goodbye_and_may_come_back() {
    let house = House::open().await;
    let user = somebody();
    let mut peer = Peer::join(&house, user).await;
    let id = peer.command(json!({"type": "leave_room"})).await;
    assert!(peer.answer(id).await.is_ok());
    assert_eq!(peer.until_bye().await.as_deref(), Some("left"));
    assert_eq!(peer.hear().await, None);
    assert_eq!(leavings(&house, user), [LeaveReason::Left]);
    Peer::join(&house, user).await;
    assert!(house.room.is_in(user));
}

#[tokio::test]
async fn a_leaving_that_is_repeated_after_coming_back_leaves_one_in() {
    let house = House::open().await;
    let user = somebody();
    let mut peer = Peer::join(&house, user).await;
    let id = peer.command(json!({"type": "leave_room"})).await;
    let left = peer.answer(id).await.unwrap();
    let mut peer = Peer::join(&house, user).await;
    peer.say(&json!({"type": "leave_room", "id": id})).await;
    assert_eq!(peer.answer(id).await, Ok(left));
    let chat = peer.chat("still here").await;
    assert!(peer.answer(chat).await.is_ok());
}

#[tokio::test]
async fn who_leaves_listens_on_with_no_other_connection() {
    let house = House::open().await;
    let user = somebody();
    let (mut phone, mut laptop) = (Peer::join(&house, user).await, Peer::join(&house, user).await);
    let id = phone.command(json!({"type": "leave_room"})).await;
    assert!(phone.answer(id).await.is_ok());
    for _ in 0..50 {
        house.room.host_says("now that they are gone");
        match laptop.hear().await {
            Some(ServerMessage::Bye { code, .. }) => return assert_eq!(code, "left"),
            Some(_) => {}
            None => return,
        }
    }
    panic!("they still hear everything, and nobody sees them");
}

/// A connection that takes nothing is there for a while after its person has left.
#[tokio::test]
async fn who_left_may_come_back_before_all_their_connections_have_ended() {
    let house = House::open().await;
    let user = somebody();
    let (mut phone, laptop) = (Peer::join(&house, user).await, Peer::join(&house, user).await);
    let words = "🎵".repeat(4000);
    for _ in 0..1300 {
        house.room.host_says(&words);
    }
    let id = phone.command(json!({"type": "leave_room"})).await;
    assert!(phone.answer(id).await.is_ok());
    assert_eq!(phone.until_bye().await.as_deref(), Some("left"));
    assert!(house.is_connected(user), "the laptop's has not ended");
    let mut phone = Peer::join(&house, user).await;
    let chat = phone.chat("here again").await;
    assert!(phone.answer(chat).await.is_ok());
    drop(laptop);
}

#[tokio::test]
async fn all_connections_of_who_was_removed_end() {
    let house = House::open().await;
    let user = somebody();
    let mut devices = [Peer::join(&house, user).await, Peer::join(&house, user).await];
    house.room.host_removes(user);
    for device in &mut devices {
        assert_eq!(device.until_bye().await.as_deref(), Some("removed"));
    }
    eventually("both are gone", async || !house.is_connected(user)).await;
    assert_eq!(leavings(&house, user), [LeaveReason::Removed]);
}

#[tokio::test]
async fn who_comes_back_with_another_name_has_another_name() {
    let house = House::open().await;
    let user = somebody();
    let _first = Peer::join(&house, user).await;
    let mut join = join_room(house.room.id(), &house.token(user));
    join["profile"]["name"] = json!("Benno");
    let (_second, welcome) = Peer::knock(&house, join).await;
    assert!(matches!(welcome, ServerMessage::RoomJoined { .. }));
    assert_eq!(house.room.with(|room| room.members[&user].profile.name.clone()), "Benno");
}

/// On a slow disk: the room still shows somebody whose leaving is about to be written.
#[tokio::test]
async fn who_comes_back_while_their_leaving_is_written_is_in_the_room() {
    let house = House::with(|plan| plan.limits.return_grace = GRACE).await;
    let user = somebody();
    let peer = Peer::join(&house, user).await;
    house.room.hold();
    drop(peer);
    eventually("the leaving waits", async || house.room.waiting() == 1).await;
    let first = join_room(house.room.id(), &house.token(user));
    let mut coming = Box::pin(Peer::knock(&house, first));
    let knocked = async || house.room.waiting() > 1;
    let early = tokio::select! {
        joined = &mut coming => Some(joined),
        () = eventually("they are let in, or ask for it", knocked) => None,
    };
    house.room.release();
    let (mut peer, welcome) = match early {
        Some(joined) => joined,
        None => soon(coming).await,
    };
    assert!(matches!(welcome, ServerMessage::RoomJoined { .. }), "{welcome:?}");
    let chat = peer.chat("here again").await;
    assert!(peer.answer(chat).await.is_ok(), "who is connected is in the room");
    assert!(house.room.is_in(user));
}
