//! The rig as a program: started with a case, it answers with a JSON line and a file of offsets.

use crate::Failure;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What one run gave. Offsets are absolute, in microseconds.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub median_us: f64,
    pub p95_us: f64,
    pub max_us: f64,
    pub gaps: u64,
    pub xruns: u64,
    /// What else the rig said, by name: seconds, percent, mebibytes.
    pub more: Vec<(String, f64)>,
    /// Second and signed offset of each window.
    pub offsets: Vec<(f64, f64)>,
}

impl Outcome {
    /// How long it was measured.
    pub fn minutes(&self) -> f64 {
        let ends = self.offsets.first().zip(self.offsets.last());
        ends.map_or(0.0, |(first, last)| (last.0 - first.0) / 60.0)
    }

    pub fn said(&self, name: &str) -> Option<f64> {
        self.more.iter().find(|(said, _)| said == name).map(|(_, value)| *value)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median_us, p95_us, max_us, gaps, xruns, .. } = self;
        write!(f, "  {median_us:.1} / {p95_us:.1} / {max_us:.1} us, {gaps} gaps, {xruns} xruns")?;
        self.more.iter().try_for_each(|(name, value)| write!(f, ", {name} {value}"))
    }
}

pub struct Rig {
    root: PathBuf,
}

impl Rig {
    pub fn open(root: &Path) -> Result<Self, Failure> {
        let root = root.canonicalize()?;
        if !root.join("rig/bench.py").is_file() {
            return Err(format!("{} holds no rig: run its setup.sh first", root.display()).into());
        }
        Ok(Self { root })
    }

    pub fn has_snapcast(&self) -> bool {
        Command::new("snapserver").arg("--version").output().is_ok_and(|output| output.status.success())
    }

    /// The `synx` of this build.
    pub fn synx() -> Result<PathBuf, Failure> {
        let example = std::env::current_exe()?;
        let built = example.parent().and_then(Path::parent).map(|folder| folder.join("synx"));
        built
            .filter(|path| path.is_file())
            .ok_or_else(|| "synx is not built: cargo build --release -p synx".into())
    }

    pub fn track(&self) -> PathBuf {
        self.root.join("track.wav")
    }

    /// An empty folder for a run.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.root.join("out").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A command in the rig's folder and environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", ". ./env.sh && exec \"$0\" \"$@\""]).arg(program);
        command.current_dir(self.root.join("rig")).env("RIG", &self.root);
        command
    }

    pub fn python(&self, script: &str) -> Command {
        let mut command = self.command(&self.root.join("venv/bin/python"));
        command.arg(script);
        command
    }

    /// Runs two players through a case. What came of it stays with the rig under the run's name.
    pub fn run(
        &self,
        player: &str,
        name: &str,
        seconds: u32,
        arguments: &[&str],
    ) -> Result<Outcome, Failure> {
        let _sound_server = if arguments.contains(&"--vcard") { None } else { Some(self.sound_server()?) };
        let run = format!("{player}_{name}");
        let mut command = self.python("bench.py");
        command.args([player, &run, &seconds.to_string()]).args(arguments).env("SYNX", Self::synx()?);
        json_line(&mut command)?;
        self.outcome(&run)?.ok_or_else(|| format!("the rig kept nothing of {run}").into())
    }

    /// What the last run of that name gave, if there was one.
    pub fn outcome(&self, run: &str) -> Result<Option<Outcome>, Failure> {
        let place = |extension: &str| self.root.join("out").join(format!("{run}.{extension}"));
        if !place("json").is_file() {
            return Ok(None);
        }
        let said = serde_json::from_str(&std::fs::read_to_string(place("json"))?)?;
        let csv = place("csv");
        Ok(Some(read(&said, if csv.is_file() { offsets(&csv)? } else { Vec::new() })))
    }

    /// Keeps the outcome of a run that the rig has no word for.
    pub fn keep(&self, run: &str, said: &Value, csv: Option<&Path>) -> Result<(), Failure> {
        if let Some(csv) = csv {
            std::fs::copy(csv, self.root.join("out").join(format!("{run}.csv")))?;
        }
        Ok(std::fs::write(self.root.join("out").join(format!("{run}.json")), said.to_string())?)
    }

    fn sound_server(&self) -> Result<SoundServer, Failure> {
        let mut command = self.command(Path::new("pulseaudio"));
        let script = format!("{}/rig/rig.pa", self.root.display());
        command.args(["-n", "-F", &script, "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]);
        command.args(["--high-priority=no", "--realtime=no", "--log-level=error"]);
        let server = SoundServer(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !self.command(Path::new("pactl")).arg("info").output()?.status.success() {
            if std::time::Instant::now() > end {
                return Err("PulseAudio does not start".into());
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        Ok(server)
    }

    /// Offset between two virtual cards by their logs: the rig's words, and a file of offsets.
    pub fn render(&self, a: &Path, b: &Path, csv: &Path) -> Result<Value, Failure> {
        let mut command = self.python("vcard_render.py");
        command.args([a, b]).args(["--skip", "10", "--gaps", "--csv"]).arg(csv);
        json_line(&mut command)
    }
}

/// Ends with the run.
struct SoundServer(Child);

impl Drop for SoundServer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The last line of a program's output, which is JSON.
fn json_line(command: &mut Command) -> Result<Value, Failure> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().ok_or("the rig said nothing")?;
    Ok(serde_json::from_str(last).map_err(|error| format!("the rig said `{last}`: {error}"))?)
}

fn read(said: &Value, offsets: Vec<(f64, f64)>) -> Outcome {
    let number = |value: &Value| value.as_f64();
    let sum = |names: [&str; 2]| names.iter().filter_map(|name| said[*name].as_u64()).sum();
    let mut more = Vec::new();
    for name in ["A", "B"] {
        more.extend(number(&said["start_latency_s"][name]).map(|s| (format!("{name} audible after s"), s)));
        more.extend(number(&said["usage"][name]["cpu_pct"]).map(|p| (format!("{name} CPU %"), p)));
        more.extend(number(&said["usage"][name]["rss_mib"]).map(|m| (format!("{name} MiB"), m)));
    }
    for event in ["cont_B", "restart_B"] {
        for what in ["audible_after", "resync_1ms_after"] {
            let key = format!("{what}_{event}_s");
            more.extend(number(&said[&key]).map(|s| (key, s)));
        }
    }
    for name in ["seek_median_s", "seek_max_s"] {
        more.extend(number(&said[name]).map(|s| (name.to_owned(), s)));
    }
    more.extend(number(&said["grown_mib"]).map(|mib| ("grown MiB".to_owned(), mib)));
    let xruns: u64 = said["xruns"].as_array().into_iter().flatten().filter_map(Value::as_u64).sum();
    Outcome {
        median_us: number(&said["abs_median_us"]).unwrap_or(f64::NAN),
        p95_us: number(&said["abs_p95_us"]).unwrap_or(f64::NAN),
        max_us: number(&said["abs_max_us"]).unwrap_or(f64::NAN),
        gaps: sum(["gaps_a", "gaps_b"]),
        xruns: xruns + sum(["xruns_a", "xruns_b"]),
        more,
        offsets,
    }
}

/// Windows with a clear correlation, from the rig's file of offsets.
fn offsets(csv: &Path) -> Result<Vec<(f64, f64)>, Failure> {
    let text = std::fs::read_to_string(csv)?;
    let rows = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split(',').map(|cell| cell.parse::<f64>().ok());
        let (second, offset, peak) = (cells.next()??, cells.next()??, cells.next()??);
        (peak > 0.5).then_some((second, offset))
    });
    Ok(rows.collect())
}
