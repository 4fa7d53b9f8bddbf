//! Which picture a track has, as far as somebody looked. The pictures themselves are files.
//!
//! Must never count as a change of the library: no list shows anything else for it.

use super::{LibraryStore, failed};
use crate::error::NodeError;
use rusqlite::{OptionalExtension, params};
use synx_domain::ContentHash;

impl LibraryStore {
    /// The picture of a track, by the hash of its larger size: none where nobody looked, `Some(None)` where there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn picture_of(&self, track: ContentHash) -> Result<Option<Option<ContentHash>>, NodeError> {
        let read = || {
            self.reader()
                .prepare_cached("SELECT picture FROM artwork WHERE hash = ?1")?
                .query_row(params![track.as_bytes()], |row| row.get::<_, Option<[u8; 32]>>(0))
                .optional()
        };
        Ok(read().map_err(failed("read"))?.map(|picture| picture.map(ContentHash::from_bytes)))
    }

    /// Remembers it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_picture(&self, track: ContentHash, picture: Option<ContentHash>) -> Result<(), NodeError> {
        let _writing = self.gate.enter().map_err(|_| NodeError::Closing)?;
        let put = || {
            self.writer()
                .prepare_cached("INSERT OR REPLACE INTO artwork (hash, picture) VALUES (?1, ?2)")?
                .execute(params![track.as_bytes(), picture.as_ref().map(ContentHash::as_bytes)])
        };
        put().map(drop).map_err(failed("written"))
    }
}
