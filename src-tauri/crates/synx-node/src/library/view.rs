//! A track and its analysis in the form that is drawn.

use crate::bridge::{
    AnalysisView, Availability, KeySectionView, KeyView, MetreView, TempoAlternative, TempoSectionView,
    TempoView, TrackView, WaveformView,
};
use crate::library::{Correction, StoredTrack};
use synx_analysis::{
    Alternative, Analysis, Key, KeyEstimate, KeySection, Metre, Tempo, TempoRelation, TempoSection,
};
use synx_media::PeakBin;

/// More columns than any screen is wide.
const COLUMNS_MAX: u32 = 8192;

/// A track of the library.
pub fn track_view(track: &StoredTrack, availability: Availability, progress: f64) -> TrackView {
    let found = track.found.as_ref();
    TrackView {
        id: track.meta.hash.to_string(),
        path: track.path.to_string_lossy().into_owned(),
        title: track.meta.title.clone(),
        artist: track.meta.artist.clone(),
        album: track.meta.album.clone(),
        duration_s: track.meta.duration_us as f64 / 1e6,
        availability,
        progress,
        tempo: tempo_view(found.and_then(|found| found.tempo.as_ref()), &track.correction),
        key: key_view(found.and_then(|found| found.key.as_ref()), &track.correction),
        energy: found.map(|found| found.energy),
        loudness_lufs: found.and_then(|found| found.loudness_lufs),
        error: track.error.clone(),
        year: track.year,
        added_at_ms: track.added_at_ms,
        plays: track.plays,
        played_at_ms: track.played_at_ms,
    }
}

/// Everything the analysis found, and what was set by hand in its place.
pub fn analysis_view(analysis: &Analysis, correction: &Correction) -> AnalysisView {
    let (tempo, key) = (analysis.tempo.as_ref(), analysis.key.as_ref());
    AnalysisView {
        tempo: tempo_view(tempo, correction),
        key: key_view(key, correction),
        found_tempo: tempo.map(found_tempo),
        found_key: key.map(found_key),
        second_key: key.and_then(second_key_view),
        energy: analysis.energy,
        loudness_lufs: analysis.loudness.integrated_lufs,
        loudness_range_lu: analysis.loudness.range_lu,
        true_peak_dbtp: analysis.loudness.true_peak_dbtp,
        beats_s: beats_s(analysis, correction),
        downbeats: as_found(tempo, correction).map(|tempo| tempo.downbeats.clone()).unwrap_or_default(),
        metre: as_found(tempo, correction).and_then(|tempo| tempo.metre).map(metre_view),
        tempo_sections: as_found(tempo, correction)
            .map(|tempo| tempo.sections.iter().map(tempo_section).collect())
            .unwrap_or_default(),
        key_sections: key
            .filter(|_| correction.key.is_none())
            .map(|key| key.sections.iter().map(key_section).collect())
            .unwrap_or_default(),
    }
}

/// None where the beats were set by hand: bars and changes that were found belong to other beats.
fn as_found<'a>(found: Option<&'a Tempo>, correction: &Correction) -> Option<&'a Tempo> {
    found.filter(|_| correction.bpm.is_none() && correction.first_beat_s.is_none())
}

fn metre_view(metre: Metre) -> MetreView {
    MetreView { name: metre.to_string(), confidence: metre.confidence }
}

fn tempo_section(section: &TempoSection) -> TempoSectionView {
    TempoSectionView { start_s: section.start_s, bpm: section.bpm }
}

fn key_section(section: &KeySection) -> KeySectionView {
    KeySectionView { start_s: section.start_s, name: section.key.to_string(), camelot: section.key.camelot() }
}

/// The beats as they were found, or, where the tempo or the grid was set by hand, as that says.
fn beats_s(analysis: &Analysis, correction: &Correction) -> Vec<f64> {
    /// No music has more; a slip of the hand must not make millions of lines.
    const BEATS_MAX: usize = 100_000;
    let found = analysis.tempo.as_ref();
    let found_beats = found.map(|tempo| tempo.beats_s.clone()).unwrap_or_default();
    if correction.bpm.is_none() && correction.first_beat_s.is_none() {
        return found_beats;
    }
    let Some(bpm) = correction.bpm.or(found.map(|tempo| tempo.bpm)).filter(|bpm| *bpm > 0.0) else {
        return found_beats;
    };
    let period_s = 60.0 / bpm;
    let anchor_s = correction.first_beat_s.or(found_beats.first().copied()).unwrap_or(0.0);
    let first_s = anchor_s.rem_euclid(period_s);
    (0..BEATS_MAX)
        .map(|beat| first_s + beat as f64 * period_s)
        .take_while(|beat_s| *beat_s < analysis.duration_s)
        .collect()
}

fn tempo_view(found: Option<&Tempo>, correction: &Correction) -> Option<TempoView> {
    let found = found.map(found_tempo);
    match correction.bpm {
        Some(bpm) => Some(TempoView {
            bpm,
            confidence: 1.0,
            alternatives: found.map(|found| found.alternatives).unwrap_or_default(),
            by_hand: true,
        }),
        None => found,
    }
}

fn key_view(found: Option<&KeyEstimate>, correction: &Correction) -> Option<KeyView> {
    match correction.key {
        Some(key) => Some(KeyView { by_hand: true, ..named(key, 1.0) }),
        None => found.map(found_key),
    }
}

fn found_tempo(tempo: &Tempo) -> TempoView {
    let alternative = |other: &Alternative| TempoAlternative {
        bpm: other.bpm,
        relation: relation(other.relation).to_owned(),
    };
    TempoView {
        bpm: tempo.bpm,
        confidence: tempo.confidence,
        alternatives: tempo.alternatives.iter().map(alternative).collect(),
        by_hand: false,
    }
}

fn relation(relation: TempoRelation) -> &'static str {
    match relation {
        TempoRelation::Double => "x2",
        TempoRelation::Half => "/2",
        TempoRelation::ThreeHalves => "x3/2",
        TempoRelation::TwoThirds => "x2/3",
        TempoRelation::Triple => "x3",
        TempoRelation::Third => "/3",
        TempoRelation::Other => "other",
    }
}

fn found_key(estimate: &KeyEstimate) -> KeyView {
    named(estimate.key, estimate.confidence)
}

/// The runner-up can be no likelier than what the first leaves.
fn second_key_view(estimate: &KeyEstimate) -> Option<KeyView> {
    Some(named(estimate.second?, 1.0 - estimate.confidence))
}

fn named(key: Key, confidence: f64) -> KeyView {
    KeyView {
        name: key.to_string(),
        camelot: key.camelot(),
        open_key: key.open_key(),
        confidence,
        by_hand: false,
    }
}

/// The part of the waveform between two instants, as `columns` columns. What lies outside of the track is silence.
pub fn waveform_view(analysis: &Analysis, columns: u32, from_s: f64, to_s: f64) -> WaveformView {
    let columns = columns.clamp(1, COLUMNS_MAX) as usize;
    let rate_hz = f64::from(analysis.peaks.sample_rate_hz());
    let (from_s, to_s) = (finite(from_s), finite(to_s).max(finite(from_s)));
    let visible_frames = ((to_s - from_s) * rate_hz) as u64;
    let level = analysis.peaks.level_for(visible_frames, columns);
    let bins_per_s = rate_hz / f64::from(level.frames_per_bin);
    let step = (to_s - from_s) * bins_per_s / columns as f64;
    let mut view = WaveformView {
        from_s,
        to_s,
        min: Vec::with_capacity(columns),
        max: Vec::with_capacity(columns),
        rms: Vec::with_capacity(columns),
        low: Vec::with_capacity(columns),
        mid: Vec::with_capacity(columns),
        high: Vec::with_capacity(columns),
    };
    for column in 0..columns {
        let first = from_s * bins_per_s + column as f64 * step;
        push(&mut view, merged(&level.bins, first, first + step));
    }
    view
}

/// Seconds that cannot be a place in a track are its start.
fn finite(seconds: f64) -> f64 {
    if seconds.is_finite() { seconds.max(0.0) } else { 0.0 }
}

/// All bins between two places as one; at least the bin at the first.
fn merged(bins: &[PeakBin], from: f64, to: f64) -> PeakBin {
    let first = from as usize;
    let last = (to.ceil() as usize).max(first + 1).min(bins.len());
    let bins = bins.get(first..last).unwrap_or_default();
    bins.iter().copied().reduce(loudest).unwrap_or_default()
}

fn loudest(a: PeakBin, b: PeakBin) -> PeakBin {
    PeakBin {
        min: a.min.min(b.min),
        max: a.max.max(b.max),
        rms: a.rms.max(b.rms),
        low: a.low.max(b.low),
        mid: a.mid.max(b.mid),
        high: a.high.max(b.high),
    }
}

fn push(view: &mut WaveformView, bin: PeakBin) {
    // Levels are stored as the square root of the amplitude.
    let amplitude = |level: u8| (f32::from(level) / 255.0).powi(2);
    let (low, mid, high) =
        (amplitude(bin.low).powi(2), amplitude(bin.mid).powi(2), amplitude(bin.high).powi(2));
    let energy = (low + mid + high).max(f32::MIN_POSITIVE);
    view.min.push(f32::from(bin.min) / 127.0);
    view.max.push(f32::from(bin.max) / 127.0);
    view.rms.push(amplitude(bin.rms));
    view.low.push(low / energy);
    view.mid.push(mid / energy);
    view.high.push(high / energy);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_that_were_found_do_not_belong_to_beats_set_by_hand() {
        let metre = Some(Metre { count: 4, unit: 4, confidence: 0.9 });
        let tempo = Tempo {
            bpm: 120.0,
            confidence: 0.9,
            beats_s: vec![0.0, 0.5],
            alternatives: Vec::new(),
            grid: None,
            sections: Vec::new(),
            metre,
            downbeats: vec![0],
        };
        let corrections = [(None, None, true), (Some(60.0), None, false), (None, Some(0.2), false)];
        for (bpm, first_beat_s, stays) in corrections {
            let correction = Correction { bpm, first_beat_s, key: None };
            assert_eq!(as_found(Some(&tempo), &correction).is_some(), stays);
        }
    }
}
