//! A network in simulated time: each peer's path to the host has its delays and its troubles, and each connection on it
//! hands its bytes on in pieces of any size, at its own pace, in order.

use crate::Dice;
use futures_util::future::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synx_net::{ByteStream, Dial, Listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::sleep;

/// What a connection's ends hold of bytes that nobody took yet: little, so that what waits is felt at once.
const BUFFER_BYTES: usize = 4096;
/// The largest piece that is handed on at once: less than a packet, so that any message may come in parts.
const PIECE_BYTES: usize = 1200;
/// After so long without an answer a system gives a dead connection up.
const GIVEN_UP: Duration = Duration::from_secs(900);

/// How it is on a path now.
#[derive(Clone)]
struct Path {
    /// What each piece takes.
    delay_us: Range<u64>,
    /// Bytes towards the host, and from it: those of a closed way wait.
    open: [bool; 2],
    /// Rises when all connections break, with a word to both ends.
    resets: u64,
    /// Rises when all connections are forgotten, with a word to nobody.
    losses: u64,
}

/// Where the host listens.
#[derive(Clone)]
enum Door {
    Open(mpsc::UnboundedSender<(DuplexStream, SocketAddr)>),
    /// Nobody listens: connections are refused.
    Shut,
    /// There is no machine: connections are not answered.
    Gone,
}

/// When a connection is to end by itself: after so many bytes of both directions, which may be in the middle of anything.
struct Doom {
    bytes_left: AtomicUsize,
    struck: Notify,
    /// Whether nobody is told.
    lost: bool,
}

impl Doom {
    /// Counts bytes; whether that was the end.
    fn counts(&self, bytes: usize) -> bool {
        let enough = |left: usize| left.checked_sub(bytes);
        self.bytes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enough).is_err()
    }
}

pub struct Net {
    paths: Vec<watch::Sender<Path>>,
    /// Whether connections end by themselves.
    rough: AtomicBool,
    door: Mutex<Door>,
    dice: Dice,
}

/// Delays of a good path, in microseconds.
pub const GOOD_US: Range<u64> = 200..4_000;

impl Net {
    pub fn new(peers: usize, dice: Dice) -> Arc<Self> {
        let path = Path { delay_us: GOOD_US, open: [true; 2], resets: 0, losses: 0 };
        let paths = (0..peers).map(|_| watch::Sender::new(path.clone())).collect();
        Arc::new(Self { paths, rough: AtomicBool::new(true), door: Mutex::new(Door::Shut), dice })
    }

    /// No connection that is made from now on ends by itself.
    pub fn calm(&self) {
        self.rough.store(false, Ordering::SeqCst);
    }

    /// Every fourth connection is doomed, most of these while they are young.
    fn doom(&self) -> Doom {
        let doomed = self.rough.load(Ordering::SeqCst) && self.dice.once_in(4);
        let most = if self.dice.once_in(4) { 100_000 } else { 3_000 };
        let bytes_left = AtomicUsize::new(if doomed { self.dice.below(most) } else { usize::MAX });
        Doom { bytes_left, struck: Notify::new(), lost: self.dice.once_in(2) }
    }

    /// The way of one peer.
    pub fn way_of(self: &Arc<Self>, peer: usize) -> Arc<dyn Dial> {
        Arc::new(Way { net: Arc::clone(self), peer })
    }

    /// The host listens from now on.
    pub fn listen(&self) -> Listener {
        let (door, arrivals) = mpsc::unbounded_channel();
        *self.door.lock().unwrap() = Door::Open(door);
        Listener { arrivals }
    }

    /// The host's process has ended: its connections break.
    pub fn host_ended(&self) {
        *self.door.lock().unwrap() = Door::Shut;
        (0..self.paths.len()).for_each(|peer| self.reset(peer));
    }

    /// The host's machine has no power: nobody is told.
    pub fn host_lost_power(&self) {
        *self.door.lock().unwrap() = Door::Gone;
        (0..self.paths.len()).for_each(|peer| self.lose(peer));
    }

    pub fn reset(&self, peer: usize) {
        self.paths[peer].send_modify(|path| path.resets += 1);
    }

    pub fn lose(&self, peer: usize) {
        self.paths[peer].send_modify(|path| path.losses += 1);
    }

    pub fn delay(&self, peer: usize, delay_us: Range<u64>) {
        self.paths[peer].send_modify(|path| path.delay_us = delay_us);
    }

    /// Which ways are open: towards the host, and from it.
    pub fn open(&self, peer: usize, open: [bool; 2]) {
        self.paths[peer].send_modify(|path| path.open = open);
    }
}

/// Where the host's connections come from.
pub struct Listener {
    arrivals: mpsc::UnboundedReceiver<(DuplexStream, SocketAddr)>,
}

/// Where the host is, as links name it.
pub fn host_address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 4700))
}

impl Listen for Listener {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, SocketAddr)> {
        match self.arrivals.recv().await {
            Some(arrival) => Ok(arrival),
            // The server is about to be dropped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(host_address())
    }
}

struct Way {
    net: Arc<Net>,
    peer: usize,
}

impl Dial for Way {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            assert_eq!(address, host_address().to_string());
            let mut path = self.net.paths[self.peer].subscribe();
            for way in [0, 1] {
                passes(&mut path, way).await;
                let delay = self.net.dice.delay(&path.borrow().delay_us);
                sleep(delay).await;
            }
            let door = self.net.door.lock().unwrap().clone();
            let door = match door {
                Door::Open(door) => door,
                Door::Shut => return Err(io::ErrorKind::ConnectionRefused.into()),
                Door::Gone => std::future::pending().await,
            };
            let (own, near) = duplex(BUFFER_BYTES);
            let (far, theirs) = duplex(BUFFER_BYTES);
            let from = SocketAddr::from(([10, 0, 1, self.peer as u8], 50_000));
            door.send((theirs, from)).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
            tokio::spawn(connection([near, far], path, self.net.doom(), self.net.dice.clone()));
            Ok(Box::new(own) as Box<dyn ByteStream>)
        })
    }
}

async fn connection([near, far]: [DuplexStream; 2], mut path: watch::Receiver<Path>, doom: Doom, dice: Dice) {
    let (resets, losses) = {
        let path = path.borrow();
        (path.resets, path.losses)
    };
    let (mut from_peer, mut to_peer) = split(near);
    let (mut from_host, mut to_host) = split(far);
    let up = lane(&mut from_peer, &mut to_host, (path.clone(), 0), &doom, &dice);
    let down = lane(&mut from_host, &mut to_peer, (path.clone(), 1), &doom, &dice);
    let lost = tokio::select! {
        biased;
        changed = path.wait_for(|path| path.resets > resets || path.losses > losses) => {
            changed.is_ok_and(|path| path.losses > losses)
        }
        () = doom.struck.notified() => doom.lost,
        _ = async { tokio::join!(up, down) } => false,
    };
    if lost {
        // Both ends go on as if the other were only slow.
        sleep(GIVEN_UP).await;
    }
    // Dropping the halves breaks the connection.
}

/// Waits until the path is open that way.
async fn passes(path: &mut watch::Receiver<Path>, way: usize) {
    if path.wait_for(|path| path.open[way]).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One direction of a connection, to its end.
async fn lane(
    from: &mut ReadHalf<DuplexStream>,
    to: &mut WriteHalf<DuplexStream>,
    (mut path, way): (watch::Receiver<Path>, usize),
    doom: &Doom,
    dice: &Dice,
) {
    let mut piece = [0; PIECE_BYTES];
    loop {
        let most = 1 + dice.below(PIECE_BYTES);
        let read = from.read(&mut piece[..most]).await.unwrap_or(0);
        let delay = dice.delay(&path.borrow().delay_us);
        sleep(delay).await;
        passes(&mut path, way).await;
        if doom.counts(read) {
            doom.struck.notify_one();
            return std::future::pending().await;
        }
        if read == 0 || to.write_all(&piece[..read]).await.is_err() {
            // The other end hears of it, and may still have something to say.
            drop(to.shutdown().await);
            return;
        }
    }
}
