//! Which device is wanted, which one plays, and the thread that keeps the two the same. A device that fails is tried
//! again every second; meanwhile the null card keeps the timeline going.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::null::NullCard;
use super::pump::Pump;
use crate::DeviceChoice;

const RETRY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What plays; empty while nothing does.
    pub device: String,
    pub rate_hz: u32,
    /// Why nothing plays.
    pub trouble: Option<String>,
}

pub(crate) struct Desk {
    choice: Mutex<DeviceChoice>,
    /// Grows with each choice, so that the playing thread need not lock to see that nothing changed.
    generation: AtomicU64,
    stop: AtomicBool,
    report: Mutex<Report>,
}

impl Desk {
    pub(crate) fn new(choice: DeviceChoice) -> Self {
        Self {
            choice: Mutex::new(choice),
            generation: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            report: Mutex::default(),
        }
    }

    pub(crate) fn choose(&self, choice: DeviceChoice) {
        *lock(&self.choice) = choice;
        self.generation.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn choice(&self) -> DeviceChoice {
        lock(&self.choice).clone()
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(crate) fn report(&self) -> Report {
        lock(&self.report).clone()
    }

    fn says(&self, device: &str, rate_hz: u32, trouble: Option<String>) {
        if let Some(trouble) = &trouble {
            tracing::warn!(device, trouble, "no sound device");
        } else {
            tracing::info!(device, rate_hz, "sound device");
        }
        *lock(&self.report) = Report { device: device.to_owned(), rate_hz, trouble };
    }

    /// Whether whoever plays since `generation` should make room for another choice.
    fn is_over(&self, generation: u64) -> bool {
        self.stop.load(Ordering::Acquire) || self.generation.load(Ordering::Acquire) != generation
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks the system to let this thread run before others: it works for a tenth of a millisecond every fifteen, and must not
/// wait behind a compiler. Many systems allow that to sound servers alone; then the queue is what a stall lives on.
#[cfg(unix)]
fn raise_priority() -> Result<(), thread_priority::Error> {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    /// Above all ordinary threads, below the kernel's own and below sound servers (PipeWire asks for 88).
    const PRIORITY: u8 = 20;
    let priority =
        ThreadPriorityValue::try_from(PRIORITY).map_or(ThreadPriority::Max, ThreadPriority::Crossplatform);
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), priority, policy)
}

/// As on Unix.
#[cfg(not(unix))]
fn raise_priority() -> Result<(), thread_priority::Error> {
    thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Max)
}

/// The output thread.
pub(crate) fn run(desk: &Arc<Desk>, mut pump: Pump) {
    if let Err(error) = raise_priority() {
        tracing::debug!(?error, "the output runs at ordinary priority");
    }
    while !desk.stop.load(Ordering::Acquire) {
        let generation = desk.generation.load(Ordering::Acquire);
        let choice = desk.choice();
        if choice == DeviceChoice::Null {
            desk.says("null", 48_000, None);
            // The null card cannot fail.
            let _ = pump.run(&mut NullCard::new(), || desk.is_over(generation));
            continue;
        }
        let name = choice.name();
        let (returned, outcome) = play_on(&name, pump, desk, generation);
        pump = returned;
        if let Err(reason) = outcome {
            desk.says(&name, 0, Some(reason));
            let until = Instant::now() + RETRY;
            let _ = pump.run(&mut NullCard::new(), || desk.is_over(generation) || Instant::now() >= until);
        }
    }
}

/// Plays on a real device until another one is chosen (`Ok`) or it fails.
#[cfg(target_os = "linux")]
fn play_on(name: &str, mut pump: Pump, desk: &Desk, generation: u64) -> (Pump, Result<(), String>) {
    use super::{Card, CardFault};
    let outcome = super::alsa::AlsaCard::open(name).and_then(|mut card| {
        desk.says(name, card.rate_hz(), None);
        pump.run(&mut card, || desk.is_over(generation)).map_err(|fault| match fault {
            CardFault::Gone(reason) => reason,
            CardFault::Xrun => "it does not keep running".to_owned(),
        })
    });
    (pump, outcome)
}

#[cfg(not(target_os = "linux"))]
fn play_on(name: &str, pump: Pump, desk: &Desk, generation: u64) -> (Pump, Result<(), String>) {
    let says = |rate_hz| desk.says(name, rate_hz, None);
    super::cpal::play(name, pump, says, || desk.is_over(generation))
}
