//! Peers by the thousand on one thread: each a connection that gets in as the protocol says and then counts.

use crate::frames::{self, Said};
use crate::serve::room_id;
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer, SigningKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use sha2::Digest;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use synx_domain::UserId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What one read takes at most.
const READ_BYTES: usize = 256 * 1024;
/// Reads of one connection before others have their turn.
const READS_IN_A_ROW: usize = 8;

trait Io: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// Somebody with a key of their own.
pub struct Person(SigningKey);

impl Person {
    pub fn numbered(number: usize) -> Self {
        Self(SigningKey::from_bytes(blake3::hash(format!("bench {number}").as_bytes()).as_bytes()))
    }

    pub fn user_id(&self) -> UserId {
        synx_net::user_id_of(&self.0.verifying_key().to_bytes())
    }
}

/// Where the server is and how it shows itself.
pub struct Target {
    pub at: SocketAddr,
    tls: Option<(TlsConnector, [u8; 32])>,
}

impl Target {
    /// With TLS the server's certificate is the only authority.
    pub fn new(at: SocketAddr, folder: &Path, tls: bool) -> Rc<Self> {
        let pinned = || {
            let certificate = CertificateDer::from_pem_file(folder.join("tls/cert.pem")).unwrap();
            let fingerprint = sha2::Sha256::digest(&certificate).into();
            let mut roots = rustls::RootCertStore::empty();
            roots.add(certificate).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            (TlsConnector::from(Arc::new(config)), fingerprint)
        };
        Rc::new(Self { at, tls: tls.then(pinned) })
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Io>> {
        let stream = TcpStream::connect(self.at).await?;
        stream.set_nodelay(true)?;
        let Some((connector, _)) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from("synxsphere.invalid").unwrap();
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

/// Hears what the server says to a peer, by the peer's number.
pub trait Ear {
    fn hear(&self, peer: usize, said: Said);
}

/// One peer, as the load sees it.
pub struct Peer {
    out: RefCell<Vec<u8>>,
    waker: RefCell<Option<Waker>>,
    /// Takes nothing any more.
    pub stalled: Cell<bool>,
    pub over: Cell<bool>,
}

impl Peer {
    /// Starts on its way into a room; `last_seq` asks for what follows instead of the state.
    pub fn start(
        target: &Rc<Target>,
        number: usize,
        room: usize,
        last_seq: Option<u64>,
        ear: Rc<dyn Ear>,
    ) -> Rc<Self> {
        let peer = Rc::new(Self {
            out: RefCell::default(),
            waker: RefCell::default(),
            stalled: Cell::new(false),
            over: Cell::new(false),
        });
        let (this, target, person) = (Rc::clone(&peer), Rc::clone(target), Person::numbered(number));
        tokio::task::spawn_local(async move {
            let Ok(mut io) = target.connect().await else { return this.over.set(true) };
            let fingerprint = target.tls.as_ref().map_or([0; 32], |(_, fingerprint)| *fingerprint);
            let (at, stage) = (target.at, Stage::Challenge);
            let mut talk = Talk { number, person, room, last_seq, fingerprint, at, stage, ear };
            talk.begin(&this);
            let mut rest = Vec::new();
            poll_fn(|context| this.turn(context, &mut io, &mut rest, &mut talk)).await;
            this.over.set(true);
        });
        peer
    }

    /// Sends the numbered chat message.
    pub fn chat(&self, number: u64, padding: &str) {
        frames::put_frame(&mut self.out.borrow_mut(), 1, frames::chat(number, padding).as_bytes());
        self.wake();
    }

    pub fn stall(&self, stalled: bool) {
        self.stalled.set(stalled);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Writes and reads what can be; ready when the connection is over.
    fn turn(
        &self,
        context: &mut Context<'_>,
        io: &mut Box<dyn Io>,
        rest: &mut Vec<u8>,
        talk: &mut Talk,
    ) -> Poll<()> {
        thread_local!(static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]));
        *self.waker.borrow_mut() = Some(context.waker().clone());
        for _ in 0..READS_IN_A_ROW {
            if self.write(context, io).is_err() {
                return Poll::Ready(());
            }
            if self.stalled.get() {
                return Poll::Pending;
            }
            let over = SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                match Pin::new(&mut *io).poll_read(context, &mut buffer) {
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => Some(Poll::Ready(())),
                    Poll::Ready(Ok(())) => {
                        talk.take(self, rest, buffer.filled());
                        None
                    }
                    Poll::Ready(Err(_)) => Some(Poll::Ready(())),
                    Poll::Pending => Some(Poll::Pending),
                }
            });
            match over {
                // What was heard may have been answered.
                Some(Poll::Pending) if !self.out.borrow().is_empty() => {
                    if self.write(context, io).is_err() {
                        return Poll::Ready(());
                    }
                    return Poll::Pending;
                }
                Some(poll) => return poll,
                None => {}
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn write(&self, context: &mut Context<'_>, io: &mut Box<dyn Io>) -> std::io::Result<()> {
        let mut out = self.out.borrow_mut();
        while !out.is_empty() {
            match Pin::new(&mut *io).poll_write(context, &out) {
                Poll::Ready(Ok(written)) => drop(out.drain(..written)),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(()),
            }
        }
        match Pin::new(io).poll_flush(context) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }
}

/// How far a peer has come.
enum Stage {
    Challenge,
    Admission,
    Upgrade(String),
    Frames,
}

struct Talk {
    number: usize,
    person: Person,
    room: usize,
    last_seq: Option<u64>,
    fingerprint: [u8; 32],
    at: SocketAddr,
    stage: Stage,
    ear: Rc<dyn Ear>,
}

impl Talk {
    fn begin(&self, peer: &Peer) {
        let room = room_id(self.room);
        self.put(peer, &format!("GET /api/v1/rooms/{room}/challenge HTTP/1.1\r\nHost: {}\r\n\r\n", self.at));
    }

    fn put(&self, peer: &Peer, request: &str) {
        peer.out.borrow_mut().extend_from_slice(request.as_bytes());
    }

    /// Takes in bytes; an incomplete end is kept in `rest`.
    fn take(&mut self, peer: &Peer, rest: &mut Vec<u8>, bytes: &[u8]) {
        if rest.is_empty() {
            let used = self.read(peer, bytes);
            rest.extend_from_slice(&bytes[used..]);
        } else {
            rest.extend_from_slice(bytes);
            let used = self.read(peer, rest);
            rest.drain(..used);
        }
    }

    /// How much was understood.
    fn read(&mut self, peer: &Peer, bytes: &[u8]) -> usize {
        let mut used = 0;
        loop {
            let left = &bytes[used..];
            if !matches!(self.stage, Stage::Frames) {
                let Some((status, body, length)) = frames::response(left) else { return used };
                self.answer(peer, status, body);
                used += length;
                continue;
            }
            let Some((opcode, payload, length)) = frames::frame(left) else { return used };
            match frames::said(opcode, payload) {
                Said::Ping => frames::put_frame(&mut peer.out.borrow_mut(), 10, payload),
                said => self.ear.hear(self.number, said),
            }
            used += length;
        }
    }

    fn answer(&mut self, peer: &Peer, status: u16, body: &[u8]) {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let room = room_id(self.room);
        self.stage = match &self.stage {
            Stage::Challenge if status == 200 => {
                let nonce = value["nonce"].as_str().unwrap();
                let join = self.proof(nonce).to_string();
                self.put(
                    peer,
                    &format!(
                        "POST /api/v1/rooms/{room}/join HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
                         Content-Length: {}\r\n\r\n{join}",
                        self.at,
                        join.len()
                    ),
                );
                Stage::Admission
            }
            Stage::Admission if status == 200 => {
                let token = value["token"].as_str().unwrap().to_owned();
                self.put(
                    peer,
                    &format!(
                        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        self.at
                    ),
                );
                Stage::Upgrade(token)
            }
            Stage::Upgrade(token) if status == 101 => {
                let join = json!({
                    "type": "join_room", "protocol": 1, "room": room, "token": token,
                    "proof": self.token_proof(token), "last_seq": self.last_seq,
                    "profile": {"name": format!("Peer {}", self.number)},
                });
                frames::put_frame(&mut peer.out.borrow_mut(), 1, join.to_string().as_bytes());
                Stage::Frames
            }
            _ => panic!("the server refused with status {status}: {}", String::from_utf8_lossy(body)),
        };
    }

    /// The answer to a challenge, as docs/protocol.md has it.
    fn proof(&self, nonce: &str) -> Value {
        let nonce_bytes = HEXLOWER.decode(nonce.as_bytes()).unwrap();
        let room = room_id(self.room);
        let signed: Vec<u8> =
            [b"synxsphere join v1\0", &nonce_bytes[..], room.as_bytes(), &self.fingerprint].concat();
        json!({
            "nonce": nonce,
            "public_key": HEXLOWER.encode(&self.person.0.verifying_key().to_bytes()),
            "signature": HEXLOWER.encode(&self.person.0.sign(&signed).to_bytes()),
        })
    }

    /// What goes with a token: a signature under its hash by the key that it names.
    fn token_proof(&self, token: &str) -> String {
        let signed = [b"synxsphere token v1\0", &blake3::hash(token.as_bytes()).as_bytes()[..]].concat();
        HEXLOWER.encode(&self.person.0.sign(&signed).to_bytes())
    }
}

/// Waits until something is so, looking every millisecond; false if it takes longer than a minute.
pub async fn until(mut so: impl FnMut() -> bool) -> bool {
    for _ in 0..60_000 {
        if so() {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    false
}

/// Runs on one thread.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work)
}
