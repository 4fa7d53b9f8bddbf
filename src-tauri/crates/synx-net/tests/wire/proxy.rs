//! A link between peers and a host that can be cut, held and broken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All passes.
    Open,
    /// Connections end, and new ones end at once.
    Cut,
    /// Connections stay, nothing passes.
    Silent,
    /// What the host says does not arrive.
    HostUnheard,
}

/// The mode, and how often the link was cut: no cut is too short for a connection to notice.
#[derive(Clone, Copy)]
struct State {
    mode: Mode,
    cuts: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Host,
    Peer,
}

#[derive(Default)]
struct Flow {
    carried: AtomicU64,
    /// A connection that has carried so many bytes breaks,
    break_after: AtomicU64,
    /// so many times.
    breaks_left: AtomicU64,
}

pub struct Proxy {
    at: SocketAddr,
    host: watch::Sender<SocketAddr>,
    state: watch::Sender<State>,
    flow: Arc<Flow>,
    accepting: AbortHandle,
}

impl Proxy {
    pub async fn to(host: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (host, state) = (watch::Sender::new(host), State { mode: Mode::Open, cuts: 0 });
        let (state, flow) = (watch::Sender::new(state), Arc::<Flow>::default());
        let accepting = accept(listener, host.subscribe(), state.subscribe(), Arc::clone(&flow));
        Self { at, host, state, flow, accepting: tokio::spawn(accepting).abort_handle() }
    }

    pub fn address(&self) -> String {
        self.at.to_string()
    }

    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            state.mode = mode;
            state.cuts += u64::from(mode == Mode::Cut);
        });
    }

    /// New connections lead there.
    pub fn lead_to(&self, host: SocketAddr) {
        self.host.send_replace(host);
    }

    /// The next `times` connections that carry this many bytes break then.
    pub fn break_after(&self, bytes: u64, times: u64) {
        self.flow.break_after.store(bytes, Ordering::SeqCst);
        self.flow.breaks_left.store(times, Ordering::SeqCst);
    }

    pub fn breaks_left(&self) -> u64 {
        self.flow.breaks_left.load(Ordering::SeqCst)
    }

    /// Bytes that were passed on, in both directions.
    pub fn carried(&self) -> u64 {
        self.flow.carried.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    host: watch::Receiver<SocketAddr>,
    state: watch::Receiver<State>,
    flow: Arc<Flow>,
) {
    loop {
        let (peer, _) = listener.accept().await.unwrap();
        let State { mode, cuts } = *state.borrow();
        if mode == Mode::Cut {
            continue;
        }
        let (host, state, flow) = (*host.borrow(), state.clone(), Arc::clone(&flow));
        tokio::spawn(async move {
            let Ok(host) = TcpStream::connect(host).await else { return };
            let ((from_peer, to_peer), (from_host, to_host)) = (peer.into_split(), host.into_split());
            let own = Arc::<AtomicU64>::default();
            let (mut cut, up) = (state.clone(), Lane { towards: Towards::Host, state, flow, own });
            let down = Lane { towards: Towards::Peer, ..up.clone() };
            // After a cut not one byte more.
            tokio::select! {
                biased;
                _ = cut.wait_for(|state| state.cuts > cuts) => {}
                () = up.carry(from_peer, to_host) => {}
                () = down.carry(from_host, to_peer) => {}
            }
        });
    }
}

/// One direction of a connection.
#[derive(Clone)]
struct Lane {
    towards: Towards,
    state: watch::Receiver<State>,
    flow: Arc<Flow>,
    /// Bytes of this connection.
    own: Arc<AtomicU64>,
}

impl Lane {
    async fn carry(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let towards = self.towards;
            let passes = |state: &State| match state.mode {
                Mode::Open => true,
                Mode::HostUnheard => towards == Towards::Host,
                Mode::Silent | Mode::Cut => false,
            };
            if self.state.wait_for(passes).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
            if self.breaks(read as u64) {
                return;
            }
        }
    }

    fn breaks(&self, bytes: u64) -> bool {
        self.flow.carried.fetch_add(bytes, Ordering::SeqCst);
        let own = self.own.fetch_add(bytes, Ordering::SeqCst) + bytes;
        let one_less = |left: u64| left.checked_sub(1);
        own >= self.flow.break_after.load(Ordering::SeqCst)
            && self.flow.breaks_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }
}
