//! The waveform picture: minimum, maximum, RMS and three band levels per bin, in several zoom levels.
//!
//! One pass, bounded memory: when a track outgrows the bins, they are merged by four. Only the finest level is stored;
//! the others follow from it.

mod bands;
mod builder;

pub use builder::PeaksBuilder;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Finest resolution: at 44.1 kHz 172 bins a second, a pixel each at the closest useful zoom.
const BASE_FRAMES: u32 = 256;
/// Each level is this much coarser than the one before.
const ZOOM: usize = 4;
/// More bins than this are merged (12 minutes at the base resolution; 0.8 MB stored).
const MAX_BINS: usize = 1 << 17;
/// Levels are built until one has at most this many bins.
const SMALLEST_LEVEL_BINS: usize = 256;
const FORMAT_VERSION: u8 = 1;
const HEADER_BYTES: usize = 17;
const BIN_BYTES: usize = 6;

/// One column of the waveform. Levels are stored as the square root of the amplitude (0 to 1) times 255, which keeps
/// quiet passages visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeakBin {
    /// Lowest sample of any channel, −127 to 127 for −1 to 1.
    pub min: i8,
    /// Highest sample of any channel, −127 to 127 for −1 to 1.
    pub max: i8,
    /// Level of the mono mix.
    pub rms: u8,
    /// Level below 200 Hz.
    pub low: u8,
    /// Level between 200 Hz and 2.5 kHz.
    pub mid: u8,
    /// Level above 2.5 kHz.
    pub high: u8,
}

/// All bins at one zoom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeakLevel {
    /// Frames that one bin stands for.
    pub frames_per_bin: u32,
    /// The bins from the start of the track; the last may stand for fewer frames.
    pub bins: Vec<PeakBin>,
}

/// The waveform of a track, finest level first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peaks {
    sample_rate_hz: u32,
    frames: u64,
    levels: Vec<PeakLevel>,
}

impl Peaks {
    /// Frames per second of the track.
    #[must_use]
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Length of the track.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// All zoom levels, finest first.
    #[must_use]
    pub fn levels(&self) -> &[PeakLevel] {
        &self.levels
    }

    /// The coarsest level that still has a bin for each of `width` pixels when `visible_frames` fill them.
    #[must_use]
    pub fn level_for(&self, visible_frames: u64, width: usize) -> &PeakLevel {
        let per_pixel = visible_frames / (width.max(1) as u64);
        let fitting = self.levels.iter().rev().find(|l| u64::from(l.frames_per_bin) <= per_pixel);
        fitting.unwrap_or(&self.levels[0])
    }

    /// Compact form: a header of 17 bytes and six bytes for each bin of the finest level.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let base = &self.levels[0];
        let mut out = Vec::with_capacity(HEADER_BYTES + base.bins.len() * BIN_BYTES);
        out.push(FORMAT_VERSION);
        out.extend_from_slice(&self.sample_rate_hz.to_le_bytes());
        out.extend_from_slice(&self.frames.to_le_bytes());
        out.extend_from_slice(&base.frames_per_bin.to_le_bytes());
        for b in &base.bins {
            out.extend_from_slice(&[
                b.min.cast_unsigned(),
                b.max.cast_unsigned(),
                b.rms,
                b.low,
                b.mid,
                b.high,
            ]);
        }
        out
    }

    /// Reads [`to_bytes`](Self::to_bytes); `None` where the bytes are not of that form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Peaks> {
        let (&version, rest) = bytes.split_first()?;
        let (rate, rest) = rest.split_first_chunk::<4>()?;
        let (frames, rest) = rest.split_first_chunk::<8>()?;
        let (per_bin, rest) = rest.split_first_chunk::<4>()?;
        let (bins, leftover) = rest.as_chunks::<BIN_BYTES>();
        let frames_per_bin = u32::from_le_bytes(*per_bin);
        if version != FORMAT_VERSION || !leftover.is_empty() || frames_per_bin == 0 {
            return None;
        }
        let bins: Vec<PeakBin> = bins
            .iter()
            .map(|&[min, max, rms, low, mid, high]| PeakBin {
                min: min.cast_signed(),
                max: max.cast_signed(),
                rms,
                low,
                mid,
                high,
            })
            .collect();
        let levels = pyramid(PeakLevel { frames_per_bin, bins });
        Some(Peaks { sample_rate_hz: u32::from_le_bytes(*rate), frames: u64::from_le_bytes(*frames), levels })
    }
}

/// As text: base64 of the compact form.
impl Serialize for Peaks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::BASE64.encode(&self.to_bytes()))
    }
}

impl<'de> Deserialize<'de> for Peaks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = data_encoding::BASE64.decode(text.as_bytes()).map_err(D::Error::custom)?;
        Peaks::from_bytes(&bytes).ok_or_else(|| D::Error::custom("not a waveform of a known version"))
    }
}

fn pyramid(base: PeakLevel) -> Vec<PeakLevel> {
    let mut levels = vec![base];
    while let Some(last) = levels.last() {
        if last.bins.len() <= SMALLEST_LEVEL_BINS {
            break;
        }
        let bins = last.bins.chunks(ZOOM).map(coarser).collect();
        let frames_per_bin = last.frames_per_bin.saturating_mul(ZOOM as u32);
        levels.push(PeakLevel { frames_per_bin, bins });
    }
    levels
}

fn coarser(group: &[PeakBin]) -> PeakBin {
    let level = |field: fn(&PeakBin) -> u8| {
        let energy: f32 = group.iter().map(|b| (f32::from(field(b)) / 255.0).powi(4)).sum();
        ((energy / group.len() as f32).powf(0.25) * 255.0).round() as u8
    };
    PeakBin {
        min: group.iter().map(|b| b.min).min().unwrap_or(0),
        max: group.iter().map(|b| b.max).max().unwrap_or(0),
        rms: level(|b| b.rms),
        low: level(|b| b.low),
        mid: level(|b| b.mid),
        high: level(|b| b.high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f32, seconds: f32, gain: f32) -> Vec<f32> {
        (0..(44_100.0 * seconds) as usize)
            .map(|i| gain * (std::f32::consts::TAU * hz * i as f32 / 44_100.0).sin())
            .collect()
    }

    fn peaks_of(samples: &[f32], channels: usize, block: usize) -> Peaks {
        let mut builder = PeaksBuilder::new(44_100, channels);
        samples.chunks(block).for_each(|b| builder.push(b));
        builder.finish()
    }

    #[test]
    fn block_size_does_not_change_the_picture() {
        let samples = sine(441.0, 1.0, 0.5);
        assert_eq!(peaks_of(&samples, 1, 100), peaks_of(&samples, 1, 44_100));
    }

    #[test]
    fn bands_follow_the_pitch() {
        let loudest = |hz| {
            let bin = peaks_of(&sine(hz, 1.0, 0.5), 1, 4096).levels()[0].bins[80];
            let bands = [bin.low, bin.mid, bin.high];
            (0..3).max_by_key(|&i| bands[i]).unwrap()
        };
        assert_eq!([loudest(60.0), loudest(800.0), loudest(9000.0)], [0, 1, 2]);
    }

    #[test]
    fn one_loud_channel_shows_in_full() {
        let interleaved: Vec<f32> = sine(100.0, 4.0, 1.0).into_iter().flat_map(|s| [s, 0.0]).collect();
        let bin = peaks_of(&interleaved, 2, 512).levels()[1].bins[5];
        assert!(bin.max > 120 && bin.min < -120, "{bin:?}");
    }

    #[test]
    fn four_minutes_stay_below_a_quarter_megabyte_and_survive_storage() {
        let mut builder = PeaksBuilder::new(44_100, 1);
        let second = sine(220.0, 1.0, 0.7);
        (0..240).for_each(|_| builder.push(&second));
        let peaks = builder.finish();
        assert!(peaks.to_bytes().len() < 260_000);
        assert_eq!(Peaks::from_bytes(&peaks.to_bytes()).as_ref(), Some(&peaks));
        let json = serde_json::to_string(&peaks).unwrap();
        assert_eq!(serde_json::from_str::<Peaks>(&json).unwrap(), peaks);
        assert_eq!(Peaks::from_bytes(&peaks.to_bytes()[..100]), None);
    }

    #[test]
    fn hours_are_merged_not_piled_up() {
        let mut builder = PeaksBuilder::new(8_000, 1);
        let minute = vec![0.25; 8_000 * 60];
        (0..600).for_each(|_| builder.push(&minute));
        let peaks = builder.finish();
        assert_eq!(peaks.frames(), 8_000 * 36_000);
        assert!(peaks.levels()[0].bins.len() <= MAX_BINS);
        let covered = peaks.levels()[0].bins.len() as u64 * u64::from(peaks.levels()[0].frames_per_bin);
        assert!((covered - peaks.frames()) < u64::from(peaks.levels()[0].frames_per_bin));
    }

    #[test]
    fn the_level_fits_the_width() {
        let peaks = peaks_of(&sine(100.0, 20.0, 0.5), 1, 4096);
        let whole = peaks.level_for(peaks.frames(), 300);
        assert!(whole.bins.len() >= 300 && whole.bins.len() < 300 * ZOOM);
        assert_eq!(peaks.level_for(1000, 300).frames_per_bin, BASE_FRAMES);
    }
}
