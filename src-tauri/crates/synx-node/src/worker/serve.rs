//! A worker's own side: takes limits upon itself, then does jobs until nobody asks any more.

use super::job::{Job, Line, done};
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// The argument that makes a worker of a program.
const NAME: &str = "--synx-file-worker";
/// Memory of its own that a worker may have: ten times what the analysis of hours of music takes.
const MEMORY_BYTES: u64 = 2 << 30;
/// How far a worker stands back for everything else on the machine, of 19.
const NICE: i32 = 10;
/// News that come faster than this are not told.
const TELL_EVERY: Duration = Duration::from_millis(100);

static CAN_SERVE: AtomicBool = AtomicBool::new(false);

/// To be called first of all by a program that runs a node: if it was started to be a worker it is one until it ends, else
/// it can start others. A program that does not call this works on files in its own process.
pub fn serve_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|name| name == NAME) {
        serve();
        std::process::exit(0);
    }
    CAN_SERVE.store(true, Ordering::Relaxed);
}

/// The argument by which this program becomes a worker, if it can.
pub(crate) fn can_serve() -> Option<&'static str> {
    CAN_SERVE.load(Ordering::Relaxed).then_some(NAME)
}

fn serve() {
    if let Err(error) = limit_oneself() {
        return say(&Line::Failed { code: "worker_limits".to_owned(), message: error.to_string() });
    }
    let (jobs, asked) = mpsc::sync_channel(1);
    // Reading is a thread of its own: when whoever asks is gone, however they ended, a job that hangs ends as well.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if jobs.send(line).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    for line in asked {
        match serde_json::from_str::<Job>(&line) {
            Ok(job) => {
                let told = Mutex::new(Instant::now());
                say(&done(&job, Box::new(move |done| tell(&told, done))));
            }
            Err(error) => say(&Line::Failed { code: "worker_job".to_owned(), message: error.to_string() }),
        }
    }
}

fn tell(told: &Mutex<Instant>, done: f64) {
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    if told.elapsed() >= TELL_EVERY {
        *told = Instant::now();
        say(&Line::Progress { done });
    }
}

/// Who does not listen any more need not be told.
fn say(line: &Line) {
    let mut out = std::io::stdout().lock();
    let text = serde_json::to_string(line).unwrap_or_default();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Takes upon this process what a worker may have: no more memory than it needs, no file of any length written, and of the
/// processors what others leave. To be called before there are threads: each has a niceness of its own.
///
/// # Errors
/// When the system refuses.
#[cfg(unix)]
pub fn limit_oneself() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let at_most = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    // Linux counts private memory here; elsewhere the whole address space, libraries included, is what can be limited.
    let memory = if cfg!(target_os = "linux") { Resource::Data } else { Resource::As };
    let bytes = if cfg!(target_os = "linux") { MEMORY_BYTES } else { 4 * MEMORY_BYTES };
    setrlimit(memory, at_most(bytes))?;
    setrlimit(Resource::Fsize, at_most(0))?;
    setrlimit(Resource::Core, at_most(0))?;
    rustix::process::nice(NICE)?;
    Ok(())
}

/// The watchdog of time holds everywhere; of memory there is none here.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub fn limit_oneself() -> std::io::Result<()> {
    let _ = MEMORY_BYTES;
    Ok(())
}
