//! Decisions about the transport and the order of the queue.
//!
//! A change takes effect a lead ahead of now, so that every peer has it in time and executes it at the same sample.

use crate::decide::Decision;
use crate::{
    Anchor, Command, CommandEnvelope, ContentHash, CurrentTrack, EpochId, Member, Moment, QueueChange,
    QueueItem, QueueItemId, Rejection, Room, RoomEvent, SyncCause, Transport,
};

/// A host that was gone for longer than this comes back paused: nobody was listening any more.
const RESTART_CONTINUES_US: i64 = 60_000_000;

impl Room {
    pub(crate) fn decide_playback(
        &self,
        member: &Member,
        envelope: &CommandEnvelope,
        now: Moment,
    ) -> Decision {
        match &envelope.command {
            Command::Dequeue { id } => {
                let item = self.queue.get(*id).ok_or(Rejection::NoSuchQueueItem)?;
                if item.added_by != envelope.actor {
                    self.needs_control(member)?;
                }
                Ok(self.dequeue(*id, now))
            }
            command => {
                self.needs_control(member)?;
                self.decide_transport(command, envelope, now)
            }
        }
    }

    fn decide_transport(&self, command: &Command, envelope: &CommandEnvelope, now: Moment) -> Decision {
        match command {
            Command::MoveInQueue { id, index } => {
                self.queue.get(*id).ok_or(Rejection::NoSuchQueueItem)?;
                let index = (*index).min(self.queue.items().len().saturating_sub(1));
                Ok(vec![RoomEvent::QueueChanged(QueueChange::Moved { id: *id, index })])
            }
            Command::Play { track: Some(track) } => self.play_track(envelope, *track, now),
            Command::Play { track: None } => self.play(now),
            Command::Pause => Ok(match &self.transport {
                Some(transport) if transport.playing => {
                    let at_us = self.effective_us(now);
                    let position_us = self.clamp_to_track(transport, transport.position_us_at(at_us));
                    let anchor = Anchor { room_time_us: at_us, position_us };
                    vec![self.synced(now.epoch, transport.current, anchor, false, SyncCause::Pause)]
                }
                _ => vec![],
            }),
            Command::Seek { position_us } => {
                let transport = self.loaded().ok_or(Rejection::NothingToPlay)?;
                let position_us = self.clamp_to_track(transport, *position_us);
                let anchor = Anchor { room_time_us: self.effective_us(now), position_us };
                Ok(vec![self.synced(
                    now.epoch,
                    transport.current,
                    anchor,
                    transport.playing,
                    SyncCause::Seek,
                )])
            }
            Command::Skip { to } => {
                let current = self.loaded().and_then(|transport| transport.current);
                let next = match to {
                    Some(id) => self.queue.get(*id).ok_or(Rejection::NoSuchQueueItem)?,
                    None => match current {
                        Some(current) => self.queue.after(current.item),
                        None => self.queue.items().first(),
                    }
                    .ok_or(Rejection::NothingToPlay)?,
                };
                Ok(vec![self.start(next, now, SyncCause::Skip)])
            }
            _ => Ok(vec![]),
        }
    }

    fn play(&self, now: Moment) -> Decision {
        let Some((transport, current)) = self.loaded().and_then(|t| Some((t, t.current?))) else {
            let first = self.queue.items().first().ok_or(Rejection::NothingToPlay)?;
            return Ok(vec![self.start(first, now, SyncCause::Play)]);
        };
        if transport.playing {
            return Ok(vec![]);
        }
        let ended = transport.anchor.position_us >= self.duration_us(current.track);
        if let Some(next) = self.queue.after(current.item).filter(|_| ended) {
            return Ok(vec![self.start(next, now, SyncCause::Play)]);
        }
        let position_us = if ended { 0 } else { transport.anchor.position_us };
        let anchor = Anchor { room_time_us: self.effective_us(now), position_us };
        Ok(vec![self.synced(now.epoch, Some(current), anchor, true, SyncCause::Play)])
    }

    fn play_track(&self, envelope: &CommandEnvelope, track: ContentHash, now: Moment) -> Decision {
        self.playable(track).ok_or(Rejection::NoSuchTrack)?;
        if let Some(item) = self.queue.items().iter().find(|item| item.track == track) {
            return Ok(vec![self.start(item, now, SyncCause::Play)]);
        }
        let item = QueueItem { id: envelope.id, track, added_by: envelope.actor };
        Ok(vec![self.enqueued(envelope, track, None), self.start(&item, now, SyncCause::Play)])
    }

    /// Removes an entry; when it is the one that is loaded, the next one takes its place.
    fn dequeue(&self, id: QueueItemId, now: Moment) -> Vec<RoomEvent> {
        let removed = RoomEvent::QueueChanged(QueueChange::Removed { id });
        let Some(transport) = self.loaded().filter(|t| t.current.is_some_and(|current| current.item == id))
        else {
            return vec![removed];
        };
        let follow = match self.queue.after(id).filter(|_| transport.playing) {
            Some(next) => self.start(next, now, SyncCause::Skip),
            None => {
                let anchor = Anchor { room_time_us: self.effective_us(now), position_us: 0 };
                self.synced(now.epoch, None, anchor, false, SyncCause::QueueEnded)
            }
        };
        vec![removed, follow]
    }

    /// The current track's end as an event, without a gap to the next one. Nothing if the transport has moved on.
    pub(crate) fn advance(&self, revision: u64) -> Decision {
        let Some((transport, current)) = self.loaded().and_then(|t| Some((t, t.current?))) else {
            return Ok(vec![]);
        };
        if transport.revision != revision || !transport.playing {
            return Ok(vec![]);
        }
        let duration_us = self.duration_us(current.track);
        let remaining_us = duration_us.saturating_sub(transport.anchor.position_us).max(0);
        let end_us = transport.anchor.room_time_us.saturating_add(remaining_us);
        let (next, position_us, cause) = match self.queue.after(current.item) {
            Some(next) => (CurrentTrack { item: next.id, track: next.track }, 0, SyncCause::Advance),
            None => (current, duration_us, SyncCause::QueueEnded),
        };
        let anchor = Anchor { room_time_us: end_us, position_us };
        let playing = cause == SyncCause::Advance;
        Ok(vec![self.synced(transport.epoch, Some(next), anchor, playing, cause)])
    }

    /// Carries the transport into the epoch of a host that started again.
    pub(crate) fn resume(&self, elapsed_us: i64, now: Moment) -> Decision {
        let Some(transport) = self.transport.as_ref().filter(|transport| transport.epoch != now.epoch) else {
            return Ok(vec![]);
        };
        let continues = transport.playing && (0..=RESTART_CONTINUES_US).contains(&elapsed_us);
        let moved_us = if continues { elapsed_us.saturating_add(now.lead_us) } else { 0 };
        let position_us =
            self.clamp_to_track(transport, transport.anchor.position_us.saturating_add(moved_us));
        let ended = transport.current.is_none_or(|current| position_us >= self.duration_us(current.track));
        let anchor = Anchor { room_time_us: now.room_time_us.saturating_add(now.lead_us), position_us };
        Ok(vec![self.synced(
            now.epoch,
            transport.current,
            anchor,
            continues && !ended,
            SyncCause::HostRestarted,
        )])
    }

    fn loaded(&self) -> Option<&Transport> {
        self.transport.as_ref().filter(|transport| transport.current.is_some())
    }

    fn duration_us(&self, track: ContentHash) -> i64 {
        self.playable(track).map_or(0, |meta| meta.duration_us)
    }

    fn clamp_to_track(&self, transport: &Transport, position_us: i64) -> i64 {
        let duration_us = transport.current.map_or(0, |current| self.duration_us(current.track));
        position_us.clamp(0, duration_us.max(0))
    }

    /// When a change made now takes effect: a lead ahead, and never before one that is already scheduled.
    fn effective_us(&self, now: Moment) -> i64 {
        let pending_us =
            self.transport.as_ref().filter(|t| t.epoch == now.epoch).map(|t| t.anchor.room_time_us);
        let at_us = now.room_time_us.saturating_add(now.lead_us);
        // A pending advance may lie at the far end of a track: only what is nearer than a lead holds a change back.
        at_us.max(pending_us.filter(|pending| *pending <= at_us.saturating_add(now.lead_us)).unwrap_or(at_us))
    }

    fn start(&self, item: &QueueItem, now: Moment, cause: SyncCause) -> RoomEvent {
        let current = CurrentTrack { item: item.id, track: item.track };
        let anchor = Anchor { room_time_us: self.effective_us(now), position_us: 0 };
        self.synced(now.epoch, Some(current), anchor, true, cause)
    }

    fn synced(
        &self,
        epoch: EpochId,
        current: Option<CurrentTrack>,
        anchor: Anchor,
        playing: bool,
        cause: SyncCause,
    ) -> RoomEvent {
        let revision = self.transport.as_ref().map_or(1, |transport| transport.revision.saturating_add(1));
        RoomEvent::PlaybackSynced {
            transport: Transport { revision, epoch, current, anchor, playing },
            cause,
        }
    }
}
