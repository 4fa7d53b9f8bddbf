//! What goes well with a track: the rule, and the tracks that keep it.

use super::LibraryStore;
use crate::error::NodeError;
use synx_domain::ContentHash;

/// A tempo can be reached from another within this share of it: as far as a record is usually pitched.
const REACH: f64 = 0.06;

impl LibraryStore {
    /// The tracks that go well with one, the nearest first: in the same key, a fifth up or down, or in the relative key
    /// (Camelot: the same number, or one more or less with the same letter), at a tempo within 6 % of its own, its double
    /// or its half. What is not known of the track itself decides nothing.
    ///
    /// # Errors
    /// A track that is not there, or a database that cannot be read.
    pub fn goes_well_with(&self, hash: ContentHash) -> Result<Vec<i64>, NodeError> {
        let of = self.get(hash)?.ok_or(NodeError::NoSuchTrack)?;
        let mut conditions = vec!["presence < 2".to_owned(), "error IS NULL".to_owned()];
        let mut distance = vec!["0".to_owned()];
        if let Some(id) = self.id_of(hash)? {
            conditions.push(format!("id != {id}"));
        }
        if let Some(key) = of.key().map(super::key_place) {
            let neighbours = [key, (key + 2) % 24, (key + 22) % 24, key ^ 1].map(|place| place.to_string());
            conditions.push(format!("key IN ({})", neighbours.join(", ")));
            distance.push(format!("0.01 * (key != {key})"));
        }
        if let Some(bpm) = of.bpm() {
            let near = |ratio: f64| {
                let tempo = bpm * ratio;
                format!("bpm BETWEEN {} AND {}", tempo * (1.0 - REACH), tempo * (1.0 + REACH))
            };
            conditions.push(format!("({} OR {} OR {})", near(1.0), near(2.0), near(0.5)));
            distance.push(format!(
                "MIN(ABS(bpm / {bpm} - 1), ABS(bpm / {bpm} - 2) / 2, ABS(bpm / {bpm} - 0.5) * 2)"
            ));
        }
        if of.key().is_none() && of.bpm().is_none() {
            return Ok(Vec::new());
        }
        let query = format!(
            "SELECT id FROM library WHERE {} ORDER BY {}, title_key",
            conditions.join(" AND "),
            distance.join(" + ")
        );
        self.ids(&query, &[])
    }
}
