//! Audio to and from the host. What broke off goes on where it was; nothing is kept whose hash does not match.

use crate::client::RoomClient;
use crate::client::requests::{self, Body, lost, request};
use crate::server::{UPLOAD_OFFSET, UploadState};
use crate::{AudioStore, NetError};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synx_domain::{Command, ContentHash};
use tokio::fs::File;
use tokio::io::AsyncSeekExt;
use tokio::sync::watch;
use tokio_util::io::ReaderStream;

/// Breaks in a row, without a byte in between, after which a transfer is given up.
const TRIES: u32 = 5;
/// Wait before the second try; it doubles.
const RETRY: Duration = Duration::from_millis(300);
/// After the last byte of a file has been handed to the connection: what it still holds is on its way, and the host looks at
/// all of it before it answers.
const VERIFIED: Duration = Duration::from_secs(180);
/// A transfer that brings nothing for this long has broken off.
const SILENCE: Duration = Duration::from_secs(15);
const READ_BYTES: usize = 64 * 1024;

impl RoomClient {
    /// Announces a file and sends it; returns when the host has all of it, verified. `progress` is told the bytes sent.
    ///
    /// # Errors
    /// The host's refusal, a file that cannot be read or has changed, or a connection that does not come back.
    pub async fn upload(
        &self,
        path: &Path,
        hash: ContentHash,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<(), NetError> {
        let size_bytes = tokio::fs::metadata(path).await.map_err(NetError::file("read", path))?.len();
        let file_name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.execute(Command::StartUpload { hash, file_name, size_bytes }).await?;
        let progress = Arc::new(Mutex::new(progress));
        let mut breaks = Breaks::default();
        loop {
            let sent = self.send_rest(path, hash, size_bytes, &progress, &mut breaks).await;
            match sent {
                Err(NetError::Refused { code, .. }) if code == "already_here" => return Ok(()),
                Err(NetError::Refused { code, message }) if code == "hash_mismatch" => {
                    tracing::debug!(message, "the host refused the bytes");
                    return Err(NetError::FileChanged { path: path.to_owned() });
                }
                Ok(state) if state.complete => return Ok(()),
                Ok(_) => breaks.after(lost("the upload broke off")).await?,
                Err(error) => breaks.after(error).await?,
            }
        }
    }

    async fn send_rest<P: FnMut(u64) + Send + 'static>(
        &self,
        path: &Path,
        hash: ContentHash,
        size_bytes: u64,
        progress: &Arc<Mutex<P>>,
        breaks: &mut Breaks,
    ) -> Result<UploadState, NetError> {
        let (room, pass) = (self.room(), self.pass());
        let asked = request(Method::GET, format!("/api/v1/rooms/{room}/uploads/{hash}"), Some(&pass));
        let state =
            requests::send(self.dialler.dial().await?, asked, requests::empty(), Some(SILENCE)).await?;
        let UploadState { received_bytes, .. } = requests::json(state).await?;
        breaks.saw(received_bytes);
        let mut file = File::open(path).await.map_err(NetError::file("read", path))?;
        file.seek(SeekFrom::Start(received_bytes)).await.map_err(NetError::file("read", path))?;
        let rest = size_bytes.saturating_sub(received_bytes);
        let taken = Arc::new(watch::Sender::new(received_bytes));
        let body = counted(file, Arc::clone(&taken), rest, Arc::clone(progress));
        let put = request(Method::PUT, format!("/api/v1/rooms/{room}/audio/{hash}"), Some(&pass))
            .header(UPLOAD_OFFSET, received_bytes)
            .header(header::CONTENT_LENGTH, rest);
        let answer = requests::send(self.dialler.dial().await?, put, body, None);
        requests::json(while_it_moves(answer, taken.subscribe(), size_bytes).await?).await
    }

    /// Gets audio of this length into the audio store, unless it is there. `progress` is told the bytes that are here.
    ///
    /// # Errors
    /// The host's refusal, [`NetError::HashMismatch`], [`NetError::TooLong`], or a connection that does not come back.
    pub async fn fetch(
        &self,
        (hash, size_bytes): (ContentHash, u64),
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<(), NetError> {
        let audio = self.audio.clone();
        let mut breaks = Breaks::default();
        while audio.path(hash).is_none() {
            match self.receive_rest(&audio, (hash, size_bytes), &mut progress).await {
                Ok(()) => {
                    let audio = audio.clone();
                    tokio::task::spawn_blocking(move || audio.commit(hash)).await.map_err(lost)??;
                }
                Err(error) => {
                    breaks.saw(audio.partial_bytes(hash));
                    breaks.after(error).await?;
                }
            }
        }
        Ok(())
    }

    /// The file with what has come so far of audio that is being fetched. Its bytes are not verified before all are here.
    pub fn partial(&self, hash: ContentHash) -> Option<PathBuf> {
        self.audio.partial_path(hash)
    }

    async fn receive_rest(
        &self,
        audio: &AudioStore,
        (hash, size_bytes): (ContentHash, u64),
        progress: &mut (impl FnMut(u64) + Send),
    ) -> Result<(), NetError> {
        // What is longer than the whole can be no part of it.
        let mut here = Some(audio.partial_bytes(hash)).filter(|here| *here <= size_bytes).unwrap_or(0);
        let path = format!("/api/v1/rooms/{}/audio/{hash}", self.room());
        let asked =
            request(Method::GET, path, Some(&self.pass())).header(header::RANGE, format!("bytes={here}-"));
        let response =
            requests::send(self.dialler.dial().await?, asked, requests::empty(), Some(SILENCE)).await?;
        match response.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(()),
            StatusCode::PARTIAL_CONTENT => {}
            _ => here = 0,
        }
        let mut file = audio.append(hash, here)?;
        let mut chunks = response.into_body().into_data_stream();
        let ended = loop {
            match tokio::time::timeout(SILENCE, chunks.next()).await {
                Ok(Some(Ok(chunk))) if here + chunk.len() as u64 > size_bytes => {
                    file.clear().await?;
                    break Err(NetError::TooLong { announced_bytes: size_bytes });
                }
                Ok(Some(Ok(chunk))) => {
                    here += chunk.len() as u64;
                    file.write(chunk).await?;
                    progress(here);
                }
                Ok(None) => break Ok(()),
                Ok(Some(Err(error))) => break Err(lost(error)),
                Err(_) => break Err(lost("the download broke off")),
            }
        };
        file.flush().await?;
        ended
    }
}

/// Decides whether a transfer that broke off is tried again.
#[derive(Default)]
struct Breaks {
    in_a_row: u32,
    bytes: u64,
}

impl Breaks {
    /// So many bytes are there: more than before means that it moves on.
    fn saw(&mut self, bytes: u64) {
        if bytes > self.bytes {
            (self.bytes, self.in_a_row) = (bytes, 0);
        }
    }

    /// Waits for the next try.
    ///
    /// # Errors
    /// `error` itself when it is final, or nothing came since the last tries.
    async fn after(&mut self, error: NetError) -> Result<(), NetError> {
        let passing = match &error {
            NetError::Refused { code, .. } => {
                code == "upload_busy" || code == "wrong_offset" || code == "token_expired"
            }
            NetError::Lost(_) | NetError::Unreachable { .. } => true,
            _ => false,
        };
        self.in_a_row += 1;
        if !passing || self.in_a_row >= TRIES {
            return Err(error);
        }
        tokio::time::sleep(RETRY * 2_u32.pow(self.in_a_row - 1)).await;
        Ok(())
    }
}

/// The answer to an upload, for as long as the connection takes bytes: one that was forgotten on the way takes no more.
async fn while_it_moves<T>(
    answer: impl Future<Output = Result<T, NetError>>,
    mut taken: watch::Receiver<u64>,
    size_bytes: u64,
) -> Result<T, NetError> {
    tokio::pin!(answer);
    loop {
        let wait = if *taken.borrow_and_update() < size_bytes { SILENCE } else { VERIFIED };
        tokio::select! {
            answer = &mut answer => return answer,
            Ok(()) = taken.changed() => {}
            () = tokio::time::sleep(wait) => return Err(lost("the upload broke off")),
        }
    }
}

/// The file's bytes from where it stands, counted as they go.
fn counted<P: FnMut(u64) + Send + 'static>(
    file: File,
    taken: Arc<watch::Sender<u64>>,
    length: u64,
    progress: Arc<Mutex<P>>,
) -> Body {
    use tokio::io::AsyncReadExt;
    let chunks =
        ReaderStream::with_capacity(file.take(length), READ_BYTES).inspect_ok(move |chunk: &Bytes| {
            taken.send_modify(|taken| *taken += chunk.len() as u64);
            let sent = *taken.borrow();
            (progress.lock().unwrap_or_else(PoisonError::into_inner))(sent);
        });
    body_of(chunks)
}

fn body_of(chunks: impl Stream<Item = std::io::Result<Bytes>> + Send + Sync + 'static) -> Body {
    BodyExt::boxed(StreamBody::new(chunks.map_ok(Frame::data)))
}
