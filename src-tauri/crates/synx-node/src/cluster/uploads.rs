//! How far uploads are: their bytes come to one node, and every node that has the room open may give them up.
//!
//! Must never take an upload for given up because a node that is known to be there was not heard.

use crate::cluster::house::ClusterHouse;
use crate::room::abandoned::Upload;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{ContentHash, RoomId};

/// How long other nodes may take to answer: they look at one file.
const ANSWER: Duration = Duration::from_secs(2);
const SUBJECT: &str = "uploads";

/// Which upload is asked about.
#[derive(Serialize, Deserialize)]
struct Question {
    room: RoomId,
    hash: ContentHash,
}

/// Milliseconds since the last byte came; none where there is no byte.
type Answer = Option<u64>;

/// Answers other nodes, and this one, until it is dropped.
pub async fn answer(house: Arc<ClusterHouse>) {
    let mut asked = house.listen(SUBJECT).await;
    while let Some(ask) = asked.next().await {
        let Ok(Question { room, hash }) = serde_json::from_slice(&ask.payload) else { continue };
        let answer: Answer = match Upload::here(house.shelf.audio(), room, hash) {
            Upload::LastCame { ago } => Some(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)),
            Upload::NotBegun | Upload::Unknown => None,
        };
        let Ok(answer) = serde_json::to_vec(&answer) else { continue };
        house.backplane.answer(&ask, answer).await;
    }
}

/// How far an upload is at any node.
pub async fn look(house: &ClusterHouse, room: RoomId, hash: ContentHash) -> Upload {
    let nodes = house.roster.count();
    let Ok(question) = serde_json::to_vec(&Question { room, hash }) else { return Upload::Unknown };
    let answers = house.backplane.ask_all(SUBJECT, question, ANSWER, nodes).await.unwrap_or_default();
    let answers: Vec<Answer> =
        answers.iter().filter_map(|answer| serde_json::from_slice(answer).ok()).collect();
    if nodes == 0 || answers.len() < nodes {
        return Upload::Unknown;
    }
    let latest = answers.into_iter().flatten().min();
    latest.map_or(Upload::NotBegun, |ago_ms| Upload::LastCame { ago: Duration::from_millis(ago_ms) })
}
