//! The K-weighting of BS.1770-4 and the energy behind it.
//!
//! Two biquads: a shelf for the head, then a high-pass. Channels run through them two by two, so that a pair fills the
//! registers that every machine has; that is why states are arrays of two.

/// The shelf and the high-pass as analogue prototypes, from which the coefficients of the standard at 48 kHz follow, and
/// those at other rates.
const SHELF_HZ: f64 = 1681.974450955533;
const SHELF_DB: f64 = 3.999843853973347;
const SHELF_Q: f64 = 0.7071752369554196;
/// How much of the shelf's gain, in powers, there is at its frequency.
const SHELF_MIDDLE: f64 = 0.4996667741545416;
const HIGH_PASS_HZ: f64 = 38.13547087602444;
const HIGH_PASS_Q: f64 = 0.5003270373238773;
/// Above what a decoder lets through.
const HIGHEST_RATE_HZ: u32 = 768_000;
/// Of the channels at the sides and behind: 1.5 dB more.
const SURROUND: f64 = 1.41;
/// A filter that rings on below this is stopped, long before its numbers become so small that the machine is slow with
/// them. Full scale is 1.
const SILENCE: f64 = 1e-30;

/// Weighs interleaved audio and sums its energy.
pub(super) struct Weighting {
    channels: usize,
    coefficients: Coefficients,
    pairs: Vec<Pair>,
}

/// Two channels that count.
struct Pair {
    channels: [usize; 2],
    weights: [f64; 2],
    state: State,
    energy: [f64; 2],
}

#[derive(Clone, Copy)]
struct Coefficients {
    shelf_b: [f64; 3],
    shelf_a: [f64; 2],
    /// Of the high-pass, whose numerator is 1, −2, 1.
    high_a: [f64; 2],
}

/// The latest values inside both biquads (direct form II), and how the second's changed last.
#[derive(Clone, Copy, Default)]
struct State {
    shelf: [[f64; 2]; 2],
    high: [[f64; 2]; 2],
    change: [f64; 2],
}

impl Weighting {
    /// `None` where the sample rate has no room for the shelf, or is beyond all recordings.
    pub(super) fn new(sample_rate_hz: u32, channels: usize) -> Option<Weighting> {
        let coefficients = Coefficients::new(sample_rate_hz)?;
        let heard: Vec<usize> = (0..channels).filter(|c| weight(*c, channels) > 0.0).collect();
        let pairs = heard.chunks(2).map(|pair| Pair::new(pair, channels)).collect();
        Some(Weighting { channels, coefficients, pairs })
    }

    /// Takes whole frames.
    pub(super) fn push(&mut self, interleaved: &[f32]) {
        for pair in &mut self.pairs {
            let [a, b] = pair.channels;
            match self.channels {
                1 => pair.push(&self.coefficients, interleaved.iter().map(|sample| [*sample; 2])),
                2 => pair.push(&self.coefficients, interleaved.as_chunks().0.iter().copied()),
                n => pair
                    .push(&self.coefficients, interleaved.chunks_exact(n).map(|frame| [frame[a], frame[b]])),
            }
        }
    }

    /// The sum of the squares of everything since the last call, each channel by its weight.
    pub(super) fn take_energy(&mut self) -> f64 {
        self.pairs.iter_mut().map(Pair::take_energy).sum()
    }
}

impl Pair {
    /// Of one or two channels; one is paired with itself, of which the second counts nothing.
    fn new(channels: &[usize], of: usize) -> Pair {
        let (first, second) = (channels[0], channels.get(1));
        Pair {
            channels: [first, *second.unwrap_or(&first)],
            weights: [weight(first, of), second.map_or(0.0, |c| weight(*c, of))],
            state: State::default(),
            energy: [0.0; 2],
        }
    }

    #[inline]
    fn push(&mut self, coefficients: &Coefficients, frames: impl Iterator<Item = [f32; 2]>) {
        let Coefficients { shelf_b: [b0, b1, b2], shelf_a: [a1, a2], high_a: [c1, c2] } = *coefficients;
        let State { shelf: [mut w1, mut w2], high: [mut v1, mut v2], mut change } = self.state;
        let mut energy = self.energy;
        for frame in frames {
            let x = both(|i| f64::from(frame[i]));
            let w = both(|i| x[i] - a2 * w2[i] - a1 * w1[i]);
            let y = both(|i| b2 * w2[i] + b1 * w1[i] + b0 * w[i]);
            let v = both(|i| y[i] - c2 * v2[i] - c1 * v1[i]);
            let changed = both(|i| v[i] - v1[i]);
            let z = both(|i| changed[i] - change[i]);
            energy = both(|i| energy[i] + z[i] * z[i]);
            (w2, w1, v2, v1, change) = (w1, w, v1, v, changed);
        }
        self.energy = energy;
        self.state = State { shelf: [w1, w2], high: [v1, v2], change };
    }

    fn take_energy(&mut self) -> f64 {
        self.state.settle();
        let [a, b] = std::mem::take(&mut self.energy);
        a * self.weights[0] + b * self.weights[1]
    }
}

impl State {
    fn settle(&mut self) {
        let State { shelf, high, change } = self;
        let all = || shelf.iter().chain(high.iter()).chain([&*change]).flatten();
        if all().all(|value| value.abs() < SILENCE) {
            *self = State::default();
        }
    }
}

#[inline]
fn both(f: impl Fn(usize) -> f64) -> [f64; 2] {
    [f(0), f(1)]
}

impl Coefficients {
    fn new(sample_rate_hz: u32) -> Option<Coefficients> {
        let rate_hz = f64::from(sample_rate_hz);
        if rate_hz <= 2.0 * SHELF_HZ || sample_rate_hz > HIGHEST_RATE_HZ {
            return None;
        }
        let warped = |hz: f64| (std::f64::consts::PI * hz / rate_hz).tan();
        let denominator = |k: f64, q: f64| {
            let a0 = 1.0 + k / q + k * k;
            (a0, [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0])
        };
        let k = warped(SHELF_HZ);
        let (a0, shelf_a) = denominator(k, SHELF_Q);
        let high = 10f64.powf(SHELF_DB / 20.0);
        let middle = high.powf(SHELF_MIDDLE);
        let shelf_b = [
            (high + middle * k / SHELF_Q + k * k) / a0,
            2.0 * (k * k - high) / a0,
            (high - middle * k / SHELF_Q + k * k) / a0,
        ];
        let (_, high_a) = denominator(warped(HIGH_PASS_HZ), HIGH_PASS_Q);
        Some(Coefficients { shelf_b, shelf_a, high_a })
    }
}

/// How much a channel counts. Low frequency effects do not, nor what is beyond six channels.
fn weight(channel: usize, channels: usize) -> f64 {
    match (channels, channel) {
        (4, 2 | 3) | (5, 3 | 4) => SURROUND,
        (5, _) => 1.0,
        (_, 3) | (_, 6..) => 0.0,
        (_, 4 | 5) => SURROUND,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The coefficients that BS.1770-4 prints for 48 kHz (tables 1 and 2).
    #[test]
    fn the_filters_are_those_of_the_standard() {
        let Coefficients { shelf_b, shelf_a, high_a } = Coefficients::new(48_000).unwrap();
        let found = [shelf_a.as_slice(), &shelf_b, &high_a].concat();
        let printed = [
            -1.69065929318241,
            0.73248077421585,
            1.53512485958697,
            -2.69169618940638,
            1.19839281085285,
            -1.99004745483398,
            0.99007225036621,
        ];
        assert!(found.iter().zip(printed).all(|(f, p)| (f - p).abs() < 1e-8), "{found:?}");
    }

    #[test]
    fn what_rings_on_in_silence_is_stopped() {
        let mut weighting = Weighting::new(44_100, 2).unwrap();
        weighting.push(&[1.0; 8_820]);
        weighting.take_energy();
        for _ in 0..30 {
            weighting.push(&[0.0; 8_820]);
            weighting.take_energy();
        }
        assert!(weighting.pairs[0].state.high.as_flattened().iter().all(|value| *value == 0.0));
    }

    #[test]
    fn what_has_no_room_for_the_shelf_is_not_weighted() {
        assert!(Weighting::new(3_300, 2).is_none());
        assert!(Weighting::new(800_000, 2).is_none());
    }
}
