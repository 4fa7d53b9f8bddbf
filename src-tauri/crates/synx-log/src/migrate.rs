//! A room's way from one log to another, whatever stores these have.
//!
//! Must never leave it at having sent everything: what arrived is proven to be the same history.

use crate::codec::Draft;
use crate::{ChainReport, Log, LogError, Record};
use synx_domain::RoomId;

/// Events that are copied at once.
const PAGE_EVENTS: usize = 1000;

impl Log {
    /// Takes in the whole of a room of another log, and proves that both have the same events: the report, which is that of
    /// both. What is here of it already is passed over, so that one that was cut short goes on where it was. Nobody may append
    /// to the room meanwhile.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when the room there is not sound or not there; [`LogError::ForeignHistory`] when the room
    /// here has another history.
    pub async fn take_over(&self, room: RoomId, from: &Self) -> Result<ChainReport, LogError> {
        let theirs = from.proven(room).await?;
        let mut after = 0;
        while after < theirs.events {
            let mut page = from.page(room, after, self.options().append_bytes).await?;
            page.retain(|record| record.seq <= theirs.events);
            let Some(last) = page.last() else {
                return Err(LogError::Corrupt {
                    detail: format!("event {} of room {room} is missing", after + 1),
                });
            };
            after = last.seq;
            let upcasters = &self.options().upcasters;
            let draft = |record: Record| Ok((record.seq, Draft::from_elsewhere(record, upcasters)?));
            let drafts = page.into_iter().map(draft).collect::<Result<Vec<_>, LogError>>()?;
            self.import(room, drafts).await?;
        }
        let ours = self.proven(room).await?;
        if ours == theirs { Ok(ours) } else { Err(LogError::ForeignHistory { room, seq: theirs.events + 1 }) }
    }

    /// The report of a room that is here and sound.
    async fn proven(&self, room: RoomId) -> Result<ChainReport, LogError> {
        let report = self.verify(Some(room)).await?.pop();
        let sound = report.filter(|report| report.first_bad.is_none() && report.events > 0);
        sound.ok_or_else(|| LogError::Corrupt { detail: format!("room {room} is not there, or not sound") })
    }

    /// The records after a place that fit into one append.
    async fn page(&self, room: RoomId, after: u64, max_bytes: usize) -> Result<Vec<Record>, LogError> {
        let mut page =
            self.with_store(move |store| store.read(room, after, PAGE_EVENTS, max_bytes / 2)).await?;
        let mut bytes = 0;
        // One that is alone too large is refused by the append, with a reason.
        let mut fits = |(index, record): (usize, &Record)| {
            bytes += record.data.len();
            index == 0 || bytes <= max_bytes
        };
        let fitting = page.iter().enumerate().take_while(|indexed| fits(*indexed)).count();
        page.truncate(fitting);
        Ok(page)
    }
}
