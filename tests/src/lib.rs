//! Whole-system tests: starts the real `synx` binary and speaks its JSON Lines.
//!
//! What is tested is what a user gets: none of the product's code is linked, but by the peers of a cluster, who are too many to be
//! processes. Waiting is always for a condition.

#![allow(clippy::expect_used, clippy::unwrap_used)]

pub mod cluster;
pub mod crowd;
#[cfg(target_os = "linux")]
pub mod desk;
#[cfg(target_os = "linux")]
pub mod dropping;
pub mod http;
pub mod line;
#[cfg(target_os = "linux")]
pub mod mounts;
#[cfg(target_os = "linux")]
pub mod netns;
pub mod player;
pub mod window;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longest wait for anything that must happen. Generous, as the machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A built binary: `SYNX_BIN` or `SYNXSPHERE_BIN` names it, else it lies beside the running test.
pub fn binary(name: &str) -> PathBuf {
    let variable = format!("{}_BIN", name.to_uppercase());
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let test = std::env::current_exe().expect("the test knows where it is");
    let folder = test.parent().and_then(Path::parent).expect("tests run from target/<profile>/deps");
    folder.join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

/// A file of the project's `assets/demo`.
pub fn demo_track(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo").join(name)
}

/// Runs `synx` to its end.
pub fn synx(args: &[&str]) -> Output {
    synx_under(&[], args)
}

/// The same under another program, as in `ip netns exec`.
pub fn synx_under(wrapper: &[String], args: &[&str]) -> Output {
    let mut words = wrapper.iter().map(PathBuf::from).chain([binary("synx")]);
    Command::new(words.next().expect("there is the program itself"))
        .args(words)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("synx is built: cargo build -p synx")
}

/// A running `synx host --json` or `synx join --json`. Killed when dropped.
pub struct Instance {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// All that was said so far, for the message of a test that fails and for looking back.
    pub said: Vec<Value>,
}

impl Instance {
    /// Hosts a room on a free port of loopback. Further arguments may be given.
    pub fn host(data_dir: &Path, more: &[&str]) -> Self {
        let mut args =
            vec!["host", "--json", "--listen", "127.0.0.1:0", "--as", "Ana", "--name", "Test room"];
        args.extend(more);
        Self::start("host", data_dir, &args)
    }

    /// Joins by link under a name.
    pub fn join(link: &str, name: &str, data_dir: &Path, more: &[&str]) -> Self {
        let mut args = vec!["join", link, "--json", "--as", name];
        args.extend(more);
        Self::start(name, data_dir, &args)
    }

    /// Starts the binary with a null output device.
    pub fn start(name: &str, data_dir: &Path, args: &[&str]) -> Self {
        Self::start_under(&[], name, data_dir, args)
    }

    /// The same under another program, as in `ip netns exec`.
    pub fn start_under(wrapper: &[String], name: &str, data_dir: &Path, args: &[&str]) -> Self {
        let mut words = wrapper.iter().map(PathBuf::from).chain([binary("synx")]);
        let mut child = Command::new(words.next().expect("there is the program itself"))
            .args(words)
            .args(args)
            .arg("--data-dir")
            .arg(data_dir)
            // Not a flag: a node of a cluster, which plays nothing, refuses that.
            .env("SYNX_DEVICE", "null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("synx is built: cargo build -p synx");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let value =
                    serde_json::from_str(&line).unwrap_or_else(|_| json!({"type": "not_json", "line": line}));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self { name: name.to_owned(), input: child.stdin.take(), child, lines, said: Vec::new() }
    }

    /// Writes one command line.
    pub fn say(&mut self, command: Value) {
        let input = self.input.as_mut().expect("standard input is open");
        writeln!(input, "{command}").expect("the instance reads its input");
    }

    /// Writes a command and waits for its answer.
    pub fn ask(&mut self, id: &str, mut command: Value) -> Value {
        command["id"] = json!(id);
        self.say(command);
        self.wait_for("the answer", |line| {
            line["id"] == id && (line["type"] == "ok" || line["type"] == "error")
        })
    }

    /// Writes a command and wants it done.
    pub fn must(&mut self, id: &str, command: Value) -> Value {
        let answer = self.ask(id, command);
        assert_eq!(answer["type"], "ok", "{}: {answer}", self.name);
        answer
    }

    /// The next line of a type.
    pub fn next(&mut self, kind: &str) -> Value {
        self.wait_for(kind, |line| line["type"] == kind)
    }

    /// The next line that fits.
    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if fits(&line) {
                        return line;
                    }
                }
                Err(reason) => self.give_up(what, reason),
            }
        }
    }

    fn give_up(&mut self, what: &str, reason: RecvTimeoutError) -> ! {
        let said: Vec<String> = self.said.iter().map(Value::to_string).collect();
        let state = self.child.try_wait();
        panic!("{}: no {what} ({reason}; process: {state:?}); it said:\n{}", self.name, said.join("\n"))
    }

    /// Everything that was said and not yet looked at, without waiting.
    pub fn drain(&mut self) -> &[Value] {
        self.said.extend(self.lines.try_iter());
        &self.said
    }

    /// Ends the process as a power cut would end it: with no chance to tidy up.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }

    /// Stops the process as a machine that is suspended stops, or lets it go on.
    #[cfg(unix)]
    pub fn freeze(&mut self, frozen: bool) {
        self.signal(if frozen { "-STOP" } else { "-CONT" });
    }

    /// Asks the process to end, as the system does.
    #[cfg(unix)]
    pub fn terminate(&mut self) {
        self.signal("-TERM");
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill can be called").success(), "{}: {signal}", self.name);
    }

    /// Waits for the process to end by itself; its exit code.
    pub fn exit_code(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("the process can be waited for") {
                return status.code().unwrap_or(-1);
            }
            std::thread::yield_now();
        }
        panic!("{} did not end", self.name);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
