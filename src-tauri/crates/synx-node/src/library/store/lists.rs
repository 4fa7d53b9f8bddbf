//! What lists are made of: ids in an order, by words, by figures; and rows by id.

use super::tracks::{COLUMNS, JOINED, track};
use super::{LibraryStore, StoredTrack, failed};
use crate::bridge::TrackList;
use crate::error::NodeError;
use crate::library::search::Ids;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params, params_from_iter};
use std::collections::HashMap;
use synx_domain::ContentHash;

/// How many tracks are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub tracks: u32,
    /// Those of them that cannot be used.
    pub broken: u32,
    /// Those of them that wait for their analysis.
    pub waiting: u32,
}

impl LibraryStore {
    /// The ids of all tracks that are shown, by `columns`; what has none in the first of them comes last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn in_order(&self, columns: &[&str], down: bool) -> Result<Vec<i64>, NodeError> {
        let Some(first) = columns.first() else { return Ok(Vec::new()) };
        // The sum keeps the database from going by presence, which nearly all share, instead of by the column.
        let way = if down { "DESC" } else { "ASC" };
        let by: Vec<String> = columns.iter().map(|column| format!("{column} {way}")).collect();
        let known = format!(
            "SELECT id FROM library WHERE presence + 0 < 2 AND {first} IS NOT NULL ORDER BY {}",
            by.join(", ")
        );
        let unknown =
            format!("SELECT id FROM library WHERE presence < 2 AND {first} IS NULL ORDER BY title_key");
        let mut ids: Vec<i64> = self.ids(&known, &[])?;
        ids.extend(self.ids::<Vec<i64>>(&unknown, &[])?);
        Ok(ids)
    }

    /// The ids of the tracks of which a condition over the figures holds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn where_figures(&self, condition: &str, values: &[Value]) -> Result<Ids, NodeError> {
        self.ids(&format!("SELECT id FROM library WHERE presence + 0 < 2 AND {condition}"), values)
    }

    /// The ids of the tracks that the full-text index finds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn matching(&self, expression: &str) -> Result<Ids, NodeError> {
        self.ids("SELECT rowid FROM search WHERE search MATCH ?1", &[Value::Text(expression.to_owned())])
    }

    /// Every word of the full-text index. It takes so long that nobody else waits for it: it has a connection of its own.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn terms(&self) -> Result<Vec<Box<str>>, NodeError> {
        let read = || {
            let connection = super::to_read(&self.path)?;
            let mut query = connection.prepare("SELECT term FROM search_terms")?;
            query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read"))
    }

    /// The tracks with these ids, in this order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn by_ids(&self, ids: &[i64]) -> Result<Vec<StoredTrack>, NodeError> {
        let listed: Vec<String> = ids.iter().map(i64::to_string).collect();
        let query = format!(
            "SELECT {COLUMNS}, library.id FROM {JOINED} WHERE library.id IN ({}) AND presence < 2",
            listed.join(",")
        );
        let read = || -> rusqlite::Result<HashMap<i64, StoredTrack>> {
            let connection = self.reader();
            let mut query = connection.prepare(&query)?;
            query.query_map([], |row| Ok((row.get(13)?, track(row)?)))?.collect()
        };
        let rows = read().map_err(failed("read"))?;
        Ok(ids.iter().filter_map(|id| rows.get(id).cloned()).collect())
    }

    /// The id of a track that is shown.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn id_of(&self, hash: ContentHash) -> Result<Option<i64>, NodeError> {
        let query = "SELECT id FROM library WHERE hash = ?1 AND presence < 2";
        self.reader()
            .query_row(query, params![hash.as_bytes()], |row| row.get(0))
            .optional()
            .map_err(failed("read"))
    }

    /// How many tracks there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn counts(&self) -> Result<Counts, NodeError> {
        let query = "SELECT (SELECT COUNT(*) FROM library WHERE presence < 2),
            (SELECT COUNT(*) FROM library WHERE presence < 2 AND error IS NOT NULL),
            (SELECT COUNT(*) FROM library WHERE analyser_version IS NULL AND error IS NULL AND presence = 0)";
        let counts = |row: &rusqlite::Row<'_>| {
            Ok(Counts { tracks: row.get(0)?, broken: row.get(1)?, waiting: row.get(2)? })
        };
        let connection = self.reader();
        let mut query = connection.prepare_cached(query).map_err(failed("read"))?;
        query.query_row([], counts).map_err(failed("read"))
    }

    /// The tracks of a list in its own order; none for the whole library.
    ///
    /// # Errors
    /// A playlist or track that is not there, or a database that cannot be read.
    pub fn scope(&self, list: &TrackList) -> Result<Option<Vec<i64>>, NodeError> {
        let query = match list {
            TrackList::All => return Ok(None),
            TrackList::History => {
                "SELECT id FROM library WHERE presence < 2 AND played_at_ms IS NOT NULL ORDER BY played_at_ms DESC"
            }
            TrackList::Matching { track } => return self.goes_well_with(track.parse()?).map(Some),
            TrackList::Playlist { .. } => {
                "SELECT library.id FROM playlist_tracks JOIN library ON library.hash = playlist_tracks.hash
                 WHERE presence < 2 AND playlist = ?1 ORDER BY place"
            }
        };
        let values = match list {
            TrackList::Playlist { playlist } => vec![Value::Integer(*playlist)],
            _ => Vec::new(),
        };
        self.ids(query, &values).map(Some)
    }

    pub(super) fn ids<C: FromIterator<i64>>(&self, query: &str, values: &[Value]) -> Result<C, NodeError> {
        let read = || {
            let connection = self.reader();
            let mut query = connection.prepare_cached(query)?;
            query.query_map(params_from_iter(values), |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read"))
    }
}
