//! What no kill shows, because the system's memory survives it: a loss of power, a disk that is full, a sync that fails.
//!
//! A small C library stands between the process under test and its files (`power_loss.c`). It is preloaded rather than a
//! VFS of SQLite, because it needs no unsafe code here, and the program under test is the one that ships.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use synx_log::testing::{Chance, chats, room};
use synx_log::{Log, LogError, LogOptions, Old};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The library, built once for all tests of this file.
fn shim() -> &'static Path {
    static SHIM: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = SHIM.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("power_loss.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_loss.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status()
            .expect("a C compiler, which SQLite needs as well");
        assert!(built.success());
        (folder, library)
    });
    path
}

/// A disk: what programs see of it, and what of that is safe.
struct Disk {
    folder: tempfile::TempDir,
    life: u32,
}

impl Disk {
    fn new() -> Self {
        let disk = Self { folder: tempfile::tempdir().unwrap(), life: 0 };
        std::fs::create_dir(disk.seen()).unwrap();
        std::fs::create_dir(disk.safe()).unwrap();
        disk
    }

    fn seen(&self) -> PathBuf {
        self.folder.path().join(format!("seen{}", self.life))
    }

    fn safe(&self) -> PathBuf {
        self.folder.path().join(format!("safe{}", self.life))
    }

    fn log(&self) -> PathBuf {
        self.seen().join("log.db")
    }

    fn has_trouble(&self, what: &str) {
        // In one step: the library may look at any moment.
        std::fs::write(self.safe().join("next"), what).unwrap();
        std::fs::rename(self.safe().join("next"), self.safe().join("trouble")).unwrap();
    }

    fn is_well_again(&self) {
        std::fs::remove_file(self.safe().join("trouble")).unwrap();
    }

    /// The power is gone: there is what was synced, and of what was written since then any sectors at all.
    fn loses_power(&mut self, chance: &mut Chance) {
        let safe = self.safe();
        self.life += 1;
        std::fs::create_dir(self.seen()).unwrap();
        std::fs::create_dir(self.safe()).unwrap();
        for name in ["log.db", "log.db-wal"] {
            let mut bytes = std::fs::read(safe.join(name)).unwrap_or_default();
            let writes = std::fs::read(safe.join(format!("{name}.writes"))).unwrap_or_default();
            // Now and then none of it, or all.
            let share = chance.below(5) * 25;
            for_each_sector(&writes, |offset, sector| {
                if chance.below(100) < share {
                    bytes.resize(bytes.len().max(offset + sector.len()), 0);
                    bytes[offset..offset + sector.len()].copy_from_slice(sector);
                }
            });
            for folder in [self.seen(), self.safe()] {
                std::fs::write(folder.join(name), &bytes).unwrap();
            }
        }
    }

    /// What was done to the files with no fault in between is safe.
    fn settles(&self) {
        for name in ["log.db", "log.db-wal"] {
            let bytes = std::fs::read(self.seen().join(name)).unwrap_or_default();
            std::fs::write(self.safe().join(name), bytes).unwrap();
        }
    }
}

/// The recorded writes, cut as a disk cuts them; a record that was cut short by the end is left out.
fn for_each_sector(mut writes: &[u8], mut put: impl FnMut(usize, &[u8])) {
    while let Some((head, rest)) = writes.split_at_checked(16) {
        let number = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap()) as usize;
        let (mut offset, length) = (number(0), number(8));
        let Some((mut bytes, rest)) = rest.split_at_checked(length) else { return };
        while !bytes.is_empty() {
            let (sector, left) = bytes.split_at(bytes.len().min(SECTOR - offset % SECTOR));
            put(offset, sector);
            (offset, bytes) = (offset + sector.len(), left);
        }
        writes = rest;
    }
}

/// A process that appends to a log on that disk, three events whenever it is told to, and says what came of it.
struct Appender {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Appender {
    fn on(disk: &Disk) -> Self {
        Self::start(disk, "append")
    }

    /// One that only looks.
    fn reading(disk: &Disk) -> Self {
        Self::start(disk, "read")
    }

    fn start(disk: &Disk, what: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "appender_process", "--nocapture"])
            .env("LD_PRELOAD", shim())
            .env("SHIM_ROOT", disk.seen())
            .env("SHIM_SHADOW", disk.safe())
            .env("SYNX_LOG_TEST_APPEND_TO", disk.log())
            .env("SYNX_LOG_TEST_DO", what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, orders, answers }
    }

    /// What the next order has led to: `acknowledged N`, or the code of an error.
    fn append(&mut self) -> String {
        self.order();
        self.answer().expect("the process answers")
    }

    fn order(&mut self) {
        self.orders.write_all(b"go on\n").unwrap();
    }

    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.answers.read_line(&mut line).unwrap() > 0 {
            if let Some((_, answer)) = line.split_once("says: ") {
                return Some(answer.trim().to_owned());
            }
            line.clear();
        }
        None
    }

    /// Kills it in the midst of whatever it does; the last seq that it acknowledged, if any more.
    fn dies(mut self) -> Option<u64> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut last = None;
        while let Some(answer) = self.answer() {
            last = acknowledged(&answer).or(last);
        }
        last
    }
}

fn acknowledged(answer: &str) -> Option<u64> {
    answer.strip_prefix("acknowledged ")?.parse().ok()
}

/// Not a test of its own: the process on whose disk things go wrong.
#[tokio::test]
async fn appender_process() {
    let Ok(path) = std::env::var("SYNX_LOG_TEST_APPEND_TO") else { return };
    let reads = std::env::var("SYNX_LOG_TEST_DO").is_ok_and(|what| what == "read");
    let options = if reads { LogOptions::read_only() } else { LogOptions::default() };
    let log = Log::open(Path::new(&path), options);
    let mut orders = std::io::stdin().lines();
    while orders.next().is_some() {
        let done = if reads { read(&log).await } else { append(&log).await };
        match done {
            Ok(head) if reads => println!("\nsays: read {head}"),
            Ok(head) => println!("\nsays: acknowledged {head}"),
            Err(error) => println!("\nsays: {}", error.code()),
        }
    }
}

async fn read(log: &Result<Log, LogError>) -> Result<u64, LogError> {
    all_of(log.as_ref().map_err(Clone::clone)?).await
}

async fn append(log: &Result<Log, LogError>) -> Result<u64, LogError> {
    let log = log.as_ref().map_err(Clone::clone)?;
    let head = log.head(room(1))?;
    // However the writing goes, all that is there can be read.
    assert_eq!(all_of(log).await?, head);
    log.append(room(1), head, chats(3)).await?;
    // Now and then much of it moves to the archive, in the midst of which the power may go as well.
    if head % 5 == 0 {
        let old = Old { through_seq: head - head % 7, before_ms: i64::MAX, whole_segments: false };
        log.archive(room(1), old).await?;
    }
    Ok(head + 3)
}

/// How many events there are, one after the other.
async fn all_of(log: &Log) -> Result<u64, LogError> {
    let mut seq = 0;
    loop {
        let page = log.read(room(1), seq, 4096).await?;
        if page.is_empty() {
            return Ok(seq);
        }
        for envelope in page {
            assert_eq!(envelope.seq, seq + 1);
            seq = envelope.seq;
        }
    }
}

/// Opens the log that is left and proves it; how many events it has.
async fn proven(disk: &Disk) -> Result<u64, LogError> {
    let log = Log::open(&disk.log(), LogOptions::default())?;
    let reports = log.verify(None).await?;
    assert!(reports.iter().all(|report| report.first_bad.is_none()), "{reports:?}");
    let head = log.head(room(1))?;
    assert_eq!(all_of(&log).await?, head);
    log.close();
    Ok(head)
}

/// A process that appends loses the power at some moment; what it had acknowledged, and what is found.
async fn life_and_death(disk: &mut Disk, chance: &mut Chance) -> (u64, Result<u64, LogError>) {
    let mut appender = Appender::on(disk);
    let mut promised = 0;
    for _ in 0..5 + chance.below(20) {
        promised = acknowledged(&appender.append()).expect("the disk takes it");
    }
    // Some orders more, in the midst of which it happens.
    (0..1 + chance.below(4)).for_each(|_| appender.order());
    std::thread::yield_now();
    promised = appender.dies().unwrap_or(promised);
    disk.loses_power(chance);
    let found = proven(disk).await;
    disk.settles();
    (promised, found)
}

#[tokio::test]
async fn a_loss_of_power_takes_nothing_that_was_acknowledged() {
    let (mut disk, mut chance) = (Disk::new(), Chance(7));
    for _ in 0..12 {
        let (promised, found) = life_and_death(&mut disk, &mut chance).await;
        let found = found.unwrap();
        assert!(found >= promised, "{promised} were acknowledged, {found} are there");
    }
}

/// The test of the test: on a disk that lies about its syncs events do get lost, and it is seen.
#[tokio::test]
async fn a_disk_that_lies_is_found_out() {
    let (mut disk, mut chance) = (Disk::new(), Chance(7));
    disk.has_trouble("lying");
    let (promised, found) = life_and_death(&mut disk, &mut chance).await;
    let kept = found.is_ok_and(|found| found >= promised);
    assert!(!kept, "how could a disk that keeps nothing keep {promised} events?");
}

#[tokio::test]
async fn a_log_that_ran_out_of_disk_says_so_opens_again_and_goes_on() {
    let disk = Disk::new();
    let mut appender = Appender::on(&disk);
    assert_eq!(appender.append(), "acknowledged 3");
    disk.has_trouble("full");
    assert_eq!((appender.append(), appender.append()), ("disk_full".to_owned(), "disk_full".to_owned()));
    disk.is_well_again();
    assert_eq!(appender.append(), "acknowledged 6");
    disk.has_trouble("full");
    assert_eq!(appender.append(), "disk_full");
    appender.dies();

    // Full still: it opens and is read, and takes nothing.
    let mut appender = Appender::on(&disk);
    assert_eq!(appender.append(), "disk_full");
    disk.is_well_again();
    assert_eq!(appender.append(), "acknowledged 9");
    appender.dies();
    assert_eq!(proven(&disk).await, Ok(9));
}

#[tokio::test]
async fn on_a_medium_that_cannot_be_written_the_log_is_read_and_not_appended_to() {
    let disk = Disk::new();
    let mut appender = Appender::on(&disk);
    assert_eq!(appender.append(), "acknowledged 3");
    appender.dies();
    // Its WAL is folded in, as by whoever closes the log.
    assert_eq!(proven(&disk).await, Ok(3));
    disk.has_trouble("readonly");
    let mut appender = Appender::on(&disk);
    assert_eq!(appender.append(), "log_read_only");
    appender.dies();
    let mut reader = Appender::reading(&disk);
    assert_eq!((reader.append(), reader.append()), ("read 3".to_owned(), "read 3".to_owned()));
    reader.dies();
    disk.is_well_again();
    let mut appender = Appender::on(&disk);
    assert_eq!(appender.append(), "acknowledged 6");
    appender.dies();
}

#[tokio::test]
async fn a_sync_that_fails_acknowledges_nothing_and_damages_nothing() {
    let mut disk = Disk::new();
    let mut appender = Appender::on(&disk);
    assert_eq!(appender.append(), "acknowledged 3");
    disk.has_trouble("failing");
    assert_eq!((appender.append(), appender.append()), ("log_io".to_owned(), "log_io".to_owned()));
    disk.is_well_again();
    let answer = appender.append();
    let promised = acknowledged(&answer).unwrap_or_else(|| panic!("it goes on after that: {answer}"));
    appender.dies();
    disk.loses_power(&mut Chance(1));
    assert!(proven(&disk).await.unwrap() >= promised);
}
