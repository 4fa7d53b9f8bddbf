//! Bounds of what people may write. Control characters are refused everywhere but line breaks and tabs in
//! messages and what people say of themselves.

use crate::{
    LoopRegion, MusicalPreferences, Rejection, RoomSettings, SettingsChange, TrackAnalysis, TrackMeta,
    UserProfile,
};

pub(crate) const NAME_MAX_CHARS: usize = 40;
const ROOM_NAME_MAX_CHARS: usize = 80;
const BIO_MAX_CHARS: usize = 500;
const TEXT_MAX_CHARS: usize = 4000;
/// What a file says of itself, and what is said of a file, is cut at this length.
const TIDY_MAX_CHARS: usize = 300;
const FILE_NAME_MAX_BYTES: usize = 255;
const LIST_MAX_ITEMS: usize = 16;
const PARTICIPANTS_MAX: u32 = 1000;
/// A hundred years.
const ARCHIVE_DAYS_MAX: u32 = 36_500;
/// Slowest and fastest tempo that a preference may name, beats per minute.
const TEMPO_BOUNDS_BPM: (f64, f64) = (20.0, 400.0);

type Checked = Result<(), Rejection>;

fn invalid(field: &'static str, problem: impl Into<String>) -> Checked {
    Err(Rejection::Invalid { field, problem: problem.into() })
}

fn line(field: &'static str, text: &str, max_chars: usize) -> Checked {
    if text.trim().is_empty() {
        return invalid(field, "must not be empty");
    }
    if text.chars().any(char::is_control) {
        return invalid(field, "must not contain control characters");
    }
    at_most(field, text, max_chars)
}

fn at_most(field: &'static str, text: &str, max_chars: usize) -> Checked {
    if text.chars().count() > max_chars {
        return invalid(field, format!("must have at most {max_chars} characters"));
    }
    Ok(())
}

fn list(field: &'static str, items: &[String]) -> Checked {
    if items.len() > LIST_MAX_ITEMS {
        return invalid(field, format!("must have at most {LIST_MAX_ITEMS} entries"));
    }
    items.iter().try_for_each(|item| line(field, item, NAME_MAX_CHARS))
}

fn lines(field: &'static str, text: &str, max_chars: usize) -> Checked {
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return invalid(field, "must not contain control characters");
    }
    at_most(field, text, max_chars)
}

/// Words of a chat message or a comment.
pub(crate) fn text(text: &str) -> Checked {
    if text.trim().is_empty() {
        return invalid("text", "must not be empty");
    }
    lines("text", text, TEXT_MAX_CHARS)
}

/// A moment, or a range, of a track.
pub(crate) fn range(position_us: i64, end_us: Option<i64>, duration_us: i64) -> Checked {
    let last_us = end_us.unwrap_or(position_us);
    if 0 <= position_us && position_us <= last_us && last_us <= duration_us {
        Ok(())
    } else {
        invalid("position_us", "must lie within the track, the end of a range not before its start")
    }
}

pub(crate) fn loop_region(region: LoopRegion, duration_us: i64) -> Checked {
    if region.is_valid() && region.end_us <= duration_us {
        Ok(())
    } else {
        invalid("region", "must lie within the track and last for at least 50 ms")
    }
}

/// Tags come from files that anybody may bring: they are made fit to show, not refused.
pub(crate) fn tidy(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(TIDY_MAX_CHARS).collect::<String>().trim().to_owned()
}

/// A track that can be played, with its tags made tidy.
pub(crate) fn track(track: &TrackMeta) -> Result<TrackMeta, Rejection> {
    file_name(&track.file_name)?;
    if track.duration_us < 1 {
        return Err(Rejection::Invalid { field: "duration_us", problem: "must be above 0".to_owned() });
    }
    let tag = |text: &str| Some(tidy(text)).filter(|text| !text.is_empty());
    Ok(TrackMeta {
        title: tag(&track.title).unwrap_or_else(|| track.file_name.clone()),
        artist: track.artist.as_deref().and_then(tag),
        album: track.album.as_deref().and_then(tag),
        ..track.clone()
    })
}

/// JSON has no infinities: a number that is none would not come back from the log.
pub(crate) fn analysis(analysis: &TrackAnalysis) -> Checked {
    let share = |value: f64| (0.0..=1.0).contains(&value);
    let fits = analysis.bpm.is_none_or(|bpm| bpm.is_finite() && bpm > 0.0)
        && analysis.first_beat_s.is_none_or(|beat_s| beat_s.is_finite() && beat_s >= 0.0)
        && analysis.loudness_lufs.is_none_or(f64::is_finite)
        && share(analysis.bpm_confidence)
        && share(analysis.key_confidence)
        && (1..=10).contains(&analysis.energy);
    if fits { Ok(()) } else { invalid("analysis", "must hold finite numbers within their stated ranges") }
}

/// A file name without folders.
pub(crate) fn file_name(name: &str) -> Checked {
    if name.trim().is_empty() || name == "." || name == ".." {
        return invalid("file_name", "must name a file");
    }
    if name.len() > FILE_NAME_MAX_BYTES {
        return invalid("file_name", format!("must have at most {FILE_NAME_MAX_BYTES} bytes"));
    }
    if name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\')) {
        return invalid("file_name", "must not contain folders or control characters");
    }
    Ok(())
}

/// Characters that show nothing, or turn around what follows: between two names they make no difference.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A name shows something, and does not turn around the text beside it.
fn person_name(name: &str) -> Checked {
    line("name", name, NAME_MAX_CHARS)?;
    if name.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return invalid("name", "must not be empty");
    }
    if name.chars().any(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
        return invalid("name", "must not turn the direction of writing");
    }
    Ok(())
}

pub(crate) fn profile(profile: &UserProfile) -> Checked {
    person_name(&profile.name)?;
    if let Some(color) = &profile.color {
        let digits = color.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return invalid("color", "must be written as #rrggbb");
        }
    }
    if let Some(bio) = &profile.bio {
        lines("bio", bio, BIO_MAX_CHARS)?;
    }
    match &profile.picture {
        Some(text) if !is_picture(text) => {
            let px = UserProfile::PICTURE_PX;
            invalid("picture", format!("must be the {px} times {px} pixels of a picture in base64"))
        }
        _ => Ok(()),
    }
}

fn is_picture(text: &str) -> bool {
    const BYTES: usize = 2 * UserProfile::PICTURE_PX * UserProfile::PICTURE_PX;
    let (digits, padding) = text.split_at_checked(text.trim_end_matches('=').len()).unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len() == BYTES.div_ceil(3) * 4
        && padding.len() == (3 - BYTES % 3) % 3
        && digits.bytes().all(is_digit)
}

pub(crate) fn preferences(preferences: &MusicalPreferences) -> Checked {
    list("genres", &preferences.genres)?;
    list("keys", &preferences.keys)?;
    list("instruments", &preferences.instruments)?;
    match preferences.tempo_range_bpm {
        Some((slowest, fastest)) => {
            let (min, max) = TEMPO_BOUNDS_BPM;
            let fits = min <= slowest && slowest <= fastest && fastest <= max;
            if fits {
                Ok(())
            } else {
                invalid("tempo_range_bpm", format!("must rise and lie within {min} to {max}"))
            }
        }
        None => Ok(()),
    }
}

pub(crate) fn settings(settings: &RoomSettings) -> Checked {
    line("name", &settings.name, ROOM_NAME_MAX_CHARS)?;
    list("genres", &settings.genres)?;
    archive(settings.archive_after_days)?;
    participants(settings.max_participants)
}

pub(crate) fn settings_change(change: &SettingsChange) -> Checked {
    change.name.as_deref().map_or(Ok(()), |name| line("name", name, ROOM_NAME_MAX_CHARS))?;
    change.genres.as_deref().map_or(Ok(()), |genres| list("genres", genres))?;
    change.archive_after_days.map_or(Ok(()), archive)?;
    change.max_participants.map_or(Ok(()), participants)
}

fn archive(after_days: u32) -> Checked {
    if after_days <= ARCHIVE_DAYS_MAX {
        Ok(())
    } else {
        invalid("archive_after_days", format!("must lie within 0 to {ARCHIVE_DAYS_MAX}"))
    }
}

fn participants(max_participants: u32) -> Checked {
    if (1..=PARTICIPANTS_MAX).contains(&max_participants) {
        Ok(())
    } else {
        invalid("max_participants", format!("must lie within 1 to {PARTICIPANTS_MAX}"))
    }
}
