//! Settings by flags, variables and a file; what is said about those that are wrong; and where the program's words go.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use synx_cluster::testing::NatsServer;
use synx_system_tests::{Instance, PATIENCE, binary};
use tempfile::TempDir;

/// A file of settings.
struct Settings {
    folder: TempDir,
}

impl Settings {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("synx.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("synx.toml")
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(binary("synx"));
        command.args(args).arg("--data-dir").arg(self.folder.path().join("data"));
        command.env("SYNX_CONFIG", self.path()).envs(variables.iter().copied()).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// What is said of settings that are wrong.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        said(&output)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

#[test]
fn a_flag_counts_more_than_a_variable_and_that_more_than_the_file() {
    // Numbers of replicas that cannot be: which one it was is said.
    let settings = Settings::of("[migrate.to]\ncluster = \"nats://127.0.0.1:1\"\nreplicas = 2\n");
    let variable = [("SYNX_CLUSTER_REPLICAS", "4")];
    for (args, variables, counts) in [
        (&["migrate", "to"][..], &[][..], "\"2\""),
        (&["migrate", "to"], &variable, "\"4\""),
        (&["migrate", "to", "--replicas", "6"], &variable, "\"6\""),
    ] {
        let output = settings.run(args, variables);
        assert!(said(&output).contains(counts), "{counts}: {}", said(&output));
    }
}

#[test]
fn settings_that_are_wrong_are_named_with_what_is_allowed() {
    let said = Settings::of("[node]\nlisten = \"nowhere\"\n").refused(&["node"]);
    assert!(said.contains("synx.toml") && said.contains("`node.listen` cannot be \"nowhere\""), "{said}");
    assert!(said.contains("invalid socket address"), "{said}");
    let said = Settings::of("[host]\nlisen = \"x\"\n").refused(&["host"]);
    assert!(
        said.contains("`host.lisen`") && said.contains("listen") && said.contains("max_participants"),
        "{said}"
    );
    let said = Settings::of("log_format = \"xml\"\n").refused(&["doctor"]);
    assert!(said.contains("`log_format`") && said.contains("text, json"), "{said}");
    let said = Settings::of("[host]\nlisten = [\"a\"]\n").refused(&["host"]);
    assert!(said.contains("`host.listen`") && said.contains("not a list"), "{said}");
    let said = Settings::of("[host]\nno_tls = 3\n").refused(&["host"]);
    assert!(said.contains("`host.no_tls` cannot be 3"), "{said}");
    let said = Settings::of("\n[node\ncluster = \"nats://a:s3cret@b\"\n").refused(&["node"]);
    assert!(said.contains("line 2") && !said.contains("s3cret"), "{said}");
    let said = Settings::of("[node]\ncluster = { a = \"s3cret\" }\n").refused(&["node"]);
    assert!(said.contains("`node.cluster` cannot be ***"), "{said}");
    let missing =
        Command::new(binary("synx")).args(["doctor", "--config", "/nowhere.toml"]).output().unwrap();
    assert!(missing.status.code() == Some(2) && self::said(&missing).contains("/nowhere.toml"));
}

#[test]
fn what_the_system_refuses_is_said_in_words_without_its_number() {
    let settings = Settings::of("");
    let file = settings.path();
    let nowhere = file.join("below a file");
    let nowhere = nowhere.to_str().unwrap();
    for args in [&["analyze", nowhere][..], &["doctor", "--config", nowhere], &["rooms", "--config", nowhere]]
    {
        let refused = said(&settings.run(args, &[]));
        assert!(refused.contains("below a file") && !refused.contains("os error"), "{args:?}: {refused}");
    }
    let in_a_file = Command::new(binary("synx")).args(["doctor", "--data-dir", nowhere]).output().unwrap();
    let refused = said(&in_a_file);
    assert!(refused.starts_with("synx: ") && !refused.contains("os error"), "{refused}");
}

#[test]
fn a_node_whose_cluster_is_not_named_does_not_start() {
    for (file, args) in [("[node]\nreplicas = 3\n", &["node"][..]), ("", &["node", "--no-tls"])] {
        let output = Settings::of(file).run(args, &[]);
        assert!(!output.status.success() && said(&output).contains("SYNX_CLUSTER"), "{}", said(&output));
    }
}

#[test]
fn a_variable_that_is_wrong_is_named() {
    let settings = Settings::of("");
    let output = settings.run(&["host"], &[("SYNX_LISTEN", "nowhere")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("nowhere") && said(&output).contains("--listen"), "{}", said(&output));
}

#[test]
fn lines_of_the_log_are_json_where_that_is_wanted() {
    let server = NatsServer::start();
    let text =
        format!("log = \"info\"\nlog_format = \"json\"\n[migrate.from]\ncluster = {:?}\n", server.url());
    let output =
        Settings::of(&text).run(&["migrate", "from", "--room", "0192f3b0-0000-7000-8000-000000000000"], &[]);
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    let parsed: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let connected = |line: &Value| {
        line["level"] == "INFO" && line["message"].as_str().is_some_and(|m| m.contains("connected"))
    };
    assert!(parsed.iter().any(connected), "{lines}");
    // The last line is the error itself.
    assert_eq!(parsed.len() + 1, lines.lines().count(), "{lines}");
}

/// A collector on a free port: the bodies of what it was sent.
fn collector() -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (bodies, sent) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let bodies = bodies.clone();
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut some = [0; 4096];
                // Each request of a connection that is kept.
                while let Ok(count @ 1..) = stream.read(&mut some) {
                    bytes.extend_from_slice(&some[..count]);
                    let Some((head, length)) = head_and_length(&bytes) else { continue };
                    if bytes.len() < head + length {
                        continue;
                    }
                    let request: Vec<u8> = bytes.drain(..head + length).collect();
                    drop(bodies.send(request));
                    drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
                }
            });
        }
    });
    (url, sent)
}

fn head_and_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    Some((end, length))
}

#[test]
fn traces_go_to_the_collector_and_tell_nothing_of_what_was_said() {
    let (url, sent) = collector();
    let folder = tempfile::tempdir().unwrap();
    let mut host = Instance::host(&folder.path().join("host"), &["--otlp-endpoint", &url]);
    let link = host.next("room_opened")["link"].as_str().unwrap().to_owned();
    let mut ben = Instance::join(&link, "Ben", &folder.path().join("ben"), &[]);
    ben.next("room_joined");
    ben.must("say", json!({"type": "chat_message", "text": "between us"}));
    host.must("end", json!({"type": "leave"}));
    assert_eq!(host.exit_code(), 0);
    let wanted =
        ["join", "command", "chat_message", "room_batch", "log_commit", "service.name", "POST /v1/traces"];
    let mut all = String::new();
    while !wanted.iter().all(|word| all.contains(word)) {
        let body = sent.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("not all of {wanted:?} in {all:?}"));
        all += &String::from_utf8_lossy(&body);
    }
    assert!(!all.contains("between us") && !all.contains("Ben"), "{all}");
}
