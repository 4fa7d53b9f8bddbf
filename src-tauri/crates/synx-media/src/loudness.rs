//! Loudness after EBU R 128 (ITU-R BS.1770-4, EBU Tech 3342), fed block by block.

use ebur128::{EbuR128, Mode};
use serde::{Deserialize, Serialize};

/// Loudness of a whole track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness; `None` where nothing is above the absolute gate of −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range; `None` where nothing is above the gate.
    pub range_lu: Option<f64>,
    /// Highest true peak of all channels; `None` for digital silence.
    pub true_peak_dbtp: Option<f64>,
}

/// Measures while it is fed. Memory grows by 16 bytes for each 100 ms: 6 MB for ten hours.
pub struct LoudnessMeter {
    /// `None` for a stream that the standard does not cover (rates outside of 1 to 768 kHz).
    meter: Option<EbuR128>,
    channels: usize,
}

impl LoudnessMeter {
    /// A meter for interleaved audio. Five and six channels are taken as L, R, C, (LFE,) Ls, Rs.
    #[must_use]
    pub fn new(sample_rate_hz: u32, channels: usize) -> LoudnessMeter {
        let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK;
        let meter = u32::try_from(channels).ok().and_then(|c| EbuR128::new(c, sample_rate_hz, mode).ok());
        LoudnessMeter { meter, channels }
    }

    /// Takes the next interleaved block; a trailing incomplete frame is ignored.
    pub fn push(&mut self, interleaved: &[f32]) {
        let whole = interleaved.len() - interleaved.len() % self.channels.max(1);
        if let Some(meter) = &mut self.meter {
            // It can only fail for an incomplete frame.
            let _ = meter.add_frames_f32(&interleaved[..whole]);
        }
    }

    /// The result for everything pushed so far.
    #[must_use]
    pub fn finish(&self) -> Loudness {
        let Some(meter) = &self.meter else { return Loudness::default() };
        let peak = (0..meter.channels()).filter_map(|c| meter.true_peak(c).ok()).fold(0.0, f64::max);
        let integrated_lufs = meter.loudness_global().ok().filter(|l| l.is_finite());
        Loudness {
            integrated_lufs,
            range_lu: integrated_lufs.and(meter.loudness_range().ok()).filter(|r| r.is_finite()),
            true_peak_dbtp: (peak > 0.0).then(|| 20.0 * peak.log10()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stereo 1 kHz sine: (dBFS, seconds) one after the other, as in EBU Tech 3341 and 3342.
    fn tones(parts: &[(f64, f64)]) -> Loudness {
        let mut meter = LoudnessMeter::new(48_000, 2);
        for &(dbfs, seconds) in parts {
            let gain = 10f64.powf(dbfs / 20.0);
            let samples: Vec<f32> = (0..(seconds * 48_000.0) as usize)
                .map(|i| (gain * (std::f64::consts::TAU * 1000.0 * i as f64 / 48_000.0).sin()) as f32)
                .flat_map(|s| [s, s])
                .collect();
            samples.chunks(1000).for_each(|block| meter.push(block));
        }
        meter.finish()
    }

    fn check_integrated(parts: &[(f64, f64)], expected_lufs: f64) {
        let lufs = tones(parts).integrated_lufs.unwrap();
        assert!((lufs - expected_lufs).abs() < 0.1, "{lufs} for {parts:?}");
    }

    fn check_range(parts: &[(f64, f64)], expected_lu: f64) {
        let lu = tones(parts).range_lu.unwrap();
        assert!((lu - expected_lu).abs() < 1.0, "{lu} for {parts:?}");
    }

    #[test]
    fn integrated_loudness_of_the_tech_3341_tones() {
        check_integrated(&[(-23.0, 20.0)], -23.0);
        check_integrated(&[(-33.0, 20.0)], -33.0);
        check_integrated(&[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0);
        let gated = [(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)];
        check_integrated(&gated, -23.0);
        check_integrated(&[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0);
    }

    #[test]
    fn range_of_the_tech_3342_tones() {
        check_range(&[(-20.0, 20.0), (-30.0, 20.0)], 10.0);
        check_range(&[(-20.0, 20.0), (-15.0, 20.0)], 5.0);
        check_range(&[(-40.0, 20.0), (-20.0, 20.0)], 20.0);
        check_range(&[(-50.0, 20.0), (-35.0, 20.0), (-20.0, 20.0), (-35.0, 20.0), (-50.0, 20.0)], 15.0);
    }

    #[test]
    fn true_peak_finds_what_lies_between_samples() {
        // A quarter-rate sine at 45°: samples at −3 dBFS, peaks at 0 (EBU Tech 3341 case 15 tolerates +0.2/−0.4).
        let mut meter = LoudnessMeter::new(48_000, 1);
        let samples: Vec<f32> = (0..48_000)
            .map(|i| {
                let edge = (i.min(48_000 - i) as f32 / 480.0).min(1.0);
                edge * (std::f32::consts::FRAC_PI_2 * i as f32 + std::f32::consts::FRAC_PI_4).sin()
            })
            .collect();
        meter.push(&samples);
        let peak = meter.finish().true_peak_dbtp.unwrap();
        assert!((-0.4..=0.2).contains(&peak), "{peak}");
    }

    #[test]
    fn silence_has_no_loudness() {
        let mut meter = LoudnessMeter::new(44_100, 2);
        meter.push(&vec![0.0; 88_200]);
        assert_eq!(meter.finish(), Loudness::default());
    }
}
