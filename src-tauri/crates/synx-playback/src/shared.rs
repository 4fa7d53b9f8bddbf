//! What the control side, the feeder and the audio thread share: atomics and tables only. No lock lives here.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use synx_clock::ClockEstimate;

use crate::kernel::KernelBank;
use crate::plan::Timeline;
use crate::published::Published;
use crate::window::Window;

/// Windows: one playing, one fading out, one prepared, one following without a gap.
pub(crate) const SLOTS: usize = 4;

pub(crate) struct Shared {
    pub windows: [Window; SLOTS],
    pub kernels: KernelBank,
    pub clock: Published<7>,
    pub snapshot: Published<{ Snapshot::WORDS }>,
    /// Rate of the device in use; 0 before the first.
    pub device_hz: AtomicU32,
    /// Windows that the audio thread may still read, as bits; valid for cues up to `seen`.
    pub in_use: AtomicU32,
    pub seen: AtomicU64,
    /// Linear gain of the whole output, as bits.
    pub gain: AtomicU32,
    /// By how much the device plays later than it says, in microseconds.
    pub latency_offset_us: AtomicI64,
    pub xruns: AtomicU64,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            windows: std::array::from_fn(|_| Window::new()),
            kernels: KernelBank::new(),
            clock: Published::new(),
            snapshot: Published::new(),
            device_hz: AtomicU32::new(0),
            in_use: AtomicU32::new(0),
            seen: AtomicU64::new(0),
            gain: AtomicU32::new(1.0f32.to_bits()),
            latency_offset_us: AtomicI64::new(0),
            xruns: AtomicU64::new(0),
        }
    }

    pub(crate) fn publish_clock(&self, e: &ClockEstimate) {
        let fields = [
            e.at_local_us,
            e.offset_us,
            e.skew_ppm,
            e.uncertainty_us,
            e.skew_uncertainty_ppm,
            e.rtt_us,
            e.jitter_us,
        ];
        self.clock.store(fields.map(f64::to_bits));
    }

    /// For the audio thread: `None` also while it is being written.
    pub(crate) fn load_clock(&self) -> Option<ClockEstimate> {
        self.clock.load().map(to_estimate)
    }

    /// For everyone else.
    pub(crate) fn read_clock(&self) -> Option<ClockEstimate> {
        self.clock.read().map(to_estimate)
    }

    /// Whether the audio thread is done with a window that was handed to it with the cue of this number.
    pub(crate) fn is_released(&self, slot: usize, serial: u64) -> bool {
        let seen = self.seen.load(Ordering::Acquire);
        seen >= serial && self.in_use.load(Ordering::Acquire) & (1 << slot) == 0
    }
}

fn to_estimate(words: [u64; 7]) -> ClockEstimate {
    let [at, offset, skew, uncertainty, skew_uncertainty, rtt, jitter] = words.map(f64::from_bits);
    ClockEstimate {
        at_local_us: at,
        offset_us: offset,
        skew_ppm: skew,
        uncertainty_us: uncertainty,
        skew_uncertainty_ppm: skew_uncertainty,
        rtt_us: rtt,
        jitter_us: jitter,
    }
}

/// What the audio thread is told to do and when. Small and `Copy`: nothing in it is ever freed there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cue {
    pub serial: u64,
    pub revision: u64,
    pub at_room_us: f64,
    pub what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Silence,
    /// Paused: silence, at this position.
    Hold(Timeline),
    Play {
        slot: usize,
        timeline: Timeline,
        seam: Seam,
    },
}

/// How a new sound follows the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seam {
    /// The old one fades out, the new one in.
    Fade,
    /// The old one runs to its end, the new one begins at its first frame.
    Gapless,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sounding {
    Idle = 0,
    /// No clock yet, or the card is starting.
    Waiting = 1,
    Paused = 2,
    Playing = 3,
    Buffering = 4,
    Ended = 5,
}

impl Sounding {
    fn from_word(word: u64) -> Self {
        [Self::Idle, Self::Waiting, Self::Paused, Self::Playing, Self::Buffering, Self::Ended]
            .into_iter()
            .find(|s| *s as u64 == word)
            .unwrap_or(Self::Idle)
    }
}

/// What the audio thread did with its last block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub sounding: Sounding,
    pub revision: u64,
    pub track: u64,
    /// Frame of the track at the block's beginning.
    pub frame: f64,
    /// Frames per local second at which it advances; 0 when held.
    pub rate_hz: f64,
    pub track_hz: f64,
    /// Local instant at which the block's beginning is heard.
    pub heard_us: f64,
    /// Lateness of what is heard, at the card; not a number when nothing sounds.
    pub error_us: f64,
    pub ratio_ppm: f64,
    pub reanchors: u64,
    /// Times the samples that were to sound next were not there.
    pub gaps: u64,
    /// Loudest sample of the block per channel.
    pub peak: [f32; 2],
}

impl Snapshot {
    pub(crate) const WORDS: usize = 12;

    pub(crate) const IDLE: Self = Self {
        sounding: Sounding::Idle,
        revision: 0,
        track: 0,
        frame: 0.0,
        rate_hz: 0.0,
        track_hz: 1.0,
        heard_us: 0.0,
        error_us: f64::NAN,
        ratio_ppm: 0.0,
        reanchors: 0,
        gaps: 0,
        peak: [0.0; 2],
    };

    pub(crate) fn to_words(self) -> [u64; Self::WORDS] {
        [
            self.sounding as u64,
            self.revision,
            self.track,
            self.frame.to_bits(),
            self.rate_hz.to_bits(),
            self.track_hz.to_bits(),
            self.heard_us.to_bits(),
            self.error_us.to_bits(),
            self.ratio_ppm.to_bits(),
            self.reanchors,
            u64::from(self.peak[0].to_bits()) << 32 | u64::from(self.peak[1].to_bits()),
            self.gaps,
        ]
    }

    pub(crate) fn from_words(w: [u64; Self::WORDS]) -> Self {
        Self {
            sounding: Sounding::from_word(w[0]),
            revision: w[1],
            track: w[2],
            frame: f64::from_bits(w[3]),
            rate_hz: f64::from_bits(w[4]),
            track_hz: f64::from_bits(w[5]),
            heard_us: f64::from_bits(w[6]),
            error_us: f64::from_bits(w[7]),
            ratio_ppm: f64::from_bits(w[8]),
            reanchors: w[9],
            peak: [f32::from_bits((w[10] >> 32) as u32), f32::from_bits(w[10] as u32)],
            gaps: w[11],
        }
    }
}
