//! One HTTP request at a time, as a load balancer or Prometheus makes it.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Status and body of what is under an address such as `http://127.0.0.1:9600/readyz`; none if nobody answers.
pub fn get(url: &str) -> Option<(u16, String)> {
    let (authority, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(authority).ok()?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
