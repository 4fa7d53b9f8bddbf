//! A room's log, page by page, for members who look back.
//!
//! Must never hold more than a page in memory for anybody.

use crate::server::Shop;
use crate::server::admission::member;
use crate::server::listen::Seat;
use crate::server::refusal::Refusal;
use crate::wire::EventMessage;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::Deserialize;
use synx_domain::RoomId;

/// Events of one page at most.
pub(crate) const PAGE_EVENTS: usize = 1000;
/// A page that is longer than this ends with the event that made it so; the longest event is some 20 KiB.
pub(crate) const PAGE_BYTES: usize = 2 << 20;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    after: u64,
}

/// The events after one, as a JSON array of the messages that told of them; empty at the end of the log.
pub(crate) async fn page(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    Path(room): Path<RoomId>,
    Query(Asked { after }): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (hall, _) = member(&shop, room, (seat.address, &headers)).await?;
    let events = hall.backend.read(after, PAGE_EVENTS).await.map_err(|error| Refusal::unavailable(&error))?;
    let mut text = "[".to_owned();
    for envelope in events {
        if text.len() > PAGE_BYTES {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text += &serde_json::to_string(&EventMessage::from(&*envelope)).map_err(Refusal::internal)?;
    }
    text.push(']');
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from(text)).into_response())
}
