//! Audio by content hash: downloads with Range, uploads that go on where they broke off.
//!
//! Must never keep bytes that nobody announced, nor more than were announced.

use crate::server::admission::member;
use crate::server::backend::Unavailable;
use crate::server::hall::{Hall, lock};
use crate::server::listen::Seat;
use crate::server::refusal::Refusal;
use crate::server::{CommandFailure, Shared, Shop};
use crate::wire::ServerMessage;
use crate::{AudioStore, NetError, disk};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::io::{self, SeekFrom};
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{ContentHash, Rejection, Room, RoomId, TrackState, UserId};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::time::Instant;
use tokio_util::io::ReaderStream;

/// Header that says where in the file a body starts.
pub(crate) const UPLOAD_OFFSET: &str = "upload-offset";
/// A bar that moves four times a second is alive.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// How soon a running transfer notices that its person is no longer in the room.
const ASK_EVERY: Duration = Duration::from_millis(100);
const READ_BYTES: usize = 64 * 1024;

/// How far an upload has come.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UploadState {
    pub received_bytes: u64,
    pub size_bytes: u64,
    pub complete: bool,
}

pub(crate) async fn download(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    Path((room, hash)): Path<(RoomId, ContentHash)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (hall, user) = member(&shop, room, (seat.address, &headers)).await?;
    // A hash of another room of this machine is nobody's business here.
    let shared_here = hall.backend.with(|room| room.playable(hash).is_some()).unwrap_or(false);
    let path = match shop.config.audio.path(hash) {
        None if shared_here && hall.backend.bring(hash).await => shop.config.audio.path(hash),
        path => path.filter(|_| shared_here),
    };
    let path = path.ok_or_else(Refusal::not_found)?;
    let mut file = File::open(path).await.map_err(Refusal::internal)?;
    let size = file.metadata().await.map_err(Refusal::internal)?.len();
    let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let common = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, format!("\"{hash}\"")),
    ];
    let (status, first, length) = match asked.and_then(|range| byte_range(range, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((first, last))) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Some(None) => {
            let total = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, common, total).into_response());
        }
    };
    file.seek(SeekFrom::Start(first)).await.map_err(Refusal::internal)?;
    let chunks = ReaderStream::with_capacity(file.take(length), READ_BYTES);
    let body = Body::from_stream(while_member(hall, user, chunks));
    let mut response = (status, common, [(header::CONTENT_LENGTH, length.to_string())], body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{size}", first + length - 1);
        response.headers_mut().insert(header::CONTENT_RANGE, range.parse().map_err(Refusal::internal)?);
    }
    Ok(response)
}

/// The bytes for as long as their receiver is in the room.
fn while_member<S: Stream<Item = io::Result<Bytes>>>(
    hall: Arc<Hall>,
    user: UserId,
    chunks: S,
) -> impl Stream<Item = io::Result<Bytes>> {
    let mut asked = Instant::now();
    chunks.map(move |chunk| {
        if asked.elapsed() < ASK_EVERY {
            return chunk;
        }
        asked = Instant::now();
        if hall.is_member(user) { chunk } else { Err(io::Error::other("no longer in the room")) }
    })
}

/// One range by RFC 9110. The outer none: no range that is understood, so the whole file; the inner: it lies past the end.
pub fn byte_range(text: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = match (first, last) {
        ("", suffix) => (size.saturating_sub(suffix.parse().ok()?), size.checked_sub(1)),
        (first, "") => (first.parse().ok()?, size.checked_sub(1)),
        (first, last) => (first.parse().ok()?, Some(last.parse::<u64>().ok()?.min(size.saturating_sub(1)))),
    };
    Some(last.filter(|last| first <= *last && first < size).map(|last| (first, last)))
}

pub(crate) async fn state(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    Path((room, hash)): Path<(RoomId, ContentHash)>,
    headers: HeaderMap,
) -> Result<Json<UploadState>, Refusal> {
    let (hall, _) = member(&shop, room, (seat.address, &headers)).await?;
    let (_, size_bytes) = announced(&hall, hash)?;
    let received_bytes = shop.config.audio.of_room(room).partial_bytes(hash);
    Ok(Json(UploadState { received_bytes, size_bytes, complete: false }))
}

pub(crate) async fn upload(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    Path((room, hash)): Path<(RoomId, ContentHash)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<UploadState>), Refusal> {
    let (hall, user) = member(&shop, room, (seat.address, &headers)).await?;
    let (file_name, size_bytes) = announced(&hall, hash)?;
    let one_at_a_time = Uploading::begin(&shop, (room, hash))?;
    let offset = headers.get(UPLOAD_OFFSET).and_then(|offset| offset.to_str().ok()?.parse().ok());
    let audio = shop.config.audio.of_room(room);
    let here = audio.partial_bytes(hash);
    if offset != Some(here) {
        let message = format!("send the file from byte {here} on, named in {UPLOAD_OFFSET}");
        return Err(Refusal::new(StatusCode::CONFLICT, "wrong_offset", message));
    }
    // Whoever shares audio has it, and sends it even if another room of this machine has it too: its hash alone, which
    // many may know, opens no door.
    let receiving = Receiving { shop: &shop, hall: &hall, audio: &audio, user, hash, size_bytes };
    let (received_bytes, told) = match receiving.take(here, body).await {
        Ok(received_bytes) if received_bytes < size_bytes => (Ok(received_bytes), None),
        Ok(received_bytes) => (Ok(received_bytes), Some(hall.backend.upload_finished(user, hash, file_name))),
        Err(Broken::Refused(refusal)) => (Err(refusal), None),
        Err(Broken::Over(refusal)) => {
            let why = Unavailable { code: refusal.code.clone(), message: refusal.message.clone() };
            (Err(refusal), Some(hall.backend.upload_failed(user, hash, file_name, why)))
        }
    };
    if let Some(told) = told {
        // Until the room knows of it nobody uploads it again.
        tokio::spawn(async move {
            told.await;
            drop(one_at_a_time);
        });
    }
    let received_bytes = received_bytes?;
    let complete = received_bytes >= size_bytes;
    let status = if complete { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    Ok((status, Json(UploadState { received_bytes, size_bytes, complete })))
}

/// Why an upload does not go on.
enum Broken {
    /// Its sender is told, who may come again.
    Refused(Refusal),
    /// All are told, and it may be announced again.
    Over(Refusal),
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NetError> for Broken {
    fn from(error: NetError) -> Self {
        let why = match &error {
            NetError::File { source, .. } => disk::cannot_keep(source),
            _ => None,
        };
        let Some(why) = why else { return Self::Refused(error.into()) };
        tracing::warn!(%error, "an upload cannot be kept");
        Self::Over(Refusal::new(StatusCode::INSUFFICIENT_STORAGE, &why.code, why.message))
    }
}

/// Name and size of audio that was announced and is awaited.
fn announced(hall: &Hall, hash: ContentHash) -> Result<(String, u64), Refusal> {
    let state = hall.backend.with(|room| room.tracks.get(&hash).map(|track| track.state.clone()));
    match state.flatten() {
        Some(TrackState::Uploading { file_name, size_bytes }) => Ok((file_name, size_bytes)),
        Some(TrackState::Uploaded | TrackState::Shared) => {
            Err(Refusal::new(StatusCode::CONFLICT, "already_here", "this audio is in the room already"))
        }
        // Its sender may have lost the answer that said so, to bytes that were still on their way.
        Some(TrackState::Failed { code, reason, .. }) => {
            Err(Refusal::new(StatusCode::CONFLICT, &code, reason))
        }
        None => {
            let message = "announce the file with share_file before sending it";
            Err(Refusal::new(StatusCode::CONFLICT, "not_announced", message))
        }
    }
}

/// How far the room's uploads are, for who comes: what was said while they moved was said before.
pub(super) fn under_way(shop: &Shared, hall: &Hall) -> Vec<ServerMessage> {
    let audio = shop.config.audio.of_room(hall.id());
    let awaited = |room: &Room| -> Vec<_> {
        let size_bytes = |state: &TrackState| match state {
            TrackState::Uploading { size_bytes, .. } => Some(*size_bytes),
            _ => None,
        };
        let tracks = room.tracks.iter();
        tracks.filter_map(|(hash, track)| Some((*hash, track.shared_by, size_bytes(&track.state)?))).collect()
    };
    let awaited = hall.backend.with(awaited).unwrap_or_default().into_iter();
    let told = awaited.filter_map(|(hash, user, size_bytes)| {
        let received_bytes = audio.partial_bytes(hash);
        let progress = ServerMessage::UploadProgress { user, hash, received_bytes, size_bytes };
        (received_bytes > 0).then_some(progress)
    });
    told.collect()
}

fn too_large(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", message)
}

/// Holds a room's audio while its bytes are written.
struct Uploading {
    shop: Arc<Shared>,
    what: (RoomId, ContentHash),
}

impl Uploading {
    fn begin(shop: &Arc<Shared>, what: (RoomId, ContentHash)) -> Result<Self, Refusal> {
        if lock(&shop.uploading).insert(what) {
            return Ok(Self { shop: Arc::clone(shop), what });
        }
        let message = "this file is being uploaded on another connection: try again in a moment";
        Err(Refusal::new(StatusCode::CONFLICT, "upload_busy", message))
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        lock(&self.shop.uploading).remove(&self.what);
    }
}

struct Receiving<'a> {
    shop: &'a Shared,
    hall: &'a Arc<Hall>,
    audio: &'a AudioStore,
    user: UserId,
    hash: ContentHash,
    size_bytes: u64,
}

impl Receiving<'_> {
    /// Takes the body in; how much is here then. All of it is looked at, and is the audio.
    async fn take(&self, offset: u64, body: Body) -> Result<u64, Broken> {
        let limit = self.shop.config.limits.upload_bytes;
        if self.size_bytes > limit {
            let message = format!("the host takes files of at most {limit} bytes");
            return Err(self.is_wrong(too_large(message)));
        }
        let received = self.write(offset, body).await?;
        if received >= self.size_bytes {
            let (audio, hash) = (self.audio.clone(), self.hash);
            let commit = tokio::task::spawn_blocking(move || audio.commit(hash));
            match commit.await.map_err(Refusal::internal)? {
                Err(NetError::HashMismatch) => {
                    let message = "what came is not the file that was announced: share it again";
                    let status = StatusCode::UNPROCESSABLE_ENTITY;
                    return Err(self.is_wrong(Refusal::new(status, "hash_mismatch", message)));
                }
                kept => kept?,
            };
        }
        Ok(received)
    }

    /// It is over for all if it comes from who announced it; else they may still send what they have.
    fn is_wrong(&self, refusal: Refusal) -> Broken {
        let announced = |room: &Room| {
            let track = room.tracks.get(&self.hash)?;
            let TrackState::Uploading { size_bytes, .. } = track.state else { return None };
            Some((track.shared_by, size_bytes))
        };
        let is_theirs = self.hall.backend.with(announced).flatten() == Some((self.user, self.size_bytes));
        if is_theirs { Broken::Over(refusal) } else { Broken::Refused(refusal) }
    }

    /// Appends the body to the partial file; how much is there then. What came before a break is kept for the next try.
    async fn write(&self, offset: u64, body: Body) -> Result<u64, Broken> {
        let mut file = self.audio.append(self.hash, offset)?;
        let (mut received, mut told, mut asked) = (offset, None::<Instant>, Instant::now());
        let mut chunks = body.into_data_stream();
        loop {
            let next = tokio::time::timeout(self.shop.config.limits.stalled, chunks.next()).await;
            let Ok(Some(Ok(chunk))) = next else { break };
            if asked.elapsed() >= ASK_EVERY {
                asked = Instant::now();
                self.is_still_wanted()?;
            }
            received += chunk.len() as u64;
            if received > self.size_bytes {
                file.clear().await?;
                let message = "this file is longer than was announced: share it again";
                return Err(self.is_wrong(too_large(message)));
            }
            file.write(chunk).await?;
            if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) || received == self.size_bytes {
                told = Some(Instant::now());
                self.tell(received);
            }
        }
        file.flush().await?;
        // Who was removed meanwhile shares nothing any more.
        self.is_still_wanted()?;
        Ok(received)
    }

    /// Its sender may be gone meanwhile, and the upload given up.
    fn is_still_wanted(&self) -> Result<(), Refusal> {
        if !self.hall.is_member(self.user) {
            return Err(CommandFailure::from(Rejection::NotAMember).into());
        }
        announced(self.hall, self.hash).map(drop)
    }

    fn tell(&self, received_bytes: u64) {
        let Self { user, hash, size_bytes, .. } = *self;
        self.hall.say(ServerMessage::UploadProgress { user, hash, received_bytes, size_bytes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_standard() {
        assert_eq!(byte_range("bytes=0-", 10), Some(Some((0, 9))));
        assert_eq!(byte_range("bytes=4-6", 10), Some(Some((4, 6))));
        assert_eq!(byte_range("bytes=4-60", 10), Some(Some((4, 9))));
        assert_eq!(byte_range("bytes=-3", 10), Some(Some((7, 9))));
        assert_eq!(byte_range("bytes=10-", 10), Some(None));
        assert_eq!(byte_range("bytes=0-", 0), Some(None));
        assert_eq!(byte_range("lines=1-2", 10), None);
        assert_eq!(byte_range("bytes=1-2,4-5", 10), None);
    }
}
