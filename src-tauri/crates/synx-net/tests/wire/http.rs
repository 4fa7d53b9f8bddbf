//! HTTP by hand: what a stranger could send.

use crate::soon;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request in the making.
pub struct Ask {
    method: &'static str,
    path: String,
    host: String,
    headers: String,
    body: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    head: String,
}

impl Ask {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        let (host, headers) = ("127.0.0.1".to_owned(), String::new());
        Self { method, path: path.into(), host, headers, body: Vec::new() }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// The upgrade to a WebSocket.
    pub fn upgrade(path: impl Into<String>) -> Self {
        Self::get(path)
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    pub fn host(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    pub fn header(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    pub fn body(self, bytes: &[u8]) -> Self {
        let body = bytes.to_vec();
        Self { body, ..self }.header("Content-Length", bytes.len())
    }

    /// A body of which only the beginning is sent.
    pub fn beginning(self, bytes: &[u8], of: usize) -> Self {
        let body = bytes.to_vec();
        Self { body, ..self }.header("Content-Length", of)
    }

    pub fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string().as_bytes())
    }

    fn head(&self) -> String {
        let Self { method, path, host, headers, .. } = self;
        let connection = if headers.contains("Upgrade:") { "Upgrade" } else { "close" };
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n{headers}\r\n")
    }

    /// Sends all there is; the answer is still to come.
    pub async fn begin(self, at: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(at).await.unwrap();
        // A host that refuses early need not read to the end.
        drop(stream.write_all(&[self.head().as_bytes(), &self.body].concat()).await);
        stream
    }

    pub async fn send(self, at: SocketAddr) -> Answer {
        Answer::read(self.begin(at).await).await
    }
}

impl Answer {
    /// Whether an answer begins; else the host has closed.
    pub async fn has_begun(stream: &TcpStream) -> bool {
        soon(stream.peek(&mut [0])).await.is_ok_and(|bytes| bytes == 1)
    }

    /// Reads to the end of the body, or until the host closes.
    pub async fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = Self::of(&bytes).filter(Self::is_whole) {
                return answer;
            }
            // A connection that is reset after its answer still has answered.
            if !matches!(soon(stream.read_buf(&mut bytes)).await, Ok(1..)) {
                return Self::of(&bytes).expect("an answer");
            }
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, body: bytes[end + 4..].to_vec(), head })
    }

    fn is_whole(&self) -> bool {
        self.header("content-length").is_some_and(|length| length == self.body.len().to_string())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Status and code of a refusal.
    pub fn refused(&self) -> (u16, String) {
        let refusal = self.json();
        assert!(refusal["message"].as_str().is_some_and(|message| !message.is_empty()), "{refusal}");
        (self.status, refusal["code"].as_str().unwrap().to_owned())
    }
}
