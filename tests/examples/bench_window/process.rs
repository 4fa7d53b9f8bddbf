//! The app as the system sees it: when its window is there, and the memory and time of all its processes.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use synx_system_tests::PATIENCE;
use synx_system_tests::window::Display;

const STARTS: usize = 10;
/// What has not been looked at for this long is idle.
pub const SETTLE: Duration = Duration::from_secs(10);
const WATCHED: Duration = Duration::from_secs(30);
/// A window that shows fewer colours shows nothing but its ground.
const DRAWN_COLOURS: usize = 24;
/// Clock ticks a second, on every Linux there is.
const TICKS_PER_S: f64 = 100.0;

/// An app that ends with this.
struct App(Child);

impl App {
    fn launch(display: &Display, data_dir: &Path) -> Self {
        let mut app = display.app();
        app.args(["--new-instance", "--device", "null", "--data-dir"]).arg(data_dir);
        Self(app.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("synxsphere is built"))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// From the start of the program to its window, and to what the page draws in it.
pub fn start(display: &Display, data_dir: &Path) {
    let (mut window_ms, mut drawn_ms) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        display.until_windows(0);
        let begun = Instant::now();
        let mut app = App::launch(display, data_dir);
        let mut ms_until = |is: &dyn Fn() -> bool| {
            while !is() {
                assert!(begun.elapsed() < PATIENCE, "the app does not come");
                assert!(app.0.try_wait().is_ok_and(|ended| ended.is_none()), "the app has ended");
                std::thread::sleep(Duration::from_millis(2));
            }
            begun.elapsed().as_secs_f64() * 1e3
        };
        window_ms.push(ms_until(&|| display.colours() > 0));
        drawn_ms.push(ms_until(&|| display.colours() >= DRAWN_COLOURS));
        drop(app);
    }
    tell("start_to", [("window", window_ms), ("drawn", drawn_ms)]);
}

/// Prints the median and the longest of several times to several things.
pub fn tell(from: &str, to: [(&str, Vec<f64>); 2]) {
    for (what, mut ms) in to {
        ms.sort_by(f64::total_cmp);
        let (count, median, longest) = (ms.len(), ms[ms.len() / 2], ms[ms.len() - 1]);
        println!("{{{from:?}:{what:?},\"count\":{count},\"median_ms\":{median:.0},\"max_ms\":{longest:.0}}}");
    }
}

/// An open window that nobody touches.
pub fn idle(display: &Display, data_dir: &Path) {
    display.until_windows(0);
    let app = App::launch(display, data_dir);
    display.until_windows(1);
    std::thread::sleep(SETTLE);
    watch("idle", app.0.id());
}

/// What a process and its descendants take for a while.
pub fn watch(what: &str, root: u32) {
    let woken = |pid| (pid, wakeups(pid));
    let (before, begun) = (ticks(root), Instant::now());
    let woken_before: Vec<(u32, u64)> = before.iter().map(|one| woken(one.0)).collect();
    std::thread::sleep(WATCHED);
    let seconds = begun.elapsed().as_secs_f64();
    for (pid, name, used) in ticks(root) {
        let earlier = before.iter().find(|one| one.0 == pid).map_or(0, |one| one.2);
        let percent = (used - earlier) as f64 / TICKS_PER_S / seconds * 100.0;
        let pss_mib = pss_kib(pid) as f64 / 1024.0;
        let earlier = woken_before.iter().find(|one| one.0 == pid).map_or(0, |one| one.1);
        let wakeups_per_s = wakeups(pid).saturating_sub(earlier) as f64 / seconds;
        println!(
            "{{{what:?}:{name:?},\"pss_mib\":{pss_mib:.0},\"cpu_percent\":{percent:.2},\"wakeups_per_s\":{wakeups_per_s:.0}}}"
        );
    }
}

/// How often the threads of a process went to sleep by themselves so far, to be woken again.
fn wakeups(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let of = |entry: std::fs::DirEntry| {
        let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        count.trim().parse::<u64>().ok()
    };
    threads.filter_map(|entry| of(entry.ok()?)).sum()
}

/// A process and its descendants: number, name, clock ticks used.
fn ticks(root: u32) -> Vec<(u32, String, u64)> {
    let all: Vec<(u32, u32, String, u64)> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // A name may hold anything, spaces and brackets too.
            let (head, tail) = stat.rsplit_once(')')?;
            let name = head.split_once('(')?.1.to_owned();
            let fields: Vec<&str> = tail.split_whitespace().collect();
            let used = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
            Some((pid, fields.get(1)?.parse().ok()?, name, used))
        })
        .collect();
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(all.iter().filter(|one| one.1 == parent).map(|one| one.0));
        at += 1;
    }
    all.into_iter()
        .filter(|one| family.contains(&one.0))
        .map(|(pid, _, name, used)| (pid, name, used))
        .collect()
}

fn pss_kib(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
