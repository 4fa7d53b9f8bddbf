//! Who is connected where: nobody has left a room as long as some node has a connection of theirs.
//!
//! Nodes ask each other when it matters, and keep nothing of it. Must never let an answer that is missing cost a member more
//! than a moment: who is here and was taken for lost comes back by their own node's word.

use crate::cluster::house::ClusterHouse;
use crate::error::NodeError;
use crate::room::hosted::HostedRoom;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use synx_cluster::Backplane;
use synx_domain::{Command, LeaveReason, Role, RoomId, UserId, UserProfile};

/// How long other nodes may take to answer: they look into a table.
const ANSWER: Duration = Duration::from_millis(700);
/// The same where somebody who moves a room must know of every node.
const SURE_ANSWER: Duration = Duration::from_secs(3);
/// Members that were on a node that is gone have this long to come to another before they count as gone.
const RETURN_GRACE: Duration = Duration::from_secs(15);
/// How much later each node looks than the one before it in turn.
const TURN: Duration = Duration::from_secs(1);

fn subject(room: RoomId) -> String {
    format!("seats.{room}")
}

/// Whether somebody has a connection to another node.
pub async fn is_elsewhere(house: &ClusterHouse, room: RoomId, user: UserId) -> bool {
    let asked = Vec::from(*user.as_bytes());
    house.backplane.ask(&subject(room), asked, ANSWER).await.is_some()
}

/// Refuses while nodes have a room open: they could write to it at any time. A node that is cut off from the servers is not known of.
///
/// # Errors
/// [`NodeError::RoomServed`]; [`NodeError::NodeSilent`] when the servers know of a node that does not say how it is; and when it
/// cannot be asked.
pub async fn must_be_closed(backplane: &Backplane, room: RoomId) -> Result<(), NodeError> {
    let asked = backplane.ask_listeners(&subject(room), Vec::new(), SURE_ANSWER, usize::MAX).await?;
    // Each node listens there as long as it has the room open.
    let Some(answers) = asked else { return Ok(()) };
    let seated = answers.iter().filter_map(|answer| serde_json::from_slice::<Vec<UserId>>(answer).ok());
    let people: HashSet<UserId> = seated.flatten().collect();
    if answers.is_empty() {
        return Err(NodeError::NodeSilent { room });
    }
    Err(NodeError::RoomServed { room, nodes: answers.len(), people: people.len() })
}

/// Answers other nodes that ask about a room, until it is dropped: about one member only if they are here, about all in any case.
pub async fn answer(room: RoomId, house: Arc<ClusterHouse>) {
    let mut asked = house.listen(&subject(room)).await;
    while let Some(ask) = asked.next().await {
        let here = house.connected(room);
        let about = <[u8; 16]>::try_from(&*ask.payload).map(UserId::from_bytes).ok();
        if about.is_none_or(|user| here.contains(&user)) {
            let here: Vec<UserId> =
                here.into_iter().filter(|user| about.is_none_or(|about| about == *user)).collect();
            let Ok(answer) = serde_json::to_vec(&here) else { continue };
            house.backplane.answer(&ask, answer).await;
        }
    }
}

/// Takes those back who were written off and sit here, until it is dropped.
pub async fn keep(room: Arc<HostedRoom>, house: Arc<ClusterHouse>) {
    let mut changes = room.changes();
    // Those who were seen here as members. Who is just coming has a join of their own under way, with their invite.
    let mut seated: HashSet<UserId> = HashSet::new();
    while changes.changed().await.is_ok() {
        let here = house.connected(room.id());
        let lost: Vec<(UserId, UserProfile)> = room.with(|room| {
            let written_off = |user: &&UserId| -> Option<(UserId, UserProfile)> {
                let member = room.members.get(*user).filter(|_| seated.contains(*user))?;
                (member.left == Some(LeaveReason::ConnectionLost)).then(|| (**user, member.profile.clone()))
            };
            let lost = here.iter().filter_map(|user| written_off(&user)).collect();
            seated = here.iter().copied().filter(|user| room.present(*user).is_some()).collect();
            lost
        });
        for (user, profile) in lost {
            let back = Command::Join { profile, role: Role::Listener, invite: None };
            if let Err(error) = room.execute_as(user, back).await {
                // The next change tries it again.
                seated.insert(user);
                tracing::warn!(%error, %user, "a member who is here counts as gone");
            }
        }
    }
}

/// Writes off members whom no node has, after the room was opened and whenever nodes came or went, until it is dropped.
pub async fn dismiss(room: Arc<HostedRoom>, house: Arc<ClusterHouse>) {
    let mut nodes = house.roster.changes();
    loop {
        nodes.borrow_and_update();
        tokio::time::sleep(RETURN_GRACE + TURN * house.roster.turn(room.id().as_bytes()).min(30)).await;
        let answers =
            house.backplane.ask_all(&subject(room.id()), Vec::new(), ANSWER, house.roster.count()).await;
        let answers = answers.unwrap_or_default();
        // Where this node does not even hear itself, it knows of nobody.
        let heard = answers.iter().filter_map(|answer| serde_json::from_slice::<Vec<UserId>>(answer).ok());
        let seated: HashSet<UserId> = heard.flatten().collect();
        let gone = |user: &UserId| !seated.contains(user);
        let gone: Vec<UserId> = room.with(|room| room.present_users().filter(gone).collect());
        for user in gone.into_iter().filter(|_| !answers.is_empty()) {
            let leave = Command::Leave { reason: LeaveReason::ConnectionLost };
            if let Err(error) = room.execute_as(user, leave).await {
                tracing::debug!(%error, %user, "a member that is gone was written off by another node");
            }
        }
        if nodes.changed().await.is_err() {
            return;
        }
    }
}
