//! Keeps the heard position on the wanted one by tiny changes of rate. Pure arithmetic; no clock, no audio.

/// Bound of the rate correction, in parts per million of the nominal rate: under a cent of pitch, and inaudible.
pub(crate) const MAX_PPM: f64 = 500.0;
/// Above this error a short fade to the right place is less audible than seconds of detuning, in seconds.
pub(crate) const GROSS_ERROR_S: f64 = 3e-3;

/// Proportional gain, per second: slow enough that the microseconds by which the clock estimate moves are a ppm of pitch.
/// With the integral below the loop's poles lie at 1.55 s and 6.45 s.
const PROPORTIONAL: f64 = 0.8;
/// Integral gain, per second squared. The rate is fed forward from the measured clocks; the integral removes what the
/// measurement missed. Damping 1.26: a step of rate settles without a swing, an error at the start swings by a tenth.
const INTEGRAL: f64 = 0.1;

/// A PI controller on top of the measured rate difference.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Servo {
    integral_ppm: f64,
}

impl Servo {
    /// The rate correction for the next `elapsed_s`, in ppm. `error_s` is how far the sound lags behind where it should
    /// be; `forward_ppm` the correction that the measured clock rates call for.
    pub(crate) fn correct_ppm(&mut self, error_s: f64, forward_ppm: f64, elapsed_s: f64) -> f64 {
        let wanted = forward_ppm + PROPORTIONAL * error_s * 1e6 + self.integral_ppm;
        // No winding up against the bound.
        if wanted.abs() < MAX_PPM {
            self.integral_ppm =
                (self.integral_ppm + INTEGRAL * error_s * 1e6 * elapsed_s).clamp(-MAX_PPM, MAX_PPM);
        }
        wanted.clamp(-MAX_PPM, MAX_PPM)
    }

    /// After a jump: the error history says nothing any more.
    pub(crate) fn reset(&mut self) {
        self.integral_ppm = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_small_error_dies_out_within_the_bound(
            start_us in -2_900.0f64..2_900.0, card_ppm in -150.0f64..150.0, forward_off in -20.0f64..20.0,
        ) {
            let (mut servo, mut error_s, dt) = (Servo::default(), start_us * 1e-6, 0.01);
            for _ in 0..6_000 {
                let ppm = servo.correct_ppm(error_s, card_ppm + forward_off, dt);
                prop_assert!(ppm.abs() <= MAX_PPM);
                error_s += (card_ppm - ppm) * 1e-6 * dt;
            }
            prop_assert!(error_s.abs() < 1e-6, "left: {error_s}");
        }
    }
}
