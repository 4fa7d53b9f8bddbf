//! Putting a backup in the place of a log.
//!
//! Must never put anything there that does not prove to be sound, nor destroy what was there before.

use crate::store::replace_log;
use crate::{ChainReport, Log, LogError, LogOptions};
use std::path::{Path, PathBuf};

impl Log {
    /// Makes the log at `to` the one that is in the backup `from`; a report for each of its rooms. A log that is there
    /// already is kept beside it under the name that is returned with them.
    ///
    /// # Errors
    /// When the backup is no log or is damaged, when a running instance has the log at `to`, or the files cannot be written.
    /// The log at `to` is then as it was.
    pub async fn restore(from: &Path, to: &Path) -> Result<(Vec<ChainReport>, Option<PathBuf>), LogError> {
        let backup = Self::open(from, LogOptions::read_only())?;
        let reports = backup.verify(None).await?;
        if let Some(damaged) = reports.iter().find(|report| report.first_bad.is_some()) {
            let detail = format!("room {} of the backup {} is not sound", damaged.room_id, from.display());
            return Err(LogError::Corrupt { detail });
        }
        let copy = restoring(to);
        // What an attempt that was cut short has left.
        drop(std::fs::remove_file(&copy));
        backup.backup(&copy).await?;
        backup.close();
        Ok((reports, replace_log(&copy, to)?))
    }
}

/// Where the copy is made, in the folder of the log: renaming moves it no further.
fn restoring(log: &Path) -> PathBuf {
    log.with_extension("restoring")
}
