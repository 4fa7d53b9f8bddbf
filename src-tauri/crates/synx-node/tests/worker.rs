//! What becomes of a worker that hangs, swallows memory, dies or lies: this program is its own worker.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_domain::ContentHash;
use synx_node::worker::{Bounds, Launch, WorkError, Workers, limit_oneself, serve_if_asked};

/// A worker in which a decoder is played that does what this says.
const PLAYED: &str = "--played-worker";

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|arg| arg == PLAYED) {
        return play(&args[2]);
    }
    serve_if_asked();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        a_file_is_analysed_as_in_this_process().await;
        one_worker_takes_file_after_file().await;
        who_swallows_memory_dies_alone().await;
        who_hangs_is_killed_when_its_time_is_over().await;
        who_dies_or_lies_is_no_answer().await;
        what_is_cancelled_ends_at_once().await;
        who_works_stands_back_for_what_is_heard().await;
    });
    println!("test result: ok. 7 passed");
}

/// A job has come: does the worst.
fn play(part: &str) {
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match part {
        "hang" => loop {
            std::hint::spin_loop();
        },
        "swallow" => {
            limit_oneself().unwrap();
            // None of it is touched: without the limit this would go on, and then hang.
            let held: Vec<Vec<u8>> = (0..64).map(|_| Vec::with_capacity(256 << 20)).collect();
            std::hint::black_box(held);
            play("hang");
        }
        #[cfg(unix)]
        "stand_back" => {
            limit_oneself().unwrap();
            // A thread that comes later stands back as well.
            let nice =
                std::thread::spawn(|| rustix::process::getpriority_process(None)).join().unwrap().unwrap();
            println!(r#"{{"type":"failed","code":"nice","message":"{nice}"}}"#);
        }
        "lie" => println!(r#"{{"type":"analyzed","analysis":{{}}}}"#),
        "babble" => loop {
            print!("{}", "x".repeat(1 << 20));
        },
        _ => std::process::abort(),
    }
}

fn here() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn played(part: &str, base: Duration) -> Workers {
    let launch = Launch { program: here(), args: vec![PLAYED.into(), part.into()] };
    Workers::new(Some(launch), Bounds { base, per_mib: Duration::ZERO })
}

fn song() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo/tide-line.mp3")
}

async fn a_file_is_analysed_as_in_this_process() {
    let found = Workers::default().analyze(&song(), Box::new(|_| {})).await.unwrap();
    let here = synx_analysis::analyze(&song(), &synx_analysis::Options::default()).unwrap();
    assert_eq!(found, here);
}

async fn one_worker_takes_file_after_file() {
    let workers = Workers::default();
    let hash = ContentHash::from_bytes([7; 32]);
    for _ in 0..3 {
        let (track, _) = workers.describe(&song(), hash, "tide.mp3".to_owned()).await.unwrap();
        assert_eq!((track.hash, track.file_name.as_str()), (hash, "tide.mp3"));
        let error = workers.describe(&here(), hash, "tide.mp3".to_owned()).await.unwrap_err();
        assert!(error.is_the_files(), "{error:?}");
    }
    assert_eq!(workers.started(), 1);
}

async fn who_swallows_memory_dies_alone() {
    if cfg!(unix) {
        let error = played("swallow", Duration::from_secs(60)).analyze(&song(), Box::new(|_| {})).await;
        assert_eq!(error.unwrap_err(), WorkError::Crashed);
    }
}

async fn who_hangs_is_killed_when_its_time_is_over() {
    let limit = Duration::from_millis(300);
    let workers = played("hang", limit);
    let began = Instant::now();
    let error = workers.analyze(&song(), Box::new(|_| {})).await.unwrap_err();
    assert_eq!(error, WorkError::TooLong { limit });
    assert!(began.elapsed() < Duration::from_secs(20));
    #[cfg(target_os = "linux")]
    {
        let gone = || children(PLAYED) == 0;
        while !gone() {
            assert!(began.elapsed() < Duration::from_secs(20), "it runs on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn who_dies_or_lies_is_no_answer() {
    for part in ["die", "lie", "babble"] {
        let error =
            played(part, Duration::from_secs(60)).analyze(&song(), Box::new(|_| {})).await.unwrap_err();
        assert_eq!(error, WorkError::Crashed, "{part}");
    }
}

async fn what_is_cancelled_ends_at_once() {
    let workers = played("hang", Duration::from_secs(600));
    let song = song();
    let (outcome, ()) = tokio::join!(workers.analyze(&song, Box::new(|_| {})), async { workers.cancel() });
    assert_eq!(outcome.unwrap_err(), WorkError::Cancelled);
}

async fn who_works_stands_back_for_what_is_heard() {
    if cfg!(unix) {
        let error = played("stand_back", Duration::from_secs(60))
            .analyze(&song(), Box::new(|_| {}))
            .await
            .unwrap_err();
        let WorkError::Failed { message, .. } = error else { panic!("{error:?}") };
        let own = rustix::process::getpriority_process(None).unwrap();
        assert_eq!(message, (own + 10).min(19).to_string());
    }
}

/// Children of this process with this argument.
#[cfg(target_os = "linux")]
fn children(argument: &str) -> usize {
    let own = format!("PPid:\t{}\n", std::process::id());
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let is_one = |folder: &std::fs::DirEntry| {
        let read = |name| std::fs::read(folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&read("status")).contains(&own)
            && String::from_utf8_lossy(&read("cmdline")).contains(argument)
    };
    folders.filter(is_one).count()
}
