//! Key: its names, and the engines that find it.

mod chroma;
mod engine;
mod harmony;
mod profiles;
mod sections;
mod weights;

use std::fmt;
use std::str::FromStr;

pub use engine::{KeyEvidence, KeyReading, ProfileKeyEngine};
use serde::{Deserialize, Serialize};

/// Major or minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Major.
    Major,
    /// Minor.
    Minor,
}

/// One of the 24 keys. Written "A minor", also in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Key {
    tonic: u8,
    mode: Mode,
}

/// The usual spelling of each tonic, C first.
const MAJOR_NAMES: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const MINOR_NAMES: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"];

impl Key {
    /// The key on a pitch class, 0 = C to 11 = B; higher numbers wrap.
    #[must_use]
    pub fn new(pitch_class: u8, mode: Mode) -> Key {
        Key { tonic: pitch_class % 12, mode }
    }

    /// Pitch class of the tonic, 0 = C to 11 = B.
    #[must_use]
    pub fn tonic(self) -> u8 {
        self.tonic
    }

    /// Major or minor.
    #[must_use]
    pub fn mode(self) -> Mode {
        self.mode
    }

    /// Camelot notation: "8A" is A minor, "8B" C major; neighbours on the wheel mix well.
    #[must_use]
    pub fn camelot(self) -> String {
        let letter = if self.mode == Mode::Minor { 'A' } else { 'B' };
        format!("{}{letter}", self.wheel(8))
    }

    /// Open Key notation: "1m" is A minor, "1d" C major.
    #[must_use]
    pub fn open_key(self) -> String {
        let letter = if self.mode == Mode::Minor { 'm' } else { 'd' };
        format!("{}{letter}", self.wheel(1))
    }

    /// Place on the circle of fifths, 1 to 12, where C major and A minor are `home`.
    fn wheel(self, home: u8) -> u8 {
        let relative_major = if self.mode == Mode::Minor { self.tonic + 3 } else { self.tonic };
        // Seven is its own inverse modulo twelve: semitones become fifths.
        (relative_major * 7 + home - 1) % 12 + 1
    }

    fn from_wheel(number: u8, home: u8, mode: Mode) -> Option<Key> {
        let fifths = (1..=12).contains(&number).then_some((number + 12 - home) % 12)?;
        let offset = if mode == Mode::Minor { 9 } else { 0 };
        Some(Key::new(fifths * 7 % 12 + offset, mode))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, mode) = match self.mode {
            Mode::Major => (MAJOR_NAMES, "major"),
            Mode::Minor => (MINOR_NAMES, "minor"),
        };
        write!(f, "{} {mode}", names[usize::from(self.tonic)])
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.to_string()
    }
}

impl TryFrom<String> for Key {
    type Error = UnknownKey;

    fn try_from(text: String) -> Result<Key, UnknownKey> {
        text.parse()
    }
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a key. Write it like \"A minor\", \"8A\" or \"1m\"")]
pub struct UnknownKey(String);

impl FromStr for Key {
    type Err = UnknownKey;

    /// Reads musical ("F# minor", "Gb major"), Camelot ("11A") and Open Key ("4m") notation.
    fn from_str(text: &str) -> Result<Key, UnknownKey> {
        musical(text).or_else(|| on_the_wheel(text.trim())).ok_or_else(|| UnknownKey(text.to_owned()))
    }
}

fn musical(text: &str) -> Option<Key> {
    let mut words = text.split_whitespace();
    let (name, mode) = (words.next()?, words.next()?);
    let mode = match mode.to_ascii_lowercase().as_str() {
        "major" => Mode::Major,
        "minor" => Mode::Minor,
        _ => return None,
    };
    let mut letters = name.chars();
    let natural = match letters.next()?.to_ascii_uppercase() {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' => 11,
        _ => return None,
    };
    let accidental = match letters.as_str() {
        "" => 12,
        "#" | "♯" => 13,
        "b" | "♭" => 11,
        _ => return None,
    };
    words.next().is_none().then(|| Key::new(natural + accidental, mode))
}

fn on_the_wheel(text: &str) -> Option<Key> {
    let letter = text.chars().next_back()?;
    let number: u8 = text.strip_suffix(letter)?.parse().ok()?;
    match letter {
        'A' | 'a' => Key::from_wheel(number, 8, Mode::Minor),
        'B' | 'b' => Key::from_wheel(number, 8, Mode::Major),
        'm' => Key::from_wheel(number, 1, Mode::Minor),
        'd' => Key::from_wheel(number, 1, Mode::Major),
        _ => None,
    }
}

/// A key and how sure it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyEstimate {
    /// The likeliest key.
    pub key: Key,
    /// 0 to 1: how likely it is right.
    pub confidence: f64,
    /// The next likeliest.
    pub second: Option<Key>,
    /// How far the music is tuned from A = 440 Hz, −50 to 50 cents.
    pub tuning_cents: f64,
    /// The keys in turn, where the music changes its key for good while it lasts; empty where one holds.
    #[serde(default)]
    pub sections: Vec<KeySection>,
}

/// A key that holds from here on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeySection {
    /// Seconds from the start of the track.
    pub start_s: f64,
    /// The key.
    pub key: Key,
}

/// Finds the key of mono audio that is pushed block by block.
pub trait KeyEngine {
    /// Takes the next samples.
    fn push(&mut self, mono: &[f32]);
    /// The result for everything pushed; `None` where nothing has a pitch to speak of.
    fn finish(&mut self) -> Option<KeyEstimate>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, camelot: &str, open: &str) {
        let key: Key = name.parse().unwrap();
        assert_eq!(
            (key.to_string().as_str(), key.camelot().as_str(), key.open_key().as_str()),
            (name, camelot, open)
        );
        assert_eq!(camelot.parse::<Key>().unwrap(), key);
        assert_eq!(open.parse::<Key>().unwrap(), key);
        assert_eq!(serde_json::from_str::<Key>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
    }

    #[test]
    fn notations_agree() {
        check("A minor", "8A", "1m");
        check("C major", "8B", "1d");
        check("E minor", "9A", "2m");
        check("F major", "7B", "12d");
        check("F# minor", "11A", "4m");
        check("Ab major", "4B", "9d");
        check("B major", "1B", "6d");
        check("Db major", "3B", "8d");
    }

    #[test]
    fn spellings_of_one_key_are_equal() {
        assert_eq!("Gb major".parse::<Key>(), "F# major".parse());
        assert_eq!("Cb major".parse::<Key>(), "B major".parse());
        assert_eq!("B# minor".parse::<Key>(), "C minor".parse());
    }

    #[test]
    fn nonsense_is_no_key() {
        for text in ["", "H minor", "A", "13A", "0B", "A minor 7", "8C", "é"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }
}
