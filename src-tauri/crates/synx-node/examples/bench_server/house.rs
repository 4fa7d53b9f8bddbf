//! The server's process as its measurer sees it: started, looked at, ended.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use synx_testkit::cpu_s;

/// A running server process. Ended when dropped.
pub struct House {
    child: Child,
    pub at: SocketAddr,
    /// From starting the process to its port being open and its rooms served.
    pub ready: Duration,
}

impl House {
    pub fn open(folder: &Path, rooms: usize, members: usize, tls: bool) -> Self {
        Self::open_on(folder, rooms, members, tls, &[])
    }

    /// The same as a node of a cluster on these NATS servers, if there are any.
    pub fn open_on(folder: &Path, rooms: usize, members: usize, tls: bool, nats: &[String]) -> Self {
        let start = Instant::now();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg(folder)
            .args([rooms.to_string(), members.to_string()])
            .arg(if tls { "tls" } else { "plain" })
            .args(nats)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port: u16 = line.trim().parse().expect("the server says its port");
        Self { child, at: SocketAddr::from(([127, 0, 0, 1], port)), ready: start.elapsed() }
    }

    /// Ends it as a crash would: with no chance to tidy up.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Processor time so far, in seconds.
    pub fn cpu_s(&self) -> f64 {
        cpu_s(self.child.id())
    }

    /// Memory that is in use, in KiB.
    pub fn rss_kib(&self) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let rss = text.lines().find_map(|line| line.strip_prefix("Rss:"));
        rss.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// Processor time of this process, in seconds: near the time that went by, the load generator was the limit.
pub fn own_cpu_s() -> f64 {
    cpu_s(std::process::id())
}
