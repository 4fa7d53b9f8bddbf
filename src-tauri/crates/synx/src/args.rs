//! The command line: what can be asked for, with examples.

mod cluster;
mod log;
mod node;

pub use cluster::{Cluster, Migrate, MigrateDirection};
pub use log::{Log, LogAction};
pub use node::NodeArgs;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// Listen to and work on music together, hosted by you.
#[derive(Debug, Parser)]
#[command(name = "synx", version, about, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 failed · 2 wrong usage · 3 some of several files failed · \
                          4 refused by the room · 5 could not connect · 6 the log is damaged";

/// `synx calibrate`.
#[derive(Debug, Args)]
pub struct Calibrate {
    /// Microphone by name
    #[arg(long, value_name = "NAME")]
    pub microphone: Option<String>,
    /// Keep the result for this device: from then on it plays that much earlier
    #[arg(long)]
    pub keep: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Folder for everything this instance keeps
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath, env = "SYNX_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Settings in a TOML file; what a flag or a variable says counts more
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, env = "SYNX_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub telemetry: Telemetry,
    /// Output device by name, or `null` for none
    #[arg(long, global = true, value_name = "NAME", env = "SYNX_DEVICE")]
    pub device: Option<String>,
}

/// Errors only; what a decoder thinks of a damaged file is said in the error about that file.
const QUIET: &str =
    "error,symphonia_core=off,symphonia_bundle_mp3=off,symphonia_format_isomp4=off,symphonia_format_ogg=off";

/// Where the program's own words go.
#[derive(Debug, Clone, Args)]
pub struct Telemetry {
    /// What is logged on standard error, as in `info` or `warn,synx_net=debug`; errors by default
    #[arg(long, global = true, value_name = "FILTER", env = "SYNX_LOG", value_parser = log_filter)]
    #[arg(default_value = QUIET, hide_default_value = true)]
    pub log: String,
    /// How lines of the log are written
    #[arg(long, global = true, value_enum, default_value = "text", env = "SYNX_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// OpenTelemetry collector that traces are sent to over HTTP, as in `http://localhost:4318`; none by default
    #[arg(long, global = true, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = collector)]
    pub otlp_endpoint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find tempo, beats, key, energy and loudness of audio files
    #[command(
        after_help = "Examples:\n  synx analyze song.flac\n  synx analyze --json --jobs 4 ~/Music > analysis.jsonl"
    )]
    Analyze(Analyze),
    /// Play audio files on this machine
    #[command(after_help = "Examples:\n  synx play song.flac\n  synx play --device null ~/Music/album")]
    Play(Play),
    /// Open a room on this machine and let others in
    #[command(
        after_help = "Examples:\n  synx host --name 'Friday'\n  synx host --listen 0.0.0.0:47900 --json"
    )]
    Host(Host),
    /// Join a room by its link
    #[command(
        after_help = "Examples:\n  synx join 'synxsphere://join?…' --as Ben\n  synx join LINK --address 192.168.1.5:47900 --json"
    )]
    Join(Join),
    /// Look into a room's log
    #[command(
        after_help = "Examples:\n  synx log show --limit 20\n  synx log verify\n  synx log replay --to 120\n  synx log export > room.jsonl\n  synx log backup /media/stick/rooms.db"
    )]
    Log(Log),
    /// Make, list and withdraw invites to a room hosted here
    #[command(
        after_help = "Examples:\n  synx invite\n  synx invite --role dj --expires 2h --uses 1\n  synx invite --list"
    )]
    Invite(Invite),
    /// List public rooms on the local network
    #[command(after_help = "Example:\n  synx rooms --wait 3")]
    Rooms(Rooms),
    /// Take a room from this machine to a cluster, or back, and prove that it is the same
    #[command(
        after_help = "Examples:\n  SYNX_CLUSTER=nats://synx:secret@nats1:4222 synx migrate to --room ID\n  synx migrate from --room ID --cluster nats://nats1:4222 --cluster-credentials node.creds"
    )]
    Migrate(Migrate),
    /// Run without a window: driven through a control socket of this machine, or as a node of a cluster
    #[command(
        after_help = "Examples:\n  synx node --control 127.0.0.1:47901\n  SYNX_CLUSTER=nats://synx:secret@nats-1:4222 synx node --replicas 3 --listen 0.0.0.0:47900"
    )]
    Node(NodeArgs),
    /// Check audio, network and storage of this machine
    #[command(after_help = "Example:\n  synx doctor")]
    Doctor {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Measure with a microphone how late the output device really is
    #[command(
        after_help = "Examples:\n  synx calibrate\n  synx calibrate --device hw:1 --microphone hw:2 --keep"
    )]
    Calibrate(Calibrate),
    /// Show a room with two peers on this machine, in sync, and stop
    #[command(after_help = "Example:\n  synx demo --seconds 20 assets/demo/track.flac")]
    Demo(Demo),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  synx completions bash > /etc/bash_completion.d/synx")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub struct Analyze {
    /// Files, and folders that are searched for audio
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Files at a time; all cores by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
}

#[derive(Debug, Args)]
pub struct Play {
    /// Files, and folders that are searched for audio
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Host {
    /// The room's name
    #[arg(long, value_name = "N", default_value = "Room")]
    pub name: String,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:47900")]
    pub listen: SocketAddr,
    /// Your name in the room
    #[arg(long = "as", value_name = "NAME")]
    pub name_as: Option<String>,
    /// Announce the room on the local network, open to everybody there
    #[arg(long)]
    pub public: bool,
    /// Open this room again instead of a new one
    #[arg(long, value_name = "ID")]
    pub room: Option<String>,
    /// Who controls playback
    #[arg(long, value_enum, default_value = "djs")]
    pub control: Control,
    /// Begin a track only when everybody has it
    #[arg(long)]
    pub wait_for_all: bool,
    /// Days after which what happened goes to the log's archive, where it takes less space; 0 for never
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    pub archive_after: u32,
    /// Members at once
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub max_participants: u32,
    /// Audio that each member may bring, as in 500M, 10G
    #[arg(long, value_name = "BYTES", default_value = "10G", value_parser = bytes)]
    pub member_storage: u64,
    /// Audio that the room takes in all
    #[arg(long, value_name = "BYTES", default_value = "50G", value_parser = bytes)]
    pub room_storage: u64,
    /// Plain WebSocket and HTTP, for use behind a reverse proxy that has TLS
    #[arg(long)]
    pub no_tls: bool,
    /// Where such a proxy is reached, for the link: `https://name`, with a port if it is not 443
    #[arg(long, value_name = "URL")]
    pub public_address: Option<String>,
    #[command(flatten)]
    pub operating: Operating,
    /// One JSON object a line for all that happens; commands as JSON lines on standard input
    #[arg(long)]
    pub json: bool,
}

/// For those who run the program.
#[derive(Debug, Args)]
pub struct Operating {
    /// Port for `/healthz`, `/readyz` and Prometheus' `/metrics`, of this machine alone unless an address is named. Off without this
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = loopback_or_named)]
    pub ops: Option<SocketAddr>,
    /// How long what was begun may take when the system ends the program (SIGTERM): peers are told to come back, and the room
    /// stays open for the next start
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration_s)]
    pub drain_timeout: u64,
}

#[derive(Debug, Args)]
pub struct Join {
    /// The invite link
    pub link: String,
    /// Your name in the room
    #[arg(long = "as", value_name = "NAME")]
    pub name_as: Option<String>,
    /// Address to use in place of the link's
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// One JSON object a line for all that happens; commands as JSON lines on standard input
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Invite {
    /// The room; not needed where there is one only
    #[arg(long, value_name = "ID")]
    pub room: Option<String>,
    /// What the invited may do
    #[arg(long, value_enum, default_value = "listener")]
    pub role: InviteRole,
    /// How long the link is good, as in 30m, 12h, 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration_s)]
    pub expires: u64,
    /// How many people may come in by it; any number without this
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub uses: Option<u32>,
    /// Ask the host about each who comes
    #[arg(long)]
    pub knock: bool,
    #[command(flatten)]
    pub cluster: Cluster,
    /// The cluster's nodes are behind a proxy that has TLS
    #[arg(long)]
    pub no_tls: bool,
    /// Address to put into the link, in place of this machine's own; a node of the cluster where one is named
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Vec<String>,
    /// List the room's invites, in place of making one
    #[arg(long, conflicts_with = "revoke")]
    pub list: bool,
    /// Withdraw an invite, by its id or its link. While the host is running, ask it: `revoke_invite`
    #[arg(long, value_name = "ID")]
    pub revoke: Option<String>,
    /// One JSON object a line (for --list)
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Rooms {
    /// Seconds to listen
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    pub wait: f64,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// The track
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub track: PathBuf,
    /// Seconds of music before it stops
    #[arg(long, value_name = "S", default_value_t = 15)]
    pub seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Control {
    Host,
    Djs,
    Everyone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InviteRole {
    Listener,
    Dj,
}

fn log_filter(text: &str) -> Result<String, String> {
    let parsed = EnvFilter::try_new(text);
    parsed
        .map(|_| text.to_owned())
        .map_err(|_| "expected levels, as in info or warn,synx_net=debug".to_owned())
}

fn collector(text: &str) -> Result<String, String> {
    let told = text.strip_prefix("http://").is_some_and(|authority| !authority.is_empty());
    told.then(|| text.to_owned()).ok_or_else(|| "expected an address like http://localhost:4318".to_owned())
}

/// A port of this machine alone, or an address with its port.
fn loopback_or_named(text: &str) -> Result<SocketAddr, String> {
    let alone = text.parse().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)));
    alone
        .or_else(|_| text.parse())
        .map_err(|_| "expected a port, or an address with one, as in 9600 or 0.0.0.0:9600".to_owned())
}

/// Seconds of a duration such as `90`, `30m`, `12h`, `7d`.
fn duration_s(text: &str) -> Result<u64, String> {
    let (digits, unit_s) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let count: u64 =
        digits.parse().map_err(|_| "expected a number with s, m, h or d, as in 12h".to_owned())?;
    count
        .checked_mul(unit_s)
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "must be more than nothing".to_owned())
}

/// Bytes as in `500`, `20K`, `500M`, `10G`, `2T`, by powers of 1024.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().next_back() {
        Some((at, 'K')) => (&text[..at], 10),
        Some((at, 'M')) => (&text[..at], 20),
        Some((at, 'G')) => (&text[..at], 30),
        Some((at, 'T')) => (&text[..at], 40),
        _ => (text, 0),
    };
    let count: u64 =
        digits.parse().map_err(|_| "expected a number with K, M, G or T, as in 10G".to_owned())?;
    count.checked_mul(1 << shift).ok_or_else(|| "is more than can be counted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_port_of_those_who_run_it_is_of_this_machine_alone_unless_named() {
        assert_eq!(loopback_or_named("9600"), Ok(([127, 0, 0, 1], 9600).into()));
        assert_eq!(loopback_or_named("0.0.0.0:9600"), Ok(([0, 0, 0, 0], 9600).into()));
        assert!(loopback_or_named("localhost").is_err());
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration_s("90"), Ok(90));
        assert_eq!(duration_s("12h"), Ok(43_200));
        assert!(duration_s("7 weeks").is_err());
        assert!(duration_s("0d").is_err());
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("500"), Ok(500));
        assert_eq!(bytes("10G"), Ok(10 << 30));
        assert!(bytes("ten").is_err() && bytes("99999999999T").is_err());
    }
}
