//! Which tracks a search finds: words by the full-text index, figures by one pass over a covering index.

use super::query::{Condition, Figure, Mark, Query, TextField, Word};
use super::vocabulary::{Meaning, Vocabulary};
use crate::bridge::ReadAsView;
use crate::error::NodeError;
use crate::library::store::LibraryStore;
use rusqlite::types::Value;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

/// A set of track ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    bits: Vec<u64>,
}

impl Ids {
    /// Whether it is in the set.
    pub fn has(&self, id: i64) -> bool {
        let Ok(id) = usize::try_from(id) else { return false };
        self.bits.get(id / 64).is_some_and(|bits| bits >> (id % 64) & 1 == 1)
    }

    fn and(mut self, other: &Self) -> Self {
        self.bits.truncate(other.bits.len());
        self.bits.iter_mut().zip(&other.bits).for_each(|(bits, more)| *bits &= more);
        self
    }

    fn without(mut self, other: &Self) -> Self {
        self.bits.iter_mut().zip(&other.bits).for_each(|(bits, less)| *bits &= !less);
        self
    }
}

impl FromIterator<i64> for Ids {
    fn from_iter<I: IntoIterator<Item = i64>>(ids: I) -> Self {
        let mut set = Self::default();
        for id in ids {
            let Ok(id) = usize::try_from(id) else { continue };
            if set.bits.len() <= id / 64 {
                set.bits.resize(id / 64 + 1, 0);
            }
            set.bits[id / 64] |= 1 << (id % 64);
        }
        set
    }
}

/// Finds, and keeps the vocabulary while no word changes.
#[derive(Debug, Default)]
pub struct Finder {
    vocabulary: Mutex<Option<(u64, Arc<Vocabulary>)>>,
}

impl Finder {
    /// The tracks that a search finds within `scope`; none where it finds all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(
        &self,
        store: &LibraryStore,
        query: &Query,
        scope: Option<&Vec<i64>>,
    ) -> Result<(Option<Ids>, Vec<ReadAsView>), NodeError> {
        let mut found = scope.map(|ids| ids.iter().copied().collect::<Ids>());
        let mut read_as = Vec::new();
        if !query.conditions.is_empty() {
            let (condition, values) = sql(&query.conditions);
            let matching = store.where_figures(&condition, &values)?;
            found = Some(met(found, matching));
        }
        for word in query.words.iter().filter(|word| !word.negated) {
            let matching = self.word(store, word, &mut read_as)?;
            found = Some(met(found, matching));
        }
        for word in query.words.iter().filter(|word| word.negated) {
            let matching = store.matching(&expression(word, &[]))?;
            let all = match found {
                Some(found) => found,
                None => store.where_figures("1", &[])?,
            };
            found = Some(all.without(&matching));
        }
        Ok((found, read_as))
    }

    fn word(
        &self,
        store: &LibraryStore,
        word: &Word,
        read_as: &mut Vec<ReadAsView>,
    ) -> Result<Ids, NodeError> {
        // Several words in one go, or one with signs inside, are meant as they stand.
        if word.quoted || !word.text.chars().all(char::is_alphanumeric) {
            return store.matching(&expression(word, &[]));
        }
        match self.vocabulary(store)?.meaning(&word.text) {
            Meaning::AsTyped(inside) => store.matching(&expression(word, &inside)),
            Meaning::Instead(words) => {
                let expression = one_of(word.field, &words);
                read_as.push(ReadAsView { word: word.text.clone(), instead: words });
                store.matching(&expression)
            }
            Meaning::Nothing => Ok(Ids::default()),
        }
    }

    /// Reads the words ahead of the search that needs them, if they are not those that were read before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn learn(&self, store: &LibraryStore) -> Result<(), NodeError> {
        self.vocabulary(store).map(drop)
    }

    /// Whether the next search has the words at hand.
    #[cfg(test)]
    pub fn is_ready(&self, store: &LibraryStore) -> bool {
        let kept = self.vocabulary.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().is_some_and(|(of, _)| *of == store.words_revision())
    }

    fn vocabulary(&self, store: &LibraryStore) -> Result<Arc<Vocabulary>, NodeError> {
        let mut kept = self.vocabulary.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = store.words_revision();
        if let Some((of, vocabulary)) = &*kept
            && *of == revision
        {
            return Ok(Arc::clone(vocabulary));
        }
        let vocabulary = Arc::new(Vocabulary::new(store.terms()?));
        *kept = Some((revision, Arc::clone(&vocabulary)));
        Ok(vocabulary)
    }
}

fn met(found: Option<Ids>, matching: Ids) -> Ids {
    match found {
        Some(found) => found.and(&matching),
        None => matching,
    }
}

fn column(field: Option<TextField>) -> &'static str {
    match field {
        None => "{title artist album file_name}",
        Some(TextField::Title) => "title",
        Some(TextField::Artist) => "artist",
        Some(TextField::Album) => "album",
        Some(TextField::File) => "file_name",
    }
}

fn text(word: &str) -> String {
    format!("\"{}\"", word.replace('"', " "))
}

/// What begins with the word, or has any of the others in it, in the language of the index.
fn expression(word: &Word, others: &[String]) -> String {
    let mut words = format!("{}*", text(&word.text));
    for other in others {
        words.push_str(" OR ");
        words.push_str(&text(other));
    }
    format!("{}: ({words})", column(word.field))
}

fn one_of(field: Option<TextField>, words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| text(word)).collect();
    format!("{}: ({})", column(field), words.join(" OR "))
}

/// The conditions in the language of the database, with their values.
fn sql(conditions: &[Condition]) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut parts = Vec::new();
    for condition in conditions {
        match condition {
            Condition::Within(figure, low, high) => {
                let name = name(*figure);
                let mut bound = |bound: &Bound<f64>, open: &str, closed: &str| {
                    let (sign, value) = match bound {
                        Bound::Included(value) => (closed, *value),
                        Bound::Excluded(value) => (open, *value),
                        Bound::Unbounded => return,
                    };
                    values.push(Value::Real(value));
                    parts.push(format!("{name} {sign} ?{}", values.len()));
                };
                bound(low, ">", ">=");
                bound(high, "<", "<=");
            }
            Condition::Keys(places) => {
                let places: Vec<String> = places.iter().map(u8::to_string).collect();
                parts.push(format!("key IN ({})", places.join(", ")));
            }
            Condition::Is(mark) => parts.push(marked(*mark).to_owned()),
        }
    }
    (parts.join(" AND "), values)
}

fn name(figure: Figure) -> &'static str {
    match figure {
        Figure::Bpm => "bpm",
        Figure::Energy => "energy",
        Figure::Loudness => "loudness_lufs",
        Figure::Year => "year",
        Figure::Duration => "duration_us",
        Figure::Added => "added_at_ms",
        Figure::Played => "played_at_ms",
        Figure::Plays => "plays",
    }
}

fn marked(mark: Mark) -> &'static str {
    match mark {
        Mark::Broken => "error IS NOT NULL",
        Mark::Missing => "presence = 1",
        Mark::Corrected => {
            "hash IN (SELECT hash FROM corrections WHERE COALESCE(bpm, first_beat_s, key) IS NOT NULL)"
        }
        Mark::Waiting => "analyser_version IS NULL AND error IS NULL",
    }
}
