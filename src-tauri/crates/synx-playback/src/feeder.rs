//! The thread that decodes. It turns plans into cues, keeps every window filled ahead of what is heard, and follows the
//! audio thread when that jumps. Nobody waits for it: a slow disk means silence, never a stopped timeline.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use synx_media::MediaError;

use crate::plan::{Plan, Timeline};
use crate::shared::{Cue, SLOTS, Seam, Shared, What};
use crate::source::{FrameSource, TrackHandle};
use crate::window::{HISTORY, Window};

/// Frames decoded at a time.
const CHUNK: usize = 4096;
/// Chunks decoded for one window before the next one has its turn.
const CHUNKS_A_TURN: usize = 6;
/// How often the windows are looked at while something plays: so many naps. They hold two seconds; this is about how soon
/// a jump of the audio thread is noticed.
const NAPS: u32 = 5;
/// How often orders are looked for meanwhile.
const NAP: Duration = Duration::from_millis(8);
const IDLE_TURN: Duration = Duration::from_secs(1);

pub(crate) enum Order {
    Plan(Box<Plan>),
    Stop,
}

/// The next order, or none for a turn. A wait with a timeout ends at an absolute instant of the system's clock, which a
/// process in another time (restored, or in a time namespace) does not share; a sleep is relative and ends everywhere.
fn nap(orders: &Receiver<Order>) -> Result<Order, RecvTimeoutError> {
    for _ in 0..NAPS {
        match orders.try_recv() {
            Ok(order) => return Ok(order),
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => std::thread::sleep(NAP),
        }
    }
    Err(RecvTimeoutError::Timeout)
}

/// So many more bytes must have come before a file that ran dry is opened again: a few tenths of a second of CD audio.
const MORE_BYTES: u64 = 64 * 1024;

/// A window and what fills it.
struct Voice {
    serial: u64,
    track: TrackHandle,
    timeline: Timeline,
    source: Box<dyn FrameSource>,
    /// Frame of the track that the source reads next.
    source_frame: u64,
    /// The bytes that had come when the source was opened, if its file was not whole.
    opened_with: Option<u64>,
    /// The source has read all that had come.
    dry: bool,
}

pub(crate) struct Feeder {
    shared: Arc<Shared>,
    cues: rtrb::Producer<Cue>,
    unsent: VecDeque<Cue>,
    voices: [Option<Voice>; SLOTS],
    /// The newest plan for which no window was free.
    waiting: Option<Plan>,
    serial: u64,
    fault: Arc<Mutex<Option<String>>>,
    /// Local time in microseconds; simulated in tests.
    now_us: fn() -> f64,
    decoded: Vec<f32>,
    stereo: Vec<[f32; 2]>,
}

impl Feeder {
    pub(crate) fn new(
        shared: Arc<Shared>,
        cues: rtrb::Producer<Cue>,
        fault: Arc<Mutex<Option<String>>>,
        now_us: fn() -> f64,
    ) -> Self {
        Self {
            shared,
            cues,
            unsent: VecDeque::new(),
            voices: std::array::from_fn(|_| None),
            waiting: None,
            serial: 0,
            fault,
            now_us,
            decoded: Vec::new(),
            stereo: Vec::with_capacity(CHUNK),
        }
    }

    /// Runs until told to stop or nobody is left to give orders.
    pub(crate) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let idle = self.voices.iter().all(Option::is_none) && self.unsent.is_empty();
            match if idle { orders.recv_timeout(IDLE_TURN) } else { nap(orders) } {
                Ok(Order::Plan(plan)) => self.apply(&plan),
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.turn();
        }
    }

    /// One round of upkeep.
    pub(crate) fn turn(&mut self) {
        self.free_windows();
        if let Some(plan) = self.waiting.take() {
            self.apply(&plan);
        }
        self.send();
        for slot in 0..SLOTS {
            self.feed(slot);
        }
    }

    pub(crate) fn apply(&mut self, plan: &Plan) {
        self.free_windows();
        let fallback = self.waiting.take();
        if let Err(NoWindow) = self.try_apply(plan) {
            // Three plans are on their way already; of those that wait only the newest matters.
            self.waiting =
                Some(fallback.filter(|w| w.revision > plan.revision).unwrap_or_else(|| plan.clone()));
        }
        self.send();
    }

    fn try_apply(&mut self, plan: &Plan) -> Result<(), NoWindow> {
        let seam = if plan.gapless { Seam::Gapless } else { Seam::Fade };
        let what = match (plan.timeline(), plan.playing, plan.track.as_ref()) {
            (Some(timeline), true, Some(track)) => self.play(track, timeline, seam)?,
            (Some(timeline), false, _) => What::Hold(timeline),
            _ => What::Silence,
        };
        self.queue(plan.revision, plan.anchor_room_us as f64, what);
        Ok(())
    }

    fn queue(&mut self, revision: u64, at_room_us: f64, what: What) {
        self.serial += 1;
        if let What::Play { slot, .. } = what
            && let Some(voice) = &mut self.voices[slot]
        {
            voice.serial = self.serial;
        }
        self.unsent.push_back(Cue { serial: self.serial, revision, at_room_us, what });
        if let What::Play { slot, .. } = what {
            self.feed(slot);
        }
    }

    fn send(&mut self) {
        while let Some(cue) = self.unsent.pop_front() {
            if let Err(rtrb::PushError::Full(cue)) = self.cues.push(cue) {
                self.unsent.push_front(cue);
                break;
            }
        }
    }

    /// Finds the window that already plays this, or prepares a free one.
    fn play(&mut self, track: &TrackHandle, timeline: Timeline, seam: Seam) -> Result<What, NoWindow> {
        let same =
            self.voices.iter().position(|v| v.as_ref().is_some_and(|v| v.timeline.continues(&timeline)));
        if let Some(slot) = same {
            if let Some(voice) = &mut self.voices[slot] {
                voice.timeline = timeline;
            }
            return Ok(What::Play { slot, timeline, seam });
        }
        let slot = self.voices.iter().position(Option::is_none).ok_or(NoWindow)?;
        let opened_with = track.bytes_so_far();
        let source = match track.source() {
            Ok(source) => source,
            Err(error) => {
                self.report(track, &error);
                return Ok(What::Hold(timeline));
            }
        };
        self.report_clear();
        let window = &self.shared.windows[slot];
        let first = self.first_frame(&timeline);
        window.restart(first.saturating_sub(HISTORY));
        window.set_wanted(first);
        window.set_gain(track.gain());
        // The number of the cue is not known yet; until it is, the window counts as in use.
        self.voices[slot] = Some(Voice {
            serial: u64::MAX,
            track: track.clone(),
            timeline,
            source,
            source_frame: 0,
            opened_with,
            dry: false,
        });
        Ok(What::Play { slot, timeline, seam })
    }

    /// Where decoding has to begin: at the anchor, or where the music is by now.
    fn first_frame(&self, timeline: &Timeline) -> u64 {
        let now = self.shared.read_clock().map(|clock| timeline.frame_at(clock.room_us((self.now_us)())));
        now.map_or(timeline.anchor_frame, |now| now.max(timeline.anchor_frame)).max(0.0) as u64
    }

    fn free_windows(&mut self) {
        for (slot, voice) in self.voices.iter_mut().enumerate() {
            if voice.as_ref().is_some_and(|v| self.shared.is_released(slot, v.serial)) {
                *voice = None;
            }
        }
    }

    fn feed(&mut self, slot: usize) {
        let Some(voice) = &mut self.voices[slot] else { return };
        let window = &self.shared.windows[slot];
        window.set_gain(voice.track.gain());
        let device_hz = self.shared.device_hz.load(Ordering::Relaxed);
        self.shared.kernels.prepare(voice.track.sample_rate_hz(), device_hz);
        voice.follow(window);
        for _ in 0..CHUNKS_A_TURN {
            if window.is_finished() || window.room() < CHUNK as u64 {
                return;
            }
            match voice.decode(window, &mut self.decoded, &mut self.stereo) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    window.finish();
                    let track = voice.track.clone();
                    self.report(&track, &error);
                    return;
                }
            }
        }
    }

    fn report(&self, track: &TrackHandle, error: &MediaError) {
        tracing::warn!(track = %track.path().display(), %error, "track cannot be played on");
        let text = format!("{}: {error}", track.path().display());
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    fn report_clear(&self) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

struct NoWindow;

impl Voice {
    /// Starts the window anew where the audio thread wants it, if it has left it.
    fn follow(&mut self, window: &Window) {
        let wanted = window.wanted();
        let patience = u64::from(self.track.sample_rate_hz());
        let ran_ahead = wanted > window.end() + patience && !window.is_finished();
        if wanted < window.begin() || ran_ahead {
            window.restart(wanted.saturating_sub(HISTORY));
        }
    }

    /// Decodes the next frames into the window; false when there is nothing more, now or ever.
    fn decode(
        &mut self,
        window: &Window,
        decoded: &mut Vec<f32>,
        stereo: &mut Vec<[f32; 2]>,
    ) -> Result<bool, MediaError> {
        if self.dry && !self.reopen()? {
            return Ok(false);
        }
        match self.decode_on(window, decoded, stereo) {
            Ok(true) => return Ok(true),
            // Of a file that is still coming, what cannot be read is not here yet.
            Ok(false) | Err(_) if self.opened_with.is_some() => self.dry = true,
            Ok(false) => window.finish(),
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    /// Opens a file that ran dry again, when enough of it has come since.
    fn reopen(&mut self) -> Result<bool, MediaError> {
        let here = self.track.bytes_so_far();
        if here.is_some_and(|here| here < self.opened_with.unwrap_or(0) + MORE_BYTES) {
            return Ok(false);
        }
        self.opened_with = here;
        match self.track.source() {
            Ok(source) => (self.source, self.source_frame, self.dry) = (source, 0, false),
            Err(_) if here.is_some() => {}
            Err(error) => return Err(error),
        }
        Ok(!self.dry)
    }

    /// Decodes the next frames; false at the end of what the source has.
    fn decode_on(
        &mut self,
        window: &Window,
        decoded: &mut Vec<f32>,
        stereo: &mut Vec<[f32; 2]>,
    ) -> Result<bool, MediaError> {
        let unrolled = window.end();
        let (frame, left) = self.timeline.fold.map_or((unrolled, u64::MAX), |fold| fold.place(unrolled));
        if frame != self.source_frame {
            self.source.seek(frame)?;
            self.source_frame = frame;
        }
        let channels = self.source.channels().max(1);
        let frames = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
        decoded.resize(frames * channels, 0.0);
        let read = self.source.read(decoded)?;
        if read == 0 {
            return Ok(false);
        }
        self.source_frame += read as u64;
        stereo.clear();
        stereo.extend(decoded[..read * channels].chunks_exact(channels).map(to_stereo));
        window.append(stereo);
        Ok(true)
    }
}

/// Any number of channels as two. Surround follows ITU-R BS.775 (centre and sides at -3 dB, no LFE), scaled so that it
/// cannot clip.
fn to_stereo(frame: &[f32]) -> [f32; 2] {
    const M3DB: f32 = std::f32::consts::FRAC_1_SQRT_2;
    match *frame {
        [mono] => [mono, mono],
        [left, right] => [left, right],
        [left, right, centre] => {
            [(left + M3DB * centre) / (1.0 + M3DB), (right + M3DB * centre) / (1.0 + M3DB)]
        }
        [left, right, rear_left, rear_right] => {
            [(left + M3DB * rear_left) / (1.0 + M3DB), (right + M3DB * rear_right) / (1.0 + M3DB)]
        }
        [left, right, centre, _, rear_left, rear_right, ..] => {
            let scale = 1.0 / (1.0 + 2.0 * M3DB);
            [scale * (left + M3DB * (centre + rear_left)), scale * (right + M3DB * (centre + rear_right))]
        }
        [left, right, ..] => [left, right],
        [] => [0.0, 0.0],
    }
}
