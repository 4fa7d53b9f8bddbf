//! What windows ask of a room's past: its log by kind, any moment of it, and the whole as a file.

use crate::bridge::{
    AwayView, ChatMessageView, ExportFormat, HistoryView, LanguageView, LogEntryView, LogKindView,
    MomentView, RoomConnection,
};
use crate::error::NodeError;
use crate::node::Inner;
use crate::past::{Past, kind_of};
use crate::room::page::HistoryPage;
use crate::room::stage::Stage;
use crate::room::summary::summary;
use crate::room::view::{Surroundings, chat_view, room_view};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synx_domain::{ChatMessage, Envelope, Room, RoomEvent};
use synx_log::Log;
use tokio::sync::{MappedMutexGuard, MutexGuard};

/// Entries that one page shows at most.
const PAGE_MAX: u32 = 1000;
/// How much of what was said a window has at once; more comes as one scrolls up.
pub const CHAT_AT_ONCE: u32 = 200;
/// Messages that a moment shows.
const MOMENT_CHAT: usize = 50;
/// Events that are written at once.
const WRITTEN_AT_ONCE: usize = 1000;

impl Inner {
    /// The log of the room one is in, read up to its end.
    async fn past(&self) -> Result<MappedMutexGuard<'_, Past>, NodeError> {
        let stage = self.stage();
        let id = match &*stage {
            Stage::Solo(_) => return Err(NodeError::NoRoom),
            stage => stage.with(|room| room.id).ok_or(NodeError::NoRoom)?,
        };
        let mut kept = self.past.lock().await;
        if kept.as_ref().is_none_or(|past| past.id() != id) {
            let log = match &*stage {
                Stage::Hosted(_) => self.log.clone(),
                // A peer keeps no log: what the host has is fetched, once, into one that is forgotten with the room.
                _ => Log::in_memory(),
            };
            *kept = Some(Past::new(log, id, self.me()));
        }
        let mut past = MutexGuard::try_map(kept, Option::as_mut).map_err(|_| NodeError::NoRoom)?;
        match &*stage {
            Stage::Hosted(_) => past.read_on().await?,
            stage => self.fetch_past(stage, &mut past).await?,
        }
        Ok(past)
    }

    async fn fetch_past(&self, stage: &Stage, past: &mut Past) -> Result<(), NodeError> {
        let Stage::Joined(joined) = stage else { return Ok(()) };
        while past.head() < joined.with(|room| room.seq) {
            let page = joined.client().history(past.head()).await?;
            if page.is_empty() {
                break;
            }
            past.append(page).await?;
        }
        Ok(())
    }

    /// The last `limit` messages before one, oldest first, as far as the room's state has them.
    pub fn recent_chat(&self, before_seq: Option<u64>, limit: u32) -> Vec<ChatMessageView> {
        let before_seq = before_seq.unwrap_or(u64::MAX);
        self.stage().with(|room| {
            let earlier =
                room.chat.iter().rev().filter(|message| message.seq < before_seq).take(limit as usize);
            let mut views: Vec<_> = earlier.map(|message| chat_view(room, message)).collect();
            views.reverse();
            views
        })
    }

    /// The last `limit` messages before one, oldest first: from the log where the room's state has no more.
    ///
    /// # Errors
    /// When the log cannot be had.
    pub async fn chat_before(
        &self,
        before_seq: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChatMessageView>, NodeError> {
        let recent = self.recent_chat(before_seq, limit);
        if !recent.is_empty() || !self.stage().is_room() {
            return Ok(recent);
        }
        let past = self.past().await?;
        let found = past.entries(&[LogKindView::Chat], before_seq, limit.min(PAGE_MAX) as usize).await?;
        Ok(found.iter().rev().filter_map(|envelope| said(past.latest(), envelope)).collect())
    }

    /// The room's log before an event, newest first; some kinds of it, or (none named) all.
    ///
    /// # Errors
    /// When the log cannot be had.
    pub async fn log_entries(
        &self,
        before_seq: Option<u64>,
        limit: u32,
        kinds: &[LogKindView],
    ) -> Result<Vec<LogEntryView>, NodeError> {
        let past = self.past().await?;
        let found = past.entries(kinds, before_seq, limit.min(PAGE_MAX) as usize).await?;
        let language = self.language();
        Ok(found.iter().map(|envelope| log_entry(past.latest(), envelope, language)).collect())
    }

    /// How far the room's log goes back, and what happened while one was away.
    ///
    /// # Errors
    /// When the log cannot be had.
    pub async fn history(&self) -> Result<HistoryView, NodeError> {
        let past = self.past().await?;
        let (first_ms, last_ms) = past.bounds_ms().unwrap_or_default();
        let away = past.away().map(|away| {
            let count = |kind| past.count(kind, away.left_seq, away.back_seq) as u32;
            AwayView {
                left_seq: away.left_seq,
                back_seq: away.back_seq,
                left_at_ms: away.left_at_ms,
                messages: count(LogKindView::Chat),
                tracks: count(LogKindView::Tracks),
                notes: count(LogKindView::Notes),
            }
        });
        Ok(HistoryView { head: past.head(), first_ms, last_ms, away })
    }

    /// The room as it was after an event.
    ///
    /// # Errors
    /// When the log cannot be had.
    pub async fn moment(&self, seq: u64) -> Result<MomentView, NodeError> {
        let found = self.past().await?.at(seq).await?;
        let room = &found.room;
        let is_here = |hash| self.locate(hash).is_some();
        let around = Surroundings {
            me: self.me(),
            connection: RoomConnection::Connected,
            connection_problem: None,
            link: None,
            addresses: Vec::new(),
            knocks: Vec::new(),
            missed: None,
            is_here: &is_here,
        };
        let view = room_view(room, around).ok_or(NodeError::NotReady { what: "the room's history" })?;
        let transport = room.transport.as_ref();
        let playable = transport.and_then(|transport| room.playable(transport.current?.track));
        let position_us = transport.map_or(0, |transport| {
            let elapsed_us = found.since_sync_ms.saturating_mul(1000);
            transport.position_us_at(transport.anchor.room_time_us.saturating_add(elapsed_us))
        });
        let last = room.chat.len().saturating_sub(MOMENT_CHAT);
        Ok(MomentView {
            entry: log_entry(room, &found.envelope, self.language()),
            room: view,
            chat: room.chat.iter().skip(last).map(|message| chat_view(room, message)).collect(),
            title: playable.map(|meta| meta.title.clone()),
            playing: transport.is_some_and(|transport| transport.playing && transport.current.is_some()),
            position_s: position_us.clamp(0, playable.map_or(0, |meta| meta.duration_us)) as f64 / 1e6,
        })
    }

    /// Writes the room's whole log to a file: where `path` says, or among this machine's exports. Says where.
    ///
    /// # Errors
    /// When the log cannot be had, or the file cannot be written.
    pub async fn export_log(
        self: &Arc<Self>,
        format: ExportFormat,
        path: Option<PathBuf>,
    ) -> Result<String, NodeError> {
        let past = self.past().await?;
        let path = match path {
            Some(path) => path,
            None => self.export_path(past.latest(), format)?,
        };
        let file = BufWriter::new(File::create(&path).map_err(failed("write", &path))?);
        match format {
            ExportFormat::Jsonl => drop(past.log().export_jsonl(Some(past.id()), file).await?),
            ExportFormat::Page => write_page(&past, file, &path, self.language()).await?,
        }
        Ok(path.to_string_lossy().into_owned())
    }

    fn export_path(&self, room: &Room, format: ExportFormat) -> Result<PathBuf, NodeError> {
        let folder = self.paths().root().join("exports");
        std::fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        let name = room.settings.as_ref().map_or("room", |settings| settings.name.as_str());
        let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(40).collect();
        let ending = match format {
            ExportFormat::Jsonl => "jsonl",
            ExportFormat::Page => "html",
        };
        Ok(folder.join(format!("{name}-{}.{ending}", room.seq)))
    }
}

async fn write_page(
    past: &Past,
    file: BufWriter<File>,
    path: &Path,
    language: LanguageView,
) -> Result<(), NodeError> {
    let mut page = HistoryPage::begin(file, past.latest(), language).map_err(failed("write", path))?;
    let mut after = past.log().dropped(past.id());
    loop {
        let events = past.log().read(past.id(), after, WRITTEN_AT_ONCE).await?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        for envelope in &events {
            page.add(past.latest(), envelope).map_err(failed("write", path))?;
        }
    }
    page.end().map_err(failed("write", path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> NodeError {
    let path = path.to_owned();
    move |source| NodeError::File { action, path, source }
}

/// A message with its author's present name.
fn said(room: &Room, envelope: &Envelope) -> Option<ChatMessageView> {
    let RoomEvent::ChatMessagePosted { text } = &envelope.event else { return None };
    let message = ChatMessage {
        seq: envelope.seq,
        author: envelope.actor,
        text: text.clone(),
        posted_at_ms: envelope.occurred_at_ms,
    };
    Some(chat_view(room, &message))
}

fn log_entry(room: &Room, envelope: &Envelope, language: LanguageView) -> LogEntryView {
    let name_of =
        |user| room.members.get(&user).map_or_else(String::new, |member| member.profile.name.clone());
    LogEntryView {
        seq: envelope.seq,
        kind: kind_of(&envelope.event),
        name: envelope.event.name().name.to_owned(),
        actor: envelope.actor.to_string(),
        actor_name: name_of(envelope.actor),
        at_ms: envelope.occurred_at_ms,
        summary: summary(room, envelope, language),
    }
}
