//! Real NATS servers for tests and benchmarks, each with a folder and a configuration of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

use crate::ClusterOptions;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to listen: it takes some 50 ms.
const START: Duration = Duration::from_secs(20);
/// How long a loaded machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks at a condition.
const POLL: Duration = Duration::from_millis(3);

/// Waits for a condition, which must come to hold; what is wrong if it does not.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool, wrong: &str) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "{wrong}");
        tokio::time::sleep(POLL).await;
    }
}

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Whether it syncs before it acknowledges.
    pub sync_always: bool,
    /// Whether it tells so.
    pub tells: bool,
    /// The largest message.
    pub max_payload: &'static str,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { sync_always: true, tells: true, max_payload: "8MB" }
    }
}

/// A NATS server that ends with its owner.
pub struct NatsServer {
    child: Option<Child>,
    port: u16,
    folder: TempDir,
}

impl NatsServer {
    /// Starts a server that is set up as it should be.
    pub fn start() -> Self {
        Self::with(&ServerConfig::default())
    }

    /// Starts servers that are one NATS cluster and set up as they should be, on the disk of this folder.
    pub fn start_in(folder: &Path, count: usize) -> Vec<Self> {
        Self::system_in(folder, count, &ServerConfig::default())
    }

    /// Starts a server that is set up so.
    pub fn with(config: &ServerConfig) -> Self {
        Self::system(1, config).remove(0)
    }

    /// Starts servers that are one NATS cluster.
    pub fn system(count: usize, config: &ServerConfig) -> Vec<Self> {
        Self::system_in(&std::env::temp_dir(), count, config)
    }

    fn system_in(parent: &Path, count: usize, config: &ServerConfig) -> Vec<Self> {
        let ports: Vec<_> = (0..count).map(|_| (free_port(), free_port())).collect();
        let routes: Vec<_> = ports.iter().map(|(_, route)| format!("nats://127.0.0.1:{route}")).collect();
        let mut servers: Vec<_> = (1..)
            .zip(&ports)
            .map(|(number, (port, route))| {
                let folder = tempfile::tempdir_in(parent).unwrap();
                let mut text = configuration(*port, number, folder.path(), config);
                if count > 1 {
                    text += &format!(
                        "cluster {{ name: test, listen: 127.0.0.1:{route}, routes: [{}] }}\n",
                        routes.join(", ")
                    );
                }
                std::fs::write(folder.path().join("nats.conf"), text).unwrap();
                Self { child: None, port: *port, folder }
            })
            .collect();
        servers.iter_mut().for_each(Self::launch);
        Self::until_one(&servers);
        servers
    }

    /// Waits until all of these listen, also to each other: before, they are no system.
    pub fn until_one(servers: &[Self]) {
        let all = |line: &str| servers.iter().all(|server| line.contains(&server.address()));
        servers.iter().for_each(|server| server.wait(|line| servers.len() == 1 || all(line)));
    }

    /// Its process, while it runs; 0 else.
    pub fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its address, with credentials.
    pub fn url(&self) -> String {
        self.url_at(&self.address())
    }

    /// The same where it is reached at another address.
    pub fn url_at(&self, address: &str) -> String {
        format!("nats://synx:let-me-in@{address}")
    }

    /// Options for a node whose copy is in this folder.
    pub fn options(&self, node: &Path) -> ClusterOptions {
        ClusterOptions::new(vec![self.url()], node.join("copy.db"))
    }

    /// Ends it as a loss of power to its process would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again where it was, and returns once it listens.
    pub fn restart(&mut self) {
        self.launch();
        self.wait(|_| true);
    }

    /// Lets it forget everything.
    pub fn wipe(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.folder.path().join("jetstream")).unwrap();
        self.restart();
    }

    fn launch(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("nats.log")).unwrap();
        let mut command = Command::new(binary());
        command.arg("-c").arg(self.folder.path().join("nats.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// A server says how it is to each who connects, as soon as it is ready.
    fn wait(&self, is_so: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while begun.elapsed() < START {
            let mut line = String::new();
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port))
                && BufReader::new(stream).read_line(&mut line).is_ok_and(|read| read > 0)
                && is_so(&line)
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let log = std::fs::read_to_string(self.folder.path().join("nats.log")).unwrap_or_default();
        panic!("nats-server did not start:\n{log}");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn configuration(port: u16, number: usize, folder: &Path, config: &ServerConfig) -> String {
    let ServerConfig { sync_always, tells, max_payload } = *config;
    let sync = if sync_always { "sync_interval: always" } else { "" };
    let service = |rest: &str| if tells { rest.to_owned() } else { String::new() };
    let exports = service(r#"exports: [{ service: "$SYS.REQ.SERVER.PING.JSZ", response_type: stream }]"#);
    let imports =
        service(r#"imports: [{ service: { account: "$SYS", subject: "$SYS.REQ.SERVER.PING.JSZ" } }]"#);
    format!(
        "listen: 127.0.0.1:{port}\nserver_name: n{number}\nmax_payload: {max_payload}\n\
         jetstream {{ store_dir: {:?}, {sync} }}\n\
         accounts {{\n  \"$SYS\" {{ {exports} }}\n  \
         SYNX {{ jetstream: enabled, users: [{{ user: synx, password: let-me-in }}]\n{imports} }}\n}}\n",
        folder.display().to_string()
    )
}

/// A port that nobody listens on, and that is given to no other server of this process. It lies below those that systems give to
/// outgoing connections: one of these could take it before the server does, or while the server is dead.
fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(97);
    loop {
        let number = first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(10_000 + number % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The server's program: the one named by `SYNX_NATS_SERVER`, or the one that `cargo xtask setup` has put into the target folder.
pub fn binary() -> PathBuf {
    let program = format!("nats-server{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().unwrap();
    let installed = beside.ancestors().map(|folder| folder.join("nats-server").join(&program));
    let named = std::env::var_os("SYNX_NATS_SERVER").map(PathBuf::from);
    let found = named.into_iter().chain(installed).find(|program| program.is_file());
    found.expect("nats-server is missing: `cargo xtask setup` installs it, or SYNX_NATS_SERVER names it")
}
