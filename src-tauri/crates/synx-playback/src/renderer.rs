//! The audio thread's side: which frame must be heard at the instant this block reaches the card?
//!
//! Rules of this module, proved by a test: it allocates nothing, locks nothing, logs nothing and calls nothing that can
//! block. It learns of the world through a ring of [`Cue`]s and a few atomics, and tells of itself the same way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use synx_clock::ClockEstimate;

use crate::card_clock::BlockTime;
use crate::plan::Timeline;
use crate::servo::{GROSS_ERROR_S, Servo};
use crate::shared::{Cue, Seam, Shared, Snapshot, Sounding, What};
use crate::tap::{Fade, Scratch, Tap};

/// Cues that wait for their instant: a plan, its successor, and a few that were replaced before their time.
const PENDING: usize = 8;
/// Sounds on their way out.
const FADING: usize = 4;

pub(crate) struct Renderer {
    shared: Arc<Shared>,
    cues: rtrb::Consumer<Cue>,
    /// In order of time.
    pending: [Option<Cue>; PENDING],
    current: Option<Cue>,
    clock: Option<ClockEstimate>,
    main: Option<Tap>,
    fading: [Option<Tap>; FADING],
    servo: Servo,
    ratio_ppm: f64,
    reanchors: u64,
    gaps: u64,
    seen: u64,
    gain: f32,
    scratch: Scratch,
}

/// Room time along a block.
#[derive(Clone, Copy)]
struct View {
    room_us: f64,
    us_per_frame: f64,
    nominal_hz: u32,
}

impl View {
    fn new(time: &BlockTime, clock: &ClockEstimate, latency_offset_us: i64) -> Self {
        Self {
            room_us: clock.room_us(time.first_us + latency_offset_us as f64),
            us_per_frame: clock.rate() * 1e6 / time.rate_hz,
            nominal_hz: time.nominal_hz,
        }
    }

    fn at(&self, frame: usize) -> f64 {
        self.room_us + frame as f64 * self.us_per_frame
    }

    /// First frame of the block at or after a room instant.
    fn frame_of(&self, room_us: f64) -> f64 {
        ((room_us - self.room_us) / self.us_per_frame).ceil()
    }

    /// The rate correction that the measured clocks call for.
    fn forward_ppm(&self) -> f64 {
        (self.us_per_frame * 1e-6 * f64::from(self.nominal_hz) - 1.0) * 1e6
    }
}

impl Renderer {
    pub(crate) fn new(shared: Arc<Shared>, cues: rtrb::Consumer<Cue>) -> Self {
        let gain = f32::from_bits(shared.gain.load(Ordering::Relaxed));
        Self {
            shared,
            cues,
            pending: [None; PENDING],
            current: None,
            clock: None,
            main: None,
            fading: [None; FADING],
            servo: Servo::default(),
            ratio_ppm: 0.0,
            reanchors: 0,
            gaps: 0,
            seen: 0,
            gain,
            scratch: Scratch::new(),
        }
    }

    /// Fills a block. Without `time` (the card has not settled) it is silence and the timeline waits.
    pub(crate) fn render(&mut self, out: &mut [[f32; 2]], time: Option<BlockTime>) {
        out.fill([0.0; 2]);
        self.take_cues();
        let latency_us = self.shared.latency_offset_us.load(Ordering::Relaxed);
        self.clock = self.shared.load_clock().or(self.clock);
        if let (Some(time), Some(clock)) = (time, self.clock) {
            let view = View::new(&time, &clock, latency_us);
            self.steer(&view, out.len());
            self.fill(out, &view);
            let peak = self.apply_gain(out);
            self.release_windows();
            self.publish(&view, out.len(), time.first_us + latency_us as f64, peak);
        } else {
            self.lose_time();
            self.release_windows();
        }
    }

    /// The card stopped or the clock is unknown: what sounds will have to be found again.
    fn lose_time(&mut self) {
        self.fading = [None; FADING];
        if let Some(main) = &mut self.main {
            main.starved = true;
        }
        let snapshot = self.shared.snapshot.load().map_or(Snapshot::IDLE, Snapshot::from_words);
        let sounding = if self.current.is_some() { Sounding::Waiting } else { snapshot.sounding };
        self.shared.snapshot.store(Snapshot { sounding, error_us: f64::NAN, ..snapshot }.to_words());
    }

    fn take_cues(&mut self) {
        while self.pending[PENDING - 1].is_none() {
            let Ok(cue) = self.cues.pop() else { break };
            self.seen = cue.serial;
            // Whatever was to come later belonged to a plan that this one replaces.
            let place = self.pending.iter().position(|p| p.is_none_or(|p| p.at_room_us >= cue.at_room_us));
            if let Some(place) = place {
                self.pending[place] = Some(cue);
                self.pending[place + 1..].fill(None);
            }
        }
    }

    /// Sets the rate for this block, or moves the main tap when it is too far off.
    fn steer(&mut self, view: &View, frames: usize) {
        let (Some(Cue { what: What::Play { timeline, .. }, .. }), Some(main)) =
            (&self.current, &mut self.main)
        else {
            return;
        };
        let wanted = timeline.frame_at(view.room_us);
        let error_s = (wanted - main.position) / timeline.rate_hz;
        if main.starved {
            main.position = wanted;
            self.ratio_ppm = self.servo.correct_ppm(0.0, view.forward_ppm(), 0.0);
        } else if error_s.abs() > GROSS_ERROR_S {
            let old = *main;
            *main = Tap { position: wanted, fade: Fade::In(0.0), ..old };
            self.reanchors += 1;
            self.servo.reset();
            self.ratio_ppm = self.servo.correct_ppm(0.0, view.forward_ppm(), 0.0);
            self.let_fade(old.fade_out());
        } else {
            let elapsed_s = frames as f64 / f64::from(view.nominal_hz);
            self.ratio_ppm = self.servo.correct_ppm(error_s, view.forward_ppm(), elapsed_s);
        }
    }

    /// Mixes the block piece by piece, executing each cue at its sample.
    fn fill(&mut self, out: &mut [[f32; 2]], view: &View) {
        let mut from = 0;
        while from < out.len() {
            let limit = out.len().min(from + Scratch::SEGMENT);
            let to = self.next_cut(view).map_or(limit, |cut| cut.clamp(from, limit));
            self.mix(&mut out[from..to], view);
            if to < out.len() {
                self.execute_due(to, view);
            }
            from = to;
        }
    }

    /// Frame of the block at which the next pending cue begins to matter.
    fn next_cut(&self, view: &View) -> Option<usize> {
        let cue = self.pending[0].as_ref()?;
        Some((view.frame_of(cue.at_room_us) - self.prelude(cue, view)).max(0.0) as usize)
    }

    /// A track's first frame rings a little before itself: so many frames earlier its tap starts, still in silence.
    fn prelude(&self, cue: &Cue, view: &View) -> f64 {
        match &cue.what {
            What::Play { timeline, .. } => {
                let half = self.half_of(timeline.rate_hz as u32, view.nominal_hz) as f64;
                let step = timeline.rate_hz / f64::from(view.nominal_hz);
                if timeline.anchor_frame < half { (half / step).ceil() } else { 0.0 }
            }
            _ => 0.0,
        }
    }

    fn half_of(&self, track_hz: u32, device_hz: u32) -> usize {
        self.shared.kernels.find(track_hz, device_hz).map_or(0, crate::kernel::Kernel::half)
    }

    /// Executes the last of the cues that are due at `frame`; the ones before it would last no time.
    fn execute_due(&mut self, frame: usize, view: &View) {
        let mut due = None;
        while self.next_cut(view).is_some_and(|cut| cut <= frame) {
            due = self.pending[0];
            self.pending.rotate_left(1);
            self.pending[PENDING - 1] = None;
        }
        if let Some(cue) = due {
            self.execute(cue, frame, view);
        }
    }

    fn execute(&mut self, cue: Cue, frame: usize, view: &View) {
        self.current = Some(cue);
        match cue.what {
            What::Silence | What::Hold(_) => {
                if let Some(old) = self.main.take() {
                    self.let_fade(old.fade_out());
                }
            }
            What::Play { slot, timeline, seam } => {
                if self.main.is_some_and(|main| main.slot == slot) {
                    return;
                }
                let position = timeline.frame_at(view.at(frame));
                let from_the_start = position <= 0.0;
                let tap = Tap {
                    slot,
                    track_hz: timeline.rate_hz as u32,
                    position,
                    fade: if from_the_start || seam == Seam::Gapless { Fade::Steady } else { Fade::In(0.0) },
                    starved: false,
                };
                if let Some(old) = self.main.replace(tap) {
                    let ends = seam == Seam::Gapless && self.runs_out(&old, view);
                    self.let_fade(if ends { old } else { old.fade_out() });
                }
            }
        }
    }

    /// Whether a tap's track is over by itself when the prelude of the next one is: not so when its file is longer than
    /// the room was told.
    fn runs_out(&self, tap: &Tap, view: &View) -> bool {
        let prelude = self.half_of(tap.track_hz, view.nominal_hz) as f64;
        let soon = tap.position + prelude + GROSS_ERROR_S * f64::from(tap.track_hz);
        self.shared.windows[tap.slot].last().is_some_and(|last| last as f64 <= soon)
    }

    /// Keeps a tap until it is silent. When too many are fading the oldest makes room.
    fn let_fade(&mut self, tap: Tap) {
        if tap.starved {
            return;
        }
        let place = self.fading.iter().position(Option::is_none).unwrap_or(0);
        self.fading[place] = Some(tap);
    }

    fn mix(&mut self, out: &mut [[f32; 2]], view: &View) {
        if out.is_empty() {
            return;
        }
        let device_hz = f64::from(view.nominal_hz);
        let sounded = self.main.is_some_and(|main| !main.starved);
        for tap in self.fading.iter_mut().chain([&mut self.main]).flatten() {
            let window = &self.shared.windows[tap.slot];
            let kernel = self.shared.kernels.find(tap.track_hz, view.nominal_hz);
            let step = f64::from(tap.track_hz) / device_hz * (1.0 + self.ratio_ppm * 1e-6);
            tap.mix(window, kernel, step, device_hz, &mut self.scratch, out);
        }
        self.gaps += u64::from(sounded && self.main.is_some_and(|main| main.starved));
        for fading in &mut self.fading {
            if let Some(tap) = fading {
                let half = self.shared.kernels.find(tap.track_hz, view.nominal_hz).map_or(0, |k| k.half());
                if tap.is_silent(&self.shared.windows[tap.slot], half) {
                    *fading = None;
                }
            }
        }
    }

    /// Volume, ramped over the block, and the card's range. Returns the loudest samples.
    fn apply_gain(&mut self, out: &mut [[f32; 2]]) -> [f32; 2] {
        let target = f32::from_bits(self.shared.gain.load(Ordering::Relaxed));
        let slope = (target - self.gain) / out.len().max(1) as f32;
        let mut peak = [0.0f32; 2];
        for (i, frame) in out.iter_mut().enumerate() {
            let gain = self.gain + slope * (i + 1) as f32;
            for (sample, peak) in frame.iter_mut().zip(&mut peak) {
                *sample = (*sample * gain).clamp(-1.0, 1.0);
                *peak = peak.max(sample.abs());
            }
        }
        self.gain = target;
        peak
    }

    /// Tells the feeder what is still needed.
    fn release_windows(&self) {
        let taps = || self.fading.iter().chain([&self.main]).flatten();
        let mut in_use = 0u32;
        for (slot, window) in self.shared.windows.iter().enumerate() {
            let oldest = taps().filter(|t| t.slot == slot).map(|t| t.position).fold(f64::INFINITY, f64::min);
            if oldest.is_finite() {
                // The longest kernel reaches this far back.
                window.set_wanted((oldest - 400.0).max(0.0) as u64);
                in_use |= 1 << slot;
            }
        }
        for cue in self.pending.iter().flatten() {
            if let What::Play { slot, .. } = cue.what {
                in_use |= 1 << slot;
            }
        }
        self.shared.in_use.store(in_use, Ordering::Release);
        self.shared.seen.store(self.seen, Ordering::Release);
    }

    fn publish(&self, view: &View, frames: usize, heard_us: f64, peak: [f32; 2]) {
        let base = Snapshot {
            heard_us,
            ratio_ppm: self.ratio_ppm,
            reanchors: self.reanchors,
            gaps: self.gaps,
            peak,
            revision: self.current.map_or(0, |c| c.revision),
            ..Snapshot::IDLE
        };
        let snapshot = match self.current.map(|c| c.what) {
            None | Some(What::Silence) => base,
            Some(What::Hold(t)) => Snapshot {
                sounding: Sounding::Paused,
                track: t.track,
                frame: t.track_frame(t.anchor_frame),
                track_hz: t.rate_hz,
                ..base
            },
            Some(What::Play { timeline, slot, .. }) => self.playing(&timeline, slot, view, frames, base),
        };
        self.shared.snapshot.store(snapshot.to_words());
    }

    /// The block has been mixed, so the tap stands at its end; the snapshot speaks of its beginning.
    fn playing(
        &self,
        timeline: &Timeline,
        slot: usize,
        view: &View,
        frames: usize,
        base: Snapshot,
    ) -> Snapshot {
        let Some(main) = self.main else { return base };
        let step = f64::from(main.track_hz) / f64::from(view.nominal_hz) * (1.0 + self.ratio_ppm * 1e-6);
        let position = main.position - frames as f64 * step;
        let ended = self.shared.windows[slot].last().is_some_and(|last| position > last as f64);
        let sounding = match (main.starved, ended) {
            (_, true) => Sounding::Ended,
            (true, _) => Sounding::Buffering,
            _ => Sounding::Playing,
        };
        let late = (timeline.frame_at(view.room_us) - position) / timeline.rate_hz * 1e6;
        Snapshot {
            sounding,
            track: timeline.track,
            frame: timeline.track_frame(position.max(0.0)),
            rate_hz: timeline.rate_hz,
            track_hz: timeline.rate_hz,
            error_us: if sounding == Sounding::Playing { late } else { f64::NAN },
            ..base
        }
    }
}
