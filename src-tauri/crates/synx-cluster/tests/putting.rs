//! Audio that takes long to put, that is not put whole, and what is left of that.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_nats::jetstream::Context as JetStream;
use async_nats::jetstream::stream::Stream;
use std::io::{self, Cursor, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use synx_cluster::testing::{NatsServer, until};
use synx_cluster::{Backplane, ClusterOptions, Objects};
use synx_domain::ContentHash;
use tempfile::tempdir;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

const HASH: ContentHash = ContentHash::from_bytes([7; 32]);
/// Of a message of the store.
const PIECE_BYTES: usize = 128 * 1024;
const PIECES: usize = 14;

/// Bytes of which no two places look alike.
fn audio() -> Vec<u8> {
    (0..(PIECES * PIECE_BYTES / 4) as u32).flat_map(u32::to_le_bytes).collect()
}

/// A file of which each piece takes so long to read, the first time, and how often it was begun anew.
struct Slow {
    file: Cursor<Vec<u8>>,
    pause: Pin<Box<Sleep>>,
    each: Duration,
    begun_anew: Arc<AtomicUsize>,
}

impl Slow {
    fn new(each: Duration) -> Self {
        Self { file: Cursor::new(audio()), pause: Box::pin(sleep(each)), each, begun_anew: Arc::default() }
    }
}

impl AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.pause.as_mut().poll(context));
        let next = Instant::now() + self.each;
        self.pause.as_mut().reset(next);
        Pin::new(&mut self.file).poll_read(context, to)
    }
}

impl AsyncSeek for Slow {
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        self.each = Duration::ZERO;
        self.begun_anew.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.file).start_seek(to)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.file).poll_complete(context)
    }
}

async fn objects(options: &ClusterOptions) -> Objects {
    Objects::open(&Backplane::connect(options).await.unwrap()).await.unwrap()
}

/// The servers as somebody else sees them, and the bucket.
async fn bucket(server: &NatsServer) -> (JetStream, Stream) {
    let with = async_nats::ConnectOptions::with_user_and_password("synx".into(), "let-me-in".into());
    let context = async_nats::jetstream::new(with.max_reconnects(None).connect(server.url()).await.unwrap());
    let bucket = context.get_stream("OBJ_synx-audio").await.unwrap();
    (context, bucket)
}

async fn messages(bucket: &Stream) -> u64 {
    bucket.get_info().await.unwrap().state.messages
}

async fn is_whole(objects: &Objects) -> bool {
    let (mut pieces, mut all) = (objects.get(HASH).await.unwrap().unwrap(), Vec::new());
    while let Some(piece) = pieces.next().await.unwrap() {
        all.extend(piece);
    }
    all == audio()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_takes_longer_than_servers_are_waited_for_is_put_although_one_dies_near_its_end() {
    let (mut server, node) = (NatsServer::start(), tempdir().unwrap());
    let patience = Duration::from_secs(9);
    let options = ClusterOptions { commit_timeout: patience, ..server.options(node.path()) };
    let objects = objects(&options).await;
    let (_, bucket) = bucket(&server).await;
    let (putting, begun) = (objects.clone(), Instant::now());
    let file = Slow::new(patience / (PIECES as u32 - 1) + Duration::from_millis(50));
    let begun_anew = Arc::clone(&file.begun_anew);
    let putting = tokio::spawn(async move { putting.put(HASH, file).await });
    until(async || messages(&bucket).await >= PIECES as u64 - 1, "it is not stored").await;
    assert!(begun.elapsed() >= patience);
    server.kill();
    until(async || begun_anew.load(Ordering::Relaxed) > 0 || putting.is_finished(), "it goes on for ever")
        .await;
    server.restart();
    putting.await.unwrap().unwrap();
    assert!(is_whole(&objects).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_put_left_behind_is_removed_and_nothing_else() {
    let (server, node) = (NatsServer::start(), tempdir().unwrap());
    let objects = objects(&server.options(node.path())).await;
    let (context, bucket) = bucket(&server).await;
    let other = ContentHash::from_bytes([8; 32]);
    objects.put(other, Cursor::new(b"all of it")).await.unwrap();
    let kept = messages(&bucket).await;
    // As of nodes that died before they told what these are.
    for piece in ["one", "one", "another"] {
        let stored = context.publish(format!("$O.synx-audio.C.{piece}"), "part of it".into()).await.unwrap();
        stored.await.unwrap();
    }
    let tidying = objects.clone();
    let tidying = tokio::spawn(async move { tidying.keep_tidy(Duration::from_secs(3)).await });
    until(async || messages(&bucket).await == kept, "it is still there").await;
    // What grows is somebody's.
    let growing = Slow::new(Duration::from_millis(600));
    let begun_anew = Arc::clone(&growing.begun_anew);
    objects.put(HASH, growing).await.unwrap();
    assert_eq!(begun_anew.load(Ordering::Relaxed), 0, "its pieces were removed");
    assert!(is_whole(&objects).await);
    assert!(objects.get(other).await.unwrap().unwrap().next().await.unwrap().is_some());
    assert_eq!(messages(&bucket).await, kept + PIECES as u64 + 1);
    assert!(!tidying.is_finished());
    tidying.abort();
}
