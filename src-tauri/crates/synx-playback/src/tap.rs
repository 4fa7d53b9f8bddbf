//! One position moving through one window: the smallest thing that sounds. A cross-fade is two taps.

use crate::kernel::Kernel;
use crate::window::Window;

/// Fades of seeks, re-anchorings and starts inside a track: long enough not to click, too short to hear as a fade.
const FADE_S: f64 = 0.005;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fade {
    Steady,
    In(f32),
    Out(f32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    pub slot: usize,
    pub track_hz: u32,
    /// Unrolled frame at the next output frame.
    pub position: f64,
    pub fade: Fade,
    /// What it needs is not decoded yet.
    pub starved: bool,
}

/// Room to copy frames out of a window; made once.
pub(crate) struct Scratch {
    left: Vec<f32>,
    right: Vec<f32>,
    voice: Vec<[f32; 2]>,
}

impl Scratch {
    /// Frames rendered at a time.
    pub(crate) const SEGMENT: usize = 512;

    pub(crate) fn new() -> Self {
        let reach = (Self::SEGMENT as f64 * crate::kernel::MAX_STEP * 1.001) as usize;
        // The longest kernel is MAX_STEP times 40 frames to each side.
        let frames = reach + 2 * 400;
        Self { left: vec![0.0; frames], right: vec![0.0; frames], voice: vec![[0.0; 2]; Self::SEGMENT] }
    }
}

impl Tap {
    /// Adds up to [`Scratch::SEGMENT`] frames to `out` and moves on. `step` is in frames of the track per output frame.
    pub(crate) fn mix(
        &mut self,
        window: &Window,
        kernel: Option<&Kernel>,
        step: f64,
        device_hz: f64,
        scratch: &mut Scratch,
        out: &mut [[f32; 2]],
    ) {
        let covered = kernel.is_some_and(|kernel| self.render(window, kernel, step, scratch, out.len()));
        self.position += out.len() as f64 * step;
        if !covered {
            self.starved = true;
            return;
        }
        if self.starved {
            self.starved = false;
            self.fade = Fade::In(0.0);
        }
        let (gain, advance) = (window.gain(), (1.0 / (FADE_S * device_hz)) as f32);
        for (sum, voice) in out.iter_mut().zip(&scratch.voice) {
            let g = gain * self.fade.step(advance);
            sum[0] += g * voice[0];
            sum[1] += g * voice[1];
        }
    }

    fn render(&self, window: &Window, kernel: &Kernel, step: f64, scratch: &mut Scratch, n: usize) -> bool {
        let half = kernel.half() as i64;
        let first = self.position.floor() as i64 - half;
        let frames = (n as f64 * step).ceil() as usize + 2 * kernel.half() + 2;
        let (Some(left), Some(right)) = (scratch.left.get_mut(..frames), scratch.right.get_mut(..frames))
        else {
            return false;
        };
        if !window.read(first, left, right) {
            return false;
        }
        kernel.render((left, right), first, self.position, step, &mut scratch.voice[..n]);
        true
    }

    pub(crate) fn fade_out(mut self) -> Self {
        self.fade = match self.fade {
            // Equal power both ways: a fade that turns round keeps its loudness.
            Fade::In(x) => Fade::Out(1.0 - x),
            Fade::Out(x) => Fade::Out(x),
            Fade::Steady => Fade::Out(0.0),
        };
        self
    }

    pub(crate) fn is_silent(&self, window: &Window, half: usize) -> bool {
        let over = window.last().is_some_and(|last| self.position > (last as usize + half) as f64);
        over || self.starved || matches!(self.fade, Fade::Out(x) if x >= 1.0)
    }
}

impl Fade {
    /// Gain of the next frame, equal-power.
    fn step(&mut self, advance: f32) -> f32 {
        use std::f32::consts::FRAC_PI_2;
        match *self {
            Self::Steady => 1.0,
            Self::In(x) if x >= 1.0 => {
                *self = Self::Steady;
                1.0
            }
            Self::In(x) => {
                *self = Self::In(x + advance);
                (x * FRAC_PI_2).sin()
            }
            Self::Out(x) => {
                *self = Self::Out((x + advance).min(1.0));
                (x.min(1.0) * FRAC_PI_2).cos()
            }
        }
    }
}
