//! The protocol as bytes: requests, WebSocket frames, and what of them a load generator has to know.

use memchr::memmem;

/// What a server said, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// The room is entered; its log ends there.
    Joined { head_seq: u64 },
    /// The numbered message is durable, at this place in the log.
    Answered { number: u64, seq: u64 },
    /// The numbered message, at its place in the log.
    Message { number: Option<u64>, seq: u64 },
    /// The server wants a sign of life.
    Ping,
    /// The connection ends; its stable code.
    Bye(String),
    /// Something was refused.
    Refused(String),
    /// Nothing that counts.
    Else,
}

/// The status and body of an HTTP response that is complete, and its length.
pub fn response(bytes: &[u8]) -> Option<(u16, &[u8], usize)> {
    let head = memmem::find(bytes, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let length: usize = text.lines().find_map(header).unwrap_or(0);
    let end = head + length;
    Some((status, bytes.get(head..end)?, end))
}

/// A WebSocket frame that is complete: opcode, payload, and its whole length.
pub fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (head, length) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        short => (2, usize::from(short)),
    };
    Some((first & 0x0f, bytes.get(head..head + length)?, head + length))
}

/// Appends a frame of a client. Its mask is zero, which any server takes and nobody has to compute.
pub fn put_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..65_536 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// Reads a frame's meaning without parsing it: what is looked for stands where the server's encoder puts it.
pub fn said(opcode: u8, payload: &[u8]) -> Said {
    match opcode {
        9 => return Said::Ping,
        8 => return Said::Bye("closed".to_owned()),
        _ => {}
    }
    if payload.starts_with(b"{\"seq\":") {
        let number = memmem::find(payload, b"\"text\":\"~").map(|at| digits(&payload[at + 9..]));
        return Said::Message { number, seq: digits(&payload[7..]) };
    }
    if payload.starts_with(b"{\"type\":\"ok\",\"id\":\"") {
        let seq = memmem::rfind(payload, b"\"seq\":").map(|at| digits(&payload[at + 6..]));
        return Said::Answered { number: command_number(&payload[19..]), seq: seq.unwrap_or(0) };
    }
    if payload.starts_with(b"{\"type\":\"room_joined\"") {
        // Behind the snapshot, in which people's words could say the same.
        let head = memmem::rfind(payload, b"\"head_seq\":").map(|at| digits(&payload[at + 11..]));
        return Said::Joined { head_seq: head.unwrap_or(0) };
    }
    let text = || String::from_utf8_lossy(payload).into_owned();
    if payload.starts_with(b"{\"type\":\"error\"") {
        return Said::Refused(text());
    }
    if payload.starts_with(b"{\"type\":\"bye\"") {
        return Said::Bye(text());
    }
    Said::Else
}

fn digits(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}

/// A chat message under a command id that has its number in the last twelve digits.
pub fn chat(number: u64, padding: &str) -> String {
    format!(
        "{{\"type\":\"chat_message\",\"id\":\"{:08x}-0000-7000-8000-{number:012x}\",\"text\":\"~{number}~{padding}\"}}",
        std::process::id()
    )
}

fn command_number(id: &[u8]) -> u64 {
    let digits = id.get(24..36).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(u64::MAX)
}
