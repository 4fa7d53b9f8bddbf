//! A data folder's log from outside: looked at, exported and backed up, also while another instance appends to it; and, while
//! none does, restored and imported into. What `synx log` does.

use crate::data_dir::{DataDir, DataPaths};
use crate::error::NodeError;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use synx_domain::{Room, RoomId};
use synx_log::{AuditEntry, Log, LogOptions};

pub use crate::room::archive::Which;
pub use synx_log::{AuditFilter, ChainReport};

/// A log that is only read.
pub struct History {
    log: Log,
}

impl History {
    /// Opens the log of a data folder.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(data_dir: &Path) -> Result<Self, NodeError> {
        Ok(Self { log: DataPaths::of(data_dir).open_log(LogOptions::read_only())? })
    }

    /// The same, to change where things lie in it.
    fn open_alone(data: &DataDir) -> Result<Self, NodeError> {
        Ok(Self { log: data.paths().open_log(LogOptions::default())? })
    }

    /// The room that is meant: the named one, or the only one.
    fn room(&self, named: Option<&str>) -> Result<RoomId, NodeError> {
        room_of(&self.log, named)
    }

    /// The entries that pass the filter: of one room, or of all where none is named.
    ///
    /// # Errors
    /// When the log cannot be read, or the room's name is none.
    pub async fn audit(&self, room: Option<&str>, filter: AuditFilter) -> Result<Vec<AuditEntry>, NodeError> {
        let room = room.map(str::parse).transpose()?;
        Ok(self.log.audit(AuditFilter { room, ..filter }).await?)
    }

    /// The room as it was after an event; as it is without one.
    ///
    /// # Errors
    /// When the log cannot be read, or has not reached the event.
    pub async fn replay(&self, room: Option<&str>, to: Option<u64>) -> Result<Room, NodeError> {
        Ok(self.log.fold(self.room(room)?, to).await?)
    }

    /// Proves the hash chain of one room or of all.
    ///
    /// # Errors
    /// When the log cannot be read at all; damage that was found is in the reports.
    pub async fn verify(&self, room: Option<&str>) -> Result<Vec<ChainReport>, NodeError> {
        let room = room.map(str::parse).transpose()?;
        Ok(self.log.verify(room).await?)
    }

    /// Writes all events of a room as JSON Lines.
    ///
    /// # Errors
    /// When the log cannot be read or the lines not be written.
    pub async fn export(
        &self,
        room: Option<&str>,
        to: impl Write + Send + 'static,
    ) -> Result<u64, NodeError> {
        Ok(self.log.export_jsonl(Some(self.room(room)?), to).await?)
    }

    /// Writes a copy of the whole log to a new file and proves it; a report for each room in it.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<Vec<ChainReport>, NodeError> {
        self.log.backup(to).await?;
        let copy = Log::open(to, LogOptions::read_only())?;
        Ok(copy.verify(None).await?)
    }
}

/// The room of a log that is meant: the named one, or the only one. The logs of people are none.
pub(crate) fn room_of(log: &Log, named: Option<&str>) -> Result<RoomId, NodeError> {
    if let Some(name) = named {
        return Ok(name.parse()?);
    }
    let rooms = log.rooms()?.into_iter().map(|head| head.room_id);
    match rooms.filter(|id| !crate::person::is_person(*id)).collect::<Vec<_>>().as_slice() {
        [room] => Ok(*room),
        rooms => Err(NodeError::WhichRoom { rooms: rooms.iter().map(RoomId::to_string).collect() }),
    }
}

/// Puts a backup in the place of the data folder's log; a report for each of its rooms, and where the log is that was
/// there before.
///
/// # Errors
/// When the backup is none or is damaged, or an instance is running. What was there is then as it was.
pub async fn restore(data_dir: &Path, from: &Path) -> Result<(Vec<ChainReport>, Option<PathBuf>), NodeError> {
    let data = DataDir::open(data_dir)?;
    Ok(Log::restore(from, &data.paths().log()).await?)
}

/// Takes exported events into the data folder's log; how many were new.
///
/// # Errors
/// When a line is no event or continues another history than the one here, or an instance is running.
pub async fn import(data_dir: &Path, from: impl BufRead + Send + 'static) -> Result<u64, NodeError> {
    let data = DataDir::open(data_dir)?;
    let log = History::open_alone(&data)?.log;
    let imported = log.import_jsonl(from).await;
    log.close();
    Ok(imported?)
}

/// Moves old events of a room to the log's archive; how many.
///
/// # Errors
/// When an event is not what was written, or an instance is running.
pub async fn archive(data_dir: &Path, room: Option<&str>, which: Which) -> Result<u64, NodeError> {
    let data = DataDir::open(data_dir)?;
    let history = History::open_alone(&data)?;
    let moved = which.archive(&history.log, history.room(room)?).await;
    history.log.close();
    moved
}

/// Drops archived events of a room up to one, in whole segments; the last that was dropped, 0 if none was.
///
/// # Errors
/// When the room is not sound, or an instance is running. Nothing is dropped then.
pub async fn drop_archive(data_dir: &Path, room: Option<&str>, through: u64) -> Result<u64, NodeError> {
    let data = DataDir::open(data_dir)?;
    let history = History::open_alone(&data)?;
    let dropped = history.log.drop_archive(history.room(room)?, through).await;
    history.log.close();
    Ok(dropped?)
}

/// Milliseconds since 1970 as `2026-01-31T12:00:00Z`.
pub fn utc(at_ms: i64) -> String {
    let (days, ms) = (at_ms.div_euclid(86_400_000), at_ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let second = ms / 1000;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Days since 1970 as a date of the Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(utc(-1), "1969-12-31T23:59:59Z");
        assert_eq!(utc(1_795_000_000_000), "2026-11-18T11:06:40Z");
    }
}
