//! What is not history, between the peers of one room on several nodes: who writes, how far an upload is, how well each plays.
//!
//! Must never carry an event: those are in the log.

use crate::cluster::house::ClusterHouse;
use crate::room::hosted::HostedRoom;
use crate::room::lead::SyncBoard;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use synx_cluster::NodeId;
use synx_domain::RoomId;
use synx_net::wire::ServerMessage;
use tokio::time::MissedTickBehavior;

/// How often nodes and peers are told how well everybody plays.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Reports in one message, and so all that peers are told: in a room of thousands everybody's, to everybody, would be more than
/// all its events.
const REPORTS_MOST: usize = 100;

/// A message of one node to the peers of the others.
#[derive(Serialize, Deserialize)]
struct Passing {
    from: NodeId,
    message: String,
}

fn subject(room: RoomId) -> String {
    format!("room.{room}")
}

/// Tells the peers of a room on other nodes.
pub async fn pass(house: &ClusterHouse, room: RoomId, message: &ServerMessage) {
    let passing = Passing { from: house.me, message: message.encode() };
    let Ok(payload) = serde_json::to_vec(&passing) else { return };
    // Who does not hear it misses nothing that lasts.
    drop(house.backplane.tell(&subject(room), payload).await);
}

/// Tells the peers of a room here what other nodes say, until it is dropped.
pub async fn hear(room: Arc<HostedRoom>, house: Arc<ClusterHouse>) {
    let mut heard = house.listen(&subject(room.id())).await;
    while let Some(said) = heard.next().await {
        let Ok(Passing { from, message }) = serde_json::from_slice(&said.payload) else { continue };
        if from == house.me {
            continue;
        }
        match ServerMessage::decode(&message) {
            Ok(ServerMessage::SyncReports { reports }) => {
                reports.into_iter().for_each(|(user, report)| room.board().put(user, report));
            }
            Ok(message @ (ServerMessage::Typing { .. } | ServerMessage::UploadProgress { .. })) => {
                house.broadcast(room.id(), &message);
            }
            _ => {}
        }
    }
}

/// Tells other nodes what the peers here report, and the peers here what all do. `local` has the reports of the peers here.
pub async fn report(room: Arc<HostedRoom>, local: Arc<SyncBoard>, house: Arc<ClusterHouse>) {
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if local.is_quiet() {
            continue;
        }
        // Nodes need everybody's: who is waited for hangs on them, and how far ahead a change is set.
        for reports in local.recent().chunks(REPORTS_MOST) {
            pass(&house, room.id(), &ServerMessage::sync_reports(reports.to_vec())).await;
        }
        let mut reports = room.board().recent();
        reports.truncate(REPORTS_MOST);
        house.broadcast(room.id(), &ServerMessage::sync_reports(reports));
    }
}
