//! What stands behind the colon of a filter: numbers, ranges, times, ages, keys and marks.

use super::{Condition, Figure, Mark};
use crate::library::store::key_place;
use std::ops::Bound;
use synx_analysis::Key;

pub(super) const DAY_MS: f64 = 86_400_000.0;
/// A tempo that is asked for as one number is met within this much: 124 finds 123.98.
const BPM_SLACK: f64 = 0.5;

pub(super) fn mark(value: &str) -> Option<Mark> {
    Some(match value.to_lowercase().as_str() {
        "broken" => Mark::Broken,
        "missing" => Mark::Missing,
        "corrected" => Mark::Corrected,
        "waiting" => Mark::Waiting,
        _ => return None,
    })
}

pub(super) fn keys(value: &str) -> Option<Vec<u8>> {
    value.split(',').map(|name| Some(key_place(key(name.trim())?))).collect()
}

/// Also as musicians write it in short: `Am`, `F#m`, `Eb`.
fn key(name: &str) -> Option<Key> {
    let long = match name.strip_suffix('m') {
        Some(tonic) if !tonic.is_empty() && !tonic.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{tonic} minor")
        }
        _ => format!("{name} major"),
    };
    name.parse().or_else(|_| long.parse()).ok()
}

pub(super) type Range = (Bound<f64>, Bound<f64>);

pub(super) fn range(value: &str, read: fn(&str) -> Option<f64>) -> Option<Range> {
    use Bound::{Excluded, Included, Unbounded};
    let bound = |text: &str| read(text.trim());
    if let Some(rest) = value.strip_prefix(">=") {
        return Some((Included(bound(rest)?), Unbounded));
    }
    if let Some(rest) = value.strip_prefix("<=") {
        return Some((Unbounded, Included(bound(rest)?)));
    }
    if let Some(rest) = value.strip_prefix('>') {
        return Some((Excluded(bound(rest)?), Unbounded));
    }
    if let Some(rest) = value.strip_prefix('<') {
        return Some((Unbounded, Excluded(bound(rest)?)));
    }
    if let Some(exact) = bound(value) {
        return Some((Included(exact), Included(exact)));
    }
    // The sign of the first number, as in -14--8, is no dash between two.
    let dash = value.char_indices().skip(1).find(|(_, c)| *c == '-' || *c == '–')?;
    let (low, high) = (bound(&value[..dash.0])?, bound(&value[dash.0 + dash.1.len_utf8()..])?);
    (low <= high).then_some((Included(low), Included(high)))
}

pub(super) fn number(text: &str) -> Option<f64> {
    text.replace(',', ".").parse().ok().filter(|number: &f64| number.is_finite())
}

pub(super) fn minutes_us(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.split_once(':').unwrap_or((text, "0"));
    let (minutes, seconds): (u32, u32) = (minutes.parse().ok()?, seconds.parse().ok()?);
    (seconds < 60).then_some((f64::from(minutes) * 60.0 + f64::from(seconds)) * 1e6)
}

pub(super) fn age_ms(text: &str) -> Option<f64> {
    let unit = text.chars().next_back()?;
    let days = match unit.to_ascii_lowercase() {
        'h' => 1.0 / 24.0,
        'd' => 1.0,
        'w' => 7.0,
        'm' => 30.4,
        'y' => 365.25,
        _ => return None,
    };
    let count = number(text.strip_suffix(unit)?).filter(|count| *count >= 0.0)?;
    Some(count * days * DAY_MS)
}

/// A lower age is a later moment.
pub(super) fn ages(figure: Figure, (low, high): Range, now_ms: f64) -> Condition {
    let moment = |age: Bound<f64>| match age {
        Bound::Included(age) => Bound::Included(now_ms - age),
        Bound::Excluded(age) => Bound::Excluded(now_ms - age),
        Bound::Unbounded => Bound::Unbounded,
    };
    // “added:7d” means the last seven days.
    let youngest = if low == high { Bound::Unbounded } else { low };
    Condition::Within(figure, moment(high), moment(youngest))
}

pub(super) fn widened(figure: Figure, (low, high): Range) -> Condition {
    match (figure, low, high) {
        (Figure::Bpm, Bound::Included(low), Bound::Included(high)) if low == high => {
            Condition::Within(figure, Bound::Included(low - BPM_SLACK), Bound::Included(high + BPM_SLACK))
        }
        // A second that is shown as 3:59 may have some more.
        (Figure::Duration, low, Bound::Included(high)) => {
            Condition::Within(figure, low, Bound::Excluded(high + 1e6))
        }
        _ => Condition::Within(figure, low, high),
    }
}
