//! Decisions about the transport and the order of the queue.
//!
//! A change takes effect a lead ahead of now, so that every peer has it in time and executes it at the same sample.

use crate::decide::Decision;
use crate::{
    Anchor, CommandEnvelope, ContentHash, CurrentTrack, EpochId, LoopRegion, Moment, QueueChange, QueueItem,
    QueueItemId, Rejection, Room, RoomEvent, SyncCause, Transport, UserId, validate,
};

/// A host that comes back longer than this after the end of the track that played was gone for at least as long, and
/// nobody is listening any more.
const RESTART_CONTINUES_US: i64 = 60_000_000;

/// What becomes of the position when a change of the transport takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Motion {
    Stands,
    /// It stands until everybody has the track.
    Awaits,
    Moves,
}

impl Motion {
    fn of(transport: &Transport) -> Self {
        match (transport.playing, transport.awaits) {
            (true, _) => Self::Moves,
            (false, true) => Self::Awaits,
            (false, false) => Self::Stands,
        }
    }
}

impl Room {
    pub(crate) fn enqueue(
        &self,
        envelope: &CommandEnvelope,
        track: ContentHash,
        index: Option<usize>,
    ) -> Decision {
        self.playable(track).ok_or(Rejection::NoSuchTrack)?;
        Ok(vec![self.enqueued(envelope, track, index)?])
    }

    /// The event that puts `track` into the queue under the command's id.
    pub(crate) fn enqueued(
        &self,
        envelope: &CommandEnvelope,
        track: ContentHash,
        index: Option<usize>,
    ) -> Result<RoomEvent, Rejection> {
        self.room_in_queue()?;
        let end = self.queue.items().len();
        let item = QueueItem { id: envelope.id, track, added_by: envelope.actor };
        Ok(RoomEvent::QueueChanged(QueueChange::Added { item, index: index.unwrap_or(end).min(end) }))
    }

    /// Removes an entry; when it is the one that is loaded, the next one takes its place. One's own entry may be taken
    /// back by anybody, unless it is loaded: then this is control of playback.
    pub(crate) fn dequeue(&self, actor: UserId, id: QueueItemId, now: Moment) -> Decision {
        self.member(actor)?;
        let item = self.queue.get(id).ok_or(Rejection::NoSuchQueueItem)?;
        let loaded = self.loaded().filter(|(_, current)| current.item == id);
        if loaded.is_some() || item.added_by != actor {
            self.in_control(actor)?;
        }
        let removed = RoomEvent::QueueChanged(QueueChange::Removed { id });
        let follow = loaded.map(|(transport, _)| {
            let next = self.queue.after(id).map(QueueItem::as_current);
            let cause = if next.is_some() { SyncCause::Skip } else { SyncCause::QueueEnded };
            let wanted = next.filter(|_| Motion::of(transport) != Motion::Stands);
            self.changed(now, next, 0, wanted.map_or(Motion::Stands, |next| self.motion_into(next)), cause)
        });
        Ok([Some(removed), follow].into_iter().flatten().collect())
    }

    pub(crate) fn move_in_queue(&self, id: QueueItemId, index: usize) -> Decision {
        let from = self.queue.position(id).ok_or(Rejection::NoSuchQueueItem)?;
        let index = index.min(self.queue.items().len().saturating_sub(1));
        if from == index {
            return Ok(vec![]);
        }
        Ok(vec![RoomEvent::QueueChanged(QueueChange::Moved { id, index })])
    }

    pub(crate) fn play(&self, now: Moment) -> Decision {
        let Some((transport, current)) = self.loaded() else {
            let first = self.queue.items().first().ok_or(Rejection::NothingToPlay)?;
            return Ok(vec![self.start(first, now, SyncCause::Play)]);
        };
        if transport.playing {
            return Ok(vec![]);
        }
        if transport.awaits {
            return Ok(vec![self.begin(transport, current, now, SyncCause::Play)]);
        }
        let ended = transport.anchor.position_us >= self.duration_us(current.track);
        if let Some(next) = self.queue.after(current.item).filter(|_| ended) {
            return Ok(vec![self.start(next, now, SyncCause::Play)]);
        }
        let position_us = if ended { 0 } else { transport.anchor.position_us };
        Ok(vec![self.changed(now, Some(current), position_us, Motion::Moves, SyncCause::Play)])
    }

    pub(crate) fn play_track(&self, envelope: &CommandEnvelope, track: ContentHash, now: Moment) -> Decision {
        self.playable(track).ok_or(Rejection::NoSuchTrack)?;
        if let Some(item) = self.queue.items().iter().find(|item| item.track == track) {
            return Ok(vec![self.start(item, now, SyncCause::Play)]);
        }
        let item = QueueItem { id: envelope.id, track, added_by: envelope.actor };
        Ok(vec![self.enqueued(envelope, track, None)?, self.start(&item, now, SyncCause::Play)])
    }

    pub(crate) fn pause(&self, now: Moment) -> Vec<RoomEvent> {
        let wanted = |(transport, _): &(&Transport, _)| Motion::of(transport) != Motion::Stands;
        let Some((transport, current)) = self.loaded().filter(wanted) else {
            return vec![];
        };
        let position_us = self.position_us(transport, now);
        vec![self.changed(now, Some(current), position_us, Motion::Stands, SyncCause::Pause)]
    }

    pub(crate) fn seek(&self, position_us: i64, now: Moment) -> Decision {
        let (transport, current) = self.loaded().ok_or(Rejection::NothingToPlay)?;
        Ok(vec![self.changed(now, Some(current), position_us, Motion::of(transport), SyncCause::Seek)])
    }

    /// Repeats a region, or nothing any more. Where the music is outside of it, it moves to its beginning.
    pub(crate) fn set_loop(&self, region: Option<LoopRegion>, now: Moment) -> Decision {
        let (transport, current) = self.loaded().ok_or(Rejection::NothingToPlay)?;
        if let Some(region) = region {
            validate::loop_region(region, self.duration_us(current.track))?;
        }
        if transport.loop_region == region {
            return Ok(vec![]);
        }
        let position_us = self.position_us(transport, now);
        let outside = |region: &LoopRegion| !(region.begin_us..region.end_us).contains(&position_us);
        let position_us = region.filter(outside).map_or(position_us, |region| region.begin_us);
        let mut transport = self.change(now, Some(current), position_us, Motion::of(transport));
        transport.loop_region = region;
        Ok(vec![RoomEvent::PlaybackSynced { transport, cause: SyncCause::Loop }])
    }

    pub(crate) fn skip(&self, to: Option<QueueItemId>, now: Moment) -> Decision {
        let next = match (to, self.loaded()) {
            (Some(id), _) => self.queue.get(id).ok_or(Rejection::NoSuchQueueItem)?,
            (None, Some((_, current))) => self.queue.after(current.item).ok_or(Rejection::NothingToPlay)?,
            (None, None) => self.queue.items().first().ok_or(Rejection::NothingToPlay)?,
        };
        Ok(vec![self.start(next, now, SyncCause::Skip)])
    }

    /// The current track's end as an event, without a gap to the next one, unless that `awaits` somebody. Nothing if the
    /// transport has moved on.
    pub(crate) fn advance(&self, revision: u64, awaits: bool, now: Moment) -> Vec<RoomEvent> {
        let Some((transport, current)) = self.loaded().filter(|(transport, _)| {
            let runs_out = transport.playing && transport.repeats().is_none();
            runs_out && transport.revision == revision && transport.epoch == now.epoch
        }) else {
            return vec![];
        };
        let duration_us = self.duration_us(current.track);
        let remaining_us = duration_us.saturating_sub(transport.anchor.position_us).max(0);
        let room_time_us = transport.anchor.room_time_us.saturating_add(remaining_us);
        vec![match self.queue.after(current.item).map(QueueItem::as_current) {
            Some(next) => {
                let anchor = Anchor { room_time_us, position_us: 0 };
                let motion = if awaits { self.motion_into(next) } else { Motion::Moves };
                self.synced(now.epoch, Some(next), anchor, motion, SyncCause::Advance)
            }
            None => {
                let anchor = Anchor { room_time_us, position_us: duration_us };
                self.synced(now.epoch, Some(current), anchor, Motion::Stands, SyncCause::QueueEnded)
            }
        }]
    }

    /// The awaited track plays. Nothing if the transport has moved on.
    pub(crate) fn release(&self, revision: u64, now: Moment) -> Vec<RoomEvent> {
        let awaited = self.loaded().filter(|(transport, _)| {
            transport.awaits && transport.revision == revision && transport.epoch == now.epoch
        });
        awaited
            .map(|(transport, current)| self.begin(transport, current, now, SyncCause::Released))
            .into_iter()
            .collect()
    }

    /// What is awaited plays: as soon as it can, but not into the end of the track before.
    fn begin(&self, awaited: &Transport, current: CurrentTrack, now: Moment, cause: SyncCause) -> RoomEvent {
        let mut transport = self.change(now, Some(current), awaited.anchor.position_us, Motion::Moves);
        if awaited.epoch == now.epoch {
            let due_us = &mut transport.anchor.room_time_us;
            *due_us = awaited.anchor.room_time_us.max(*due_us);
        }
        RoomEvent::PlaybackSynced { transport, cause }
    }

    /// Carries the transport into the epoch of a host that started again. For whoever heard it, the music went on
    /// meanwhile: it is where it would have been, or where the next track starts, and what was awaited still is. Where
    /// nobody did, or not for long, it stands where the earlier run is last known to have been.
    pub(crate) fn resume(&self, heard_us: Option<i64>, known_us: i64, now: Moment) -> Vec<RoomEvent> {
        let Some(transport) = self.transport.as_ref().filter(|transport| transport.epoch != now.epoch) else {
            return vec![];
        };
        // The old anchor lay a lead after its event, the new one lies a lead after now: the leads cancel out.
        let after_us = |elapsed_us: i64| {
            transport.position_us_at(transport.anchor.room_time_us.saturating_add(elapsed_us.max(0)))
        };
        let duration_us = transport.current.map_or(0, |current| self.duration_us(current.track));
        let carried = |position_us, motion| {
            self.changed(now, transport.current, position_us, motion, SyncCause::HostRestarted)
        };
        let is_recent = |reached_us: &i64| reached_us.saturating_sub(duration_us) <= RESTART_CONTINUES_US;
        let Some(reached_us) = heard_us.map(after_us).filter(is_recent) else {
            return vec![carried(after_us(known_us), Motion::Stands)];
        };
        let ended = transport.playing && reached_us >= duration_us;
        let next = transport.current.and_then(|current| self.queue.after(current.item));
        vec![match next.filter(|_| ended) {
            Some(next) => self.start(next, now, SyncCause::HostRestarted),
            None => carried(reached_us, if ended { Motion::Stands } else { Motion::of(transport) }),
        }]
    }

    fn loaded(&self) -> Option<(&Transport, CurrentTrack)> {
        self.transport.as_ref().and_then(|transport| Some((transport, transport.current?)))
    }

    /// Where the music will be when a change made now takes effect.
    fn position_us(&self, transport: &Transport, now: Moment) -> i64 {
        // An anchor of an earlier epoch says nothing of now: its position stands.
        if transport.epoch == now.epoch {
            transport.position_us_at(self.effective_us(now))
        } else {
            transport.anchor.position_us
        }
    }

    /// Length of a track; 0 for one that cannot be played.
    fn duration_us(&self, track: ContentHash) -> i64 {
        self.playable(track).map_or(0, |meta| meta.duration_us.max(0))
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
        let next = item.as_current();
        self.changed(now, Some(next), 0, self.motion_into(next), cause)
    }

    /// How a track begins: where the room waits for everybody, another one than now stands until they have it.
    fn motion_into(&self, next: CurrentTrack) -> Motion {
        let same = self.transport.as_ref().filter(|transport| transport.current == Some(next));
        let awaits = self.waits_for_all() && same.is_none_or(|transport| transport.awaits);
        if awaits { Motion::Awaits } else { Motion::Moves }
    }

    /// A change that somebody asks for now.
    fn changed(
        &self,
        now: Moment,
        current: Option<CurrentTrack>,
        position_us: i64,
        motion: Motion,
        cause: SyncCause,
    ) -> RoomEvent {
        RoomEvent::PlaybackSynced { transport: self.change(now, current, position_us, motion), cause }
    }

    /// The transport after a change. The position is clamped to the track. A loop lasts as long as its track, and until
    /// somebody goes behind it.
    fn change(
        &self,
        now: Moment,
        current: Option<CurrentTrack>,
        position_us: i64,
        motion: Motion,
    ) -> Transport {
        let duration_us = current.map_or(0, |current| self.duration_us(current.track));
        let position_us = position_us.clamp(0, duration_us);
        let anchor = Anchor { room_time_us: self.effective_us(now), position_us };
        let same_track = self.transport.as_ref().filter(|transport| transport.current == current);
        let kept = same_track.and_then(|transport| transport.loop_region);
        Transport {
            loop_region: kept.filter(|region| position_us < region.end_us),
            ..self.next_transport(now.epoch, current, anchor, motion)
        }
    }

    fn synced(
        &self,
        epoch: EpochId,
        current: Option<CurrentTrack>,
        anchor: Anchor,
        motion: Motion,
        cause: SyncCause,
    ) -> RoomEvent {
        RoomEvent::PlaybackSynced { transport: self.next_transport(epoch, current, anchor, motion), cause }
    }

    fn next_transport(
        &self,
        epoch: EpochId,
        current: Option<CurrentTrack>,
        anchor: Anchor,
        motion: Motion,
    ) -> Transport {
        let revision = self.transport.as_ref().map_or(1, |transport| transport.revision.saturating_add(1));
        let (playing, awaits) = (motion == Motion::Moves, motion == Motion::Awaits);
        Transport { revision, epoch, current, anchor, playing, awaits, loop_region: None }
    }
}

impl QueueItem {
    fn as_current(&self) -> CurrentTrack {
        CurrentTrack { item: self.id, track: self.track }
    }
}
