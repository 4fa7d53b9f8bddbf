//! More than two players, and for longer than a track: cases that the rig has no word for, on its cards and its measure.

use crate::Failure;
use crate::rig::{Outcome, Rig};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Peers of one room, by the crystals of their cards.
pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    cards_ppm: &'static [i32],
    pub seconds: u32,
}

pub const CASES: &[Case] = &[
    Case {
        name: "eight",
        about: "eight peers, cards from −80 to +90 ppm, the worst pair",
        cards_ppm: &[-80, -50, -20, 0, 10, 30, 60, 90],
        seconds: 60,
    },
    Case {
        name: "hour",
        about: "two peers for long, cards at −50 and +50 ppm",
        cards_ppm: &[-50, 50],
        seconds: 3600,
    },
];

/// Longest wait for what a player must say.
const PATIENCE: Duration = Duration::from_secs(60);
/// The track is repeated before it ends; whole seconds, so that it stays the same music.
const LOOP_S: f64 = 240.0;
/// A player; ended when dropped.
struct Player(Child);

impl Drop for Player {
    fn drop(&mut self) {
        // Asked, not killed: the card's log is complete then.
        drop(Command::new("kill").arg(self.0.id().to_string()).status());
        drop(self.0.wait());
    }
}

impl Player {
    fn start(
        mut command: Command,
        args: &[&str],
    ) -> Result<(Self, std::sync::mpsc::Receiver<Value>), Failure> {
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Read to the end even when nobody asks any more: a full pipe would stop the player.
                if let Ok(value) = serde_json::from_str::<Value>(&line)
                    && value["type"] != "sync"
                {
                    drop(tell.send(value));
                }
            }
        });
        Ok((Self(child), told))
    }

    fn say(&mut self, order: &Value) -> Result<(), Failure> {
        let input = self.0.stdin.as_mut().ok_or("no input")?;
        writeln!(input, "{order}")?;
        Ok(input.flush()?)
    }

    fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }
}

fn wait_for(told: &std::sync::mpsc::Receiver<Value>, kind: &str) -> Result<Value, Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let value = told.recv_timeout(left).map_err(|_| format!("no `{kind}` came"))?;
        if value["type"] == "error" {
            return Err(value.to_string().into());
        }
        if value["type"] == kind {
            return Ok(value);
        }
    }
}

/// A room on the rig: a host without a card, and peers with one each.
pub struct Room {
    /// Gone before the host, so that they are heard to the end.
    peers: Vec<Player>,
    host: Player,
    told: std::sync::mpsc::Receiver<Value>,
    /// What each peer's card writes down, by the beginning of the file names.
    pub cards: Vec<PathBuf>,
}

impl Room {
    /// Opens it in `folder`, with `track` in its queue.
    pub fn open(rig: &Rig, folder: &Path, track: &Path, cards_ppm: &[i32]) -> Result<Self, Failure> {
        let synx = Rig::synx()?;
        let data = |of: &str| folder.join(of).display().to_string();
        let host_args =
            ["host", "--json", "--name", "rig", "--listen", "127.0.0.1:0", "--device", "null", "--data-dir"];
        let (mut host, told) =
            Player::start(rig.command(&synx), &[&host_args[..], &[&data("host")]].concat())?;
        let opened = wait_for(&told, "room_opened")?;
        let link = opened["link"].as_str().ok_or("the room has no link")?;
        host.say(&json!({ "type": "share_file", "path": track }))?;
        wait_for(&told, "file_shared")?;
        let cards: Vec<PathBuf> = (0..cards_ppm.len()).map(|i| folder.join(format!("card{i}"))).collect();
        let mut peers = Vec::new();
        for (i, (card, ppm)) in cards.iter().zip(cards_ppm).enumerate() {
            let mut command = rig.command(&synx);
            command.env("VCARD_FILE", card).env("VCARD_PPM", ppm.to_string());
            let name = format!("P{i}");
            let args =
                ["join", link, "--as", &name, "--json", "--device", "vcard_a", "--data-dir", &data(&name)];
            let (peer, told) = Player::start(command, &args)?;
            wait_for(&told, "room_joined")?;
            peers.push(peer);
        }
        Ok(Self { peers, host, told, cards })
    }

    /// Gives the host an order and waits until it is carried out.
    pub fn order(&mut self, order: &Value) -> Result<(), Failure> {
        self.host.say(order)?;
        wait_for(&self.told, "ok").map(drop)
    }
}

/// Runs the case for so long. What is kept is the pair that is worst.
pub fn run(rig: &Rig, case: &Case, seconds: u32) -> Result<Outcome, Failure> {
    eprintln!("synx: {} ({seconds} s)", case.about);
    let run = format!("synx_{}", case.name);
    let folder = rig.folder(&run)?;
    let mut room = Room::open(rig, &folder, &rig.track(), case.cards_ppm)?;
    room.order(&json!({ "type": "playback_play" }))?;
    room.order(&json!({ "type": "playback_loop", "region": { "begin_s": 0.0, "end_s": LOOP_S } }))?;

    let began = Instant::now();
    let length = Duration::from_secs(seconds.into());
    std::thread::sleep(length.min(Duration::from_secs(60)));
    let early: Vec<f64> = room.peers.iter().map(Player::resident_mib).collect();
    std::thread::sleep(length.saturating_sub(began.elapsed()));
    let grown = room.peers.iter().zip(&early).map(|(peer, early)| peer.resident_mib() - early);
    let grown_mib = grown.fold(f64::NEG_INFINITY, f64::max);
    let cards = std::mem::take(&mut room.cards);
    drop(room);

    let (mut worst, mut gaps, mut xruns) = (None::<(f64, Value, PathBuf)>, 0, 0);
    for (i, card) in cards.iter().enumerate().skip(1) {
        let csv = folder.join(format!("0-{i}.csv"));
        let said = rig.render(&cards[0], card, &csv)?;
        let count = |names: &[&str]| names.iter().filter_map(|name| said[*name].as_u64()).sum::<u64>();
        // The first card is in every pair, and counts once.
        let first = if i == 1 { count(&["gaps_a"]) } else { 0 };
        gaps += first + count(&["gaps_b"]);
        xruns += if i == 1 { count(&["xruns_a"]) } else { 0 } + count(&["xruns_b"]);
        let p95_us = said["abs_p95_us"].as_f64().unwrap_or(f64::INFINITY);
        if worst.as_ref().is_none_or(|(most_us, ..)| p95_us > *most_us) {
            worst = Some((p95_us, said, csv));
        }
    }
    let (_, mut said, csv) = worst.ok_or("nobody played")?;
    for (name, count) in [("gaps_a", gaps), ("gaps_b", 0), ("xruns_a", xruns), ("xruns_b", 0)] {
        said[name] = count.into();
    }
    said["grown_mib"] = grown_mib.into();
    rig.keep(&run, &said, Some(&csv))?;
    remove_recordings(&folder)?;
    rig.outcome(&run)?.ok_or_else(|| "nothing was kept".into())
}

/// Recordings are large, and read only once.
pub fn remove_recordings(folder: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "raw") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
