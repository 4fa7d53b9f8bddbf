//! A file that follows a log which is elsewhere.
//!
//! How far it is stands in it, and is written with the events: both or neither. Must never tell a place whose events are not here.

use super::{SqliteStore, failure::sqlite_error, rows};
use crate::{LogError, Record};
use rusqlite::OptionalExtension;

const FOLLOWED: &str = "SELECT place FROM followed";
const FOLLOW: &str =
    "INSERT INTO followed (id, place) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET place = excluded.place";

impl SqliteStore {
    /// The place in the other log up to which everything is here; 0 at first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn followed(&self) -> Result<u64, LogError> {
        self.with_reader(|connection| {
            let failed = sqlite_error("read how far it has followed");
            let place = connection.query_row(FOLLOWED, [], |row| row.get::<_, i64>(0)).optional();
            Ok(place.map_err(failed)?.map_or(0, |place| u64::try_from(place).unwrap_or(0)))
        })
    }

    /// Stores records as a commit does, and with them the place in the other log up to which everything is here then.
    ///
    /// # Errors
    /// As a commit.
    pub fn follow(&self, records: &[Record], place: u64) -> Result<(), LogError> {
        self.with_writer(|writer| {
            writer.commit(records, |transaction| {
                transaction.prepare_cached(FOLLOW)?.execute([rows::integer(place)]).map(drop)
            })
        })
    }
}
