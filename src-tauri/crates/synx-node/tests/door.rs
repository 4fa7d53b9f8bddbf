//! At somebody's door: asked for, waited for, given up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::Duration;
use synx_node::bridge::{
    NodeEvent, PlaybackControlView, Request, Response, RoleView, RoomConnection, RoomSettingsView,
    VisibilityView,
};
use synx_node::{HostOptions, Node, NodeConfig};
use tokio::sync::broadcast::Receiver;

/// Far below what a host may take to answer, far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn open(folder: &Path) -> Node {
    Node::open(NodeConfig { data_dir: folder.to_owned(), device: Some("null".to_owned()), keyring: false })
        .await
        .unwrap()
}

/// A room, and a link by which one is asked about.
async fn host(node: &Node) -> String {
    let settings = RoomSettingsView {
        name: "Friday".to_owned(),
        visibility: VisibilityView::Private,
        max_participants: 8,
        genres: Vec::new(),
        playback_control: PlaybackControlView::Djs,
        storage: None,
        wait_for_all: None,
        archive_after_days: None,
    };
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let options = HostOptions { settings, listen, tls: true, public_address: None, room: None };
    node.host(options).await.unwrap();
    let invite = Request::CreateInvite {
        role: RoleView::Dj,
        expires_in_s: 3600.0,
        max_uses: Some(1),
        knock: Some(true),
    };
    let Response::Link { link, invite } = node.call(invite).await.unwrap() else { panic!("no link") };
    assert!(node.room().unwrap().invites.iter().any(|known| known.id == invite && known.max_uses == Some(1)));
    link
}

async fn until<T>(events: &mut Receiver<NodeEvent>, found: impl Fn(NodeEvent) -> Option<T>) -> T {
    let told = async {
        loop {
            if let Some(found) = found(events.recv().await.unwrap()) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("it was told in time")
}

async fn knocks(events: &mut Receiver<NodeEvent>, count: usize) -> Vec<String> {
    until(events, |event| match event {
        NodeEvent::RoomChanged { room: Some(room) } if room.knocks.len() == count => {
            Some(room.knocks.iter().map(|knock| knock.user.clone()).collect())
        }
        _ => None,
    })
    .await
}

/// The room's name while one waits at its door, none when one does not any more.
async fn at_door(events: &mut Receiver<NodeEvent>) -> Option<String> {
    until(events, |event| match event {
        NodeEvent::AtDoorChanged { at_door } => Some(at_door.map(|at_door| at_door.room_name)),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_at_the_door_can_go_away_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (ana, ben) = (open(&folder.path().join("ana")).await, open(&folder.path().join("ben")).await);
    let link = host(&ana).await;
    let (mut of_ana, mut of_ben) = (ana.subscribe(), ben.subscribe());
    let join = Request::JoinRoom { link, address: None, leaving: None };
    let knock = |join: Request| {
        let ben = ben.clone();
        tokio::spawn(async move { ben.call(join).await })
    };

    // Gone away: the host is asked no more.
    let joining = knock(join.clone());
    assert_eq!(at_door(&mut of_ben).await.as_deref(), Some("Friday"));
    knocks(&mut of_ana, 1).await;
    let left = tokio::time::timeout(PATIENCE, ben.call(Request::LeaveRoom)).await;
    left.expect("who waits at the door can leave").unwrap();
    assert_eq!(joining.await.unwrap().unwrap_err().code, "join_stopped");
    assert_eq!(at_door(&mut of_ben).await, None);
    knocks(&mut of_ana, 0).await;

    // Come again: let in.
    let joining = knock(join.clone());
    let asking = knocks(&mut of_ana, 1).await;
    ana.call(Request::AnswerKnock { user: asking[0].clone(), let_in: true }).await.unwrap();
    joining.await.unwrap().unwrap();
    assert_eq!(ben.room().unwrap().my_role, RoleView::Dj);
    ben.call(Request::LeaveRoom).await.unwrap();
    ben.close().await;
    ana.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_ends_also_while_it_waits_at_a_door() {
    let folder = tempfile::tempdir().unwrap();
    let (ana, ben) = (open(&folder.path().join("ana")).await, open(&folder.path().join("ben")).await);
    let link = host(&ana).await;
    let mut of_ben = ben.subscribe();
    let asking = ben.clone();
    let joining =
        tokio::spawn(
            async move { asking.call(Request::JoinRoom { link, address: None, leaving: None }).await },
        );
    assert!(at_door(&mut of_ben).await.is_some());
    tokio::time::timeout(PATIENCE, ben.close()).await.expect("the program ends");
    assert_eq!(joining.await.unwrap().unwrap_err().code, "join_stopped");
    ana.close().await;
}

/// The room that somebody is in, and whether it is their own.
fn place(node: &Node) -> (String, bool) {
    let room = node.room().expect("they are in a room");
    (room.id, room.connection == RoomConnection::Hosting)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_left_for_another_once_that_one_lets_one_in_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let [ana, ben, cy] = ["ana", "ben", "cy"].map(|name| folder.path().join(name));
    let (ana, ben, cy) = (open(&ana).await, open(&ben).await, open(&cy).await);
    let there = host(&ana).await;
    host(&ben).await;
    let home = place(&ben);
    let own = ben.room().unwrap().link.unwrap();
    cy.call(Request::JoinRoom { link: own.clone(), address: None, leaving: None }).await.unwrap();
    let (mut of_ana, mut of_cy) = (ana.subscribe(), cy.subscribe());
    let go = |link: &str, leaving| {
        let (ben, link) = (ben.clone(), link.to_owned());
        tokio::spawn(async move { ben.call(Request::JoinRoom { link, address: None, leaving }).await })
    };

    let refused = async |link: &str, leaving| go(link, leaving).await.unwrap().unwrap_err().code;
    assert_eq!(refused(&there, None).await, "in_room", "nobody goes who does not say so");
    assert_eq!(refused(&own, Some(true)).await, "in_room", "they are there");
    assert_eq!(refused(&there.replace("v=1", "v=2"), Some(true)).await, "link_version");

    // Not let in, and then not waiting any more: both times the own room is open as before.
    let joining = go(&there, Some(true));
    let asking = knocks(&mut of_ana, 1).await;
    ana.call(Request::AnswerKnock { user: asking[0].clone(), let_in: false }).await.unwrap();
    assert_eq!(joining.await.unwrap().unwrap_err().code, "knock_refused");
    let joining = go(&there, Some(true));
    knocks(&mut of_ana, 1).await;
    ben.call(Request::LeaveRoom).await.unwrap();
    assert_eq!(joining.await.unwrap().unwrap_err().code, "join_stopped");
    knocks(&mut of_ana, 0).await;
    assert_eq!((place(&ben), place(&cy)), (home.clone(), (home.0, false)));

    let joining = go(&there, Some(true));
    let asking = knocks(&mut of_ana, 1).await;
    ana.call(Request::AnswerKnock { user: asking[0].clone(), let_in: true }).await.unwrap();
    joining.await.unwrap().unwrap();
    assert_eq!(place(&ben), (place(&ana).0, false));
    // Who was in the room that was left is told.
    until(&mut of_cy, |event| matches!(event, NodeEvent::RoomChanged { room: None }).then_some(())).await;
    for node in [cy, ben, ana] {
        node.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_at_a_door_is_told_at_once_that_the_room_they_are_in_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let [ana, ben, cy] = ["ana", "ben", "cy"].map(|name| folder.path().join(name));
    let (ana, ben, cy) = (open(&ana).await, open(&ben).await, open(&cy).await);
    let there = host(&ana).await;
    host(&cy).await;
    let here = cy.room().unwrap().link.unwrap();
    ben.call(Request::JoinRoom { link: here, address: None, leaving: None }).await.unwrap();
    let (mut of_ana, mut of_ben) = (ana.subscribe(), ben.subscribe());
    let joining = {
        let (ben, join) =
            (ben.clone(), Request::JoinRoom { link: there, address: None, leaving: Some(true) });
        tokio::spawn(async move { ben.call(join).await })
    };
    let asking = knocks(&mut of_ana, 1).await;

    cy.call(Request::LeaveRoom).await.unwrap();
    until(&mut of_ben, |event| {
        matches!(event, NodeEvent::Notice { code, .. } if code == "room_closed").then_some(())
    })
    .await;
    assert!(ben.room().is_none(), "they are in no room any more");
    // The host is asked as before.
    assert_eq!(ana.room().unwrap().knocks.len(), 1);
    assert!(!joining.is_finished());

    ana.call(Request::AnswerKnock { user: asking[0].clone(), let_in: true }).await.unwrap();
    joining.await.unwrap().unwrap();
    assert_eq!(place(&ben), (place(&ana).0, false));
    for node in [cy, ben, ana] {
        node.close().await;
    }
}
