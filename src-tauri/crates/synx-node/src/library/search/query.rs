//! What is typed into the search: words, and filters such as `bpm:120-128 key:8A energy:>6 artist:"mira holm" added:<7d`.
//!
//! Must never guess at a filter that means nothing: it says which, and how it would be written.

mod values;

use crate::library::store::plain;
use std::ops::Bound;
use values::{age_ms, ages, keys, mark, minutes_us, number, range, widened};

/// A search, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// All of them must be found, or, where negated, none.
    pub words: Vec<Word>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

/// A word, or several in quotes, that a track is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Without case and accents.
    pub text: String,
    /// Where it must stand; anywhere without.
    pub field: Option<TextField>,
    /// It must not be found.
    pub negated: bool,
    /// It was in quotes: meant as it stands.
    pub quoted: bool,
}

/// What a word can be looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    /// Title.
    Title,
    /// Artist.
    Artist,
    /// Album.
    Album,
    /// File name.
    File,
}

/// What must hold of a track's figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A figure lies in a range.
    Within(Figure, Bound<f64>, Bound<f64>),
    /// The key is one of these, as places on the Camelot wheel.
    Keys(Vec<u8>),
    /// A mark is set.
    Is(Mark),
}

/// A figure of a track, in the unit of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Beats per minute.
    Bpm,
    /// 1 to 10.
    Energy,
    /// LUFS.
    Loudness,
    /// Of the release.
    Year,
    /// Microseconds.
    Duration,
    /// Milliseconds since 1970 UTC.
    Added,
    /// Milliseconds since 1970 UTC.
    Played,
    /// How often it was played.
    Plays,
}

/// Something that a track is or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It cannot be used.
    Broken,
    /// Its file cannot be reached.
    Missing,
    /// Something about it was set by hand.
    Corrected,
    /// It waits for its analysis.
    Waiting,
}

/// A filter that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// There is no such filter.
    #[error(
        "there is no filter “{name}:”. There are bpm, key, energy, loudness, year, time, added, played, plays, title, artist, album, file and is. To search for the words themselves, put them in quotes: \"{name}:{value}\""
    )]
    UnknownFilter {
        /// What stands before the colon.
        name: String,
        /// What stands after it.
        value: String,
    },
    /// The filter has no such value.
    #[error("“{name}:{value}” means nothing. {help}")]
    BadValue {
        /// The filter.
        name: String,
        /// What it was to be.
        value: String,
        /// How it would be written.
        help: &'static str,
    },
}

const RANGE_HELP: &str = "Write a number, a range as in 120-128, or a bound as in >120 or <=128.";
const AGE_HELP: &str = "Write how long ago, as in <7d (within seven days) or >1y; with h, d, w, m or y.";
const TIME_HELP: &str = "Write minutes and seconds, as in <4:30, or a range as in 3:00-5:00.";
const KEY_HELP: &str = "Write a key as in 8A, 1m, Am or \"A minor\"; several with commas, as in 8A,9A.";
const IS_HELP: &str = "There are is:broken, is:missing, is:corrected and is:waiting.";
const TEXT_HELP: &str = "Write a word, or several in quotes, as in artist:\"mira holm\".";

impl Query {
    /// Reads what was typed; `now_ms` is what ages are counted from.
    ///
    /// # Errors
    /// The first filter that means nothing.
    pub fn read(typed: &str, now_ms: i64) -> Result<Self, QueryError> {
        let mut query = Self::default();
        for part in parts(typed) {
            query.take(part, now_ms)?;
        }
        Ok(query)
    }

    fn take(&mut self, part: Part, now_ms: i64) -> Result<(), QueryError> {
        let Part { negated, name, value, quoted } = part;
        let Some(name) = name else {
            self.word(&value, None, negated, quoted);
            return Ok(());
        };
        let bad = |help| QueryError::BadValue { name: name.clone(), value: value.clone(), help };
        let figure = match name.as_str() {
            "bpm" | "tempo" => Figure::Bpm,
            "energy" => Figure::Energy,
            "loudness" | "lufs" => Figure::Loudness,
            "year" => Figure::Year,
            "time" | "length" | "duration" => Figure::Duration,
            "added" => Figure::Added,
            "played" => Figure::Played,
            "plays" => Figure::Plays,
            "key" => {
                self.conditions.push(Condition::Keys(keys(&value).ok_or_else(|| bad(KEY_HELP))?));
                return Ok(());
            }
            "is" => {
                self.conditions.push(Condition::Is(mark(&value).ok_or_else(|| bad(IS_HELP))?));
                return Ok(());
            }
            _ => {
                let field = field(&name)
                    .ok_or_else(|| QueryError::UnknownFilter { name: name.clone(), value: value.clone() })?;
                return if self.word(&value, Some(field), negated, quoted) {
                    Ok(())
                } else {
                    Err(bad(TEXT_HELP))
                };
            }
        };
        let (read, help): (fn(&str) -> Option<f64>, _) = match figure {
            Figure::Duration => (minutes_us, TIME_HELP),
            Figure::Added | Figure::Played => (age_ms, AGE_HELP),
            _ => (number, RANGE_HELP),
        };
        let range = range(&value, read).ok_or_else(|| bad(help))?;
        self.conditions.push(match figure {
            Figure::Added | Figure::Played => ages(figure, range, now_ms as f64),
            _ => widened(figure, range),
        });
        Ok(())
    }

    /// False where nothing can be looked for.
    fn word(&mut self, text: &str, field: Option<TextField>, negated: bool, quoted: bool) -> bool {
        let text = plain(text);
        let searchable = text.chars().any(char::is_alphanumeric);
        if searchable {
            self.words.push(Word { text, field, negated, quoted });
        }
        searchable
    }
}

/// A part of what was typed: a word or a filter.
struct Part {
    negated: bool,
    name: Option<String>,
    value: String,
    quoted: bool,
}

/// Splits at blanks outside of quotes. A quote that is not closed, as while typing, ends with the text.
fn parts(typed: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let mut rest = typed.trim_start();
    while !rest.is_empty() {
        let negated = rest.starts_with('-') && rest.chars().nth(1).is_some_and(|c| !c.is_whitespace());
        rest = if negated { &rest[1..] } else { rest };
        let name = filter_name(rest);
        rest = name.map_or(rest, |name| &rest[name.len() + 1..]);
        let (value, quoted, after) = value(rest);
        // A name with nothing after it, as while typing, is no filter yet: it is left out.
        if name.is_none() || !value.is_empty() {
            found.push(Part { negated, name: name.map(str::to_lowercase), value: value.to_owned(), quoted });
        }
        rest = after.trim_start();
    }
    found
}

/// Letters before a colon name a filter; `4:30` and `http://` do not.
fn filter_name(text: &str) -> Option<&str> {
    let (name, after) = text.split_once(':')?;
    let is_name = !name.is_empty() && name.chars().all(char::is_alphabetic) && !after.starts_with("//");
    is_name.then_some(name)
}

fn value(text: &str) -> (&str, bool, &str) {
    match text.strip_prefix(['"', '“', '”']) {
        Some(quoted) => {
            let (value, after) = quoted.split_once(['"', '“', '”']).unwrap_or((quoted, ""));
            (value, true, after)
        }
        None => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            (&text[..end], false, &text[end..])
        }
    }
}

fn field(name: &str) -> Option<TextField> {
    Some(match name {
        "title" => TextField::Title,
        "artist" | "by" => TextField::Artist,
        "album" => TextField::Album,
        "file" => TextField::File,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::values::DAY_MS;
    use super::*;
    use proptest::prelude::*;
    use std::ops::Bound::{Excluded, Included, Unbounded};

    fn read(typed: &str) -> Query {
        Query::read(typed, 1_000_000_000_000).unwrap()
    }

    fn only(typed: &str) -> Condition {
        let query = read(typed);
        assert_eq!((query.words.len(), query.conditions.len()), (0, 1), "{typed}");
        query.conditions[0].clone()
    }

    fn refused(typed: &str) -> String {
        Query::read(typed, 0).unwrap_err().to_string()
    }

    #[test]
    fn ranges_and_bounds() {
        assert_eq!(only("bpm:120-128"), Condition::Within(Figure::Bpm, Included(120.0), Included(128.0)));
        assert_eq!(only("BPM:124"), Condition::Within(Figure::Bpm, Included(123.5), Included(124.5)));
        assert_eq!(only("energy:>6"), Condition::Within(Figure::Energy, Excluded(6.0), Unbounded));
        assert_eq!(
            only("loudness:-14--8"),
            Condition::Within(Figure::Loudness, Included(-14.0), Included(-8.0))
        );
        assert_eq!(only("year:<=1999"), Condition::Within(Figure::Year, Unbounded, Included(1999.0)));
        assert_eq!(only("time:<4:30"), Condition::Within(Figure::Duration, Unbounded, Excluded(270e6)));
        let week_ago = 1e12 - 7.0 * DAY_MS;
        assert_eq!(only("added:<7d"), Condition::Within(Figure::Added, Excluded(week_ago), Unbounded));
        assert_eq!(only("added:1w"), Condition::Within(Figure::Added, Included(week_ago), Unbounded));
        assert_eq!(only("played:>1w"), Condition::Within(Figure::Played, Unbounded, Excluded(week_ago)));
    }

    #[test]
    fn keys_in_every_notation() {
        for typed in ["key:8A", "key:1m", "key:Am", "key:\"A minor\"", "key:8a"] {
            assert_eq!(only(typed), Condition::Keys(vec![14]), "{typed}");
        }
        assert_eq!(only("key:8A,9A"), Condition::Keys(vec![14, 16]));
        assert_eq!(only("key:F#m"), Condition::Keys(vec![20]));
        assert_eq!(only("key:C"), Condition::Keys(vec![15]));
    }

    #[test]
    fn words_quotes_and_what_must_not_be() {
        let query = read("Café artist:\"Mira Holm\" -live -artist:northwater 4:30");
        let found: Vec<_> =
            query.words.iter().map(|word| (word.text.as_str(), word.field, word.negated)).collect();
        assert_eq!(
            found,
            [
                ("cafe", None, false),
                ("mira holm", Some(TextField::Artist), false),
                ("live", None, true),
                ("northwater", Some(TextField::Artist), true),
                ("4:30", None, false)
            ]
        );
    }

    #[test]
    fn what_is_only_half_typed_is_left_out() {
        assert_eq!(read("bpm: "), Query::default());
        assert_eq!(read("  -  ??? "), Query::default());
        assert_eq!(read("\"slow sat").words[0].text, "slow sat");
    }

    #[test]
    fn what_means_nothing_says_how_it_would_be_written() {
        assert!(
            refused("bmp:120").contains("no filter “bmp:”") && refused("bmp:120").contains("\"bmp:120\"")
        );
        assert!(refused("bpm:fast").contains("120-128"));
        assert!(refused("bpm:128-120").contains("means nothing"));
        assert!(refused("key:H").contains("8A"));
        assert!(refused("added:yesterday").contains("<7d"));
        assert!(refused("is:good").contains("is:broken"));
        assert!(refused("artist:???").contains("in quotes"));
        assert!(refused("energy:NaN").contains("means nothing"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(typed in "\\PC*", now in any::<i64>()) {
            drop(Query::read(&typed, now));
        }

        #[test]
        fn nor_do_the_signs_of_filters(typed in "[a-z:<>=\"“ 0-9,.é–-]{0,40}") {
            drop(Query::read(&typed, 0));
        }
    }
}
