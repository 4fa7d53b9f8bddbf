//! Decisions about what is brought into the room: words, and audio with what is found out about it.

use crate::decide::Decision;
use crate::{
    CommandEnvelope, CommandId, Comment, ContentHash, Rejection, Room, RoomEvent, TrackAnalysis, TrackMeta,
    TrackState, UserId, validate,
};

impl Room {
    pub(crate) fn add_comment(
        &self,
        CommandEnvelope { id, actor: author, .. }: &CommandEnvelope,
        track: ContentHash,
        (position_us, end_us): (i64, Option<i64>),
        text: &str,
        reply_to: Option<CommandId>,
    ) -> Decision {
        validate::text(text)?;
        let duration_us = self.playable(track).ok_or(Rejection::NoSuchTrack)?.duration_us;
        validate::range(position_us, end_us, duration_us)?;
        let here = |id| self.comments.iter().any(|comment| comment.id == id && comment.track == track);
        if reply_to.is_some_and(|parent| !here(parent)) {
            return Err(Rejection::NoSuchComment);
        }
        // A late retry, as for the queue.
        if self.comments.iter().any(|comment| comment.id == *id) {
            return Ok(vec![]);
        }
        self.room_for_comment(*author, text)?;
        let text = text.to_owned();
        Ok(vec![RoomEvent::CommentAdded { track, position_us, end_us, text, reply_to }])
    }

    pub(crate) fn resolve_comment(&self, id: CommandId, done: bool) -> Decision {
        let asks = |comment: &&Comment| comment.id == id && comment.reply_to.is_none();
        let comment = self.comments.iter().find(asks).ok_or(Rejection::NoSuchComment)?;
        Ok(if comment.done == done { vec![] } else { vec![RoomEvent::CommentResolved { comment: id, done }] })
    }

    pub(crate) fn start_upload(
        &self,
        envelope: &CommandEnvelope,
        hash: ContentHash,
        file_name: &str,
        size_bytes: u64,
    ) -> Decision {
        validate::file_name(file_name)?;
        if self.playable(hash).is_some() {
            return Ok(vec![self.enqueued(envelope, hash, None)?]);
        }
        // Said once is enough; another length replaces one that was wrong, and a transfer under way keeps its own.
        let announced = self.tracks.get(&hash).map(|track| &track.state);
        if matches!(announced, Some(TrackState::Uploading { size_bytes: known, .. }) if *known == size_bytes)
        {
            return Ok(vec![]);
        }
        self.room_for_upload(envelope.actor, hash, size_bytes)?;
        Ok(vec![RoomEvent::UploadStarted { hash, file_name: file_name.to_owned(), size_bytes }])
    }

    /// What is one's own anybody may take back; what others send only who controls what is played.
    pub(crate) fn give_up_upload(&self, actor: UserId, hash: ContentHash) -> Decision {
        self.member(actor)?;
        let track = self.tracks.get(&hash).ok_or(Rejection::NoSuchUpload)?;
        match &track.state {
            TrackState::Uploading { file_name, .. } => {
                if track.shared_by != actor {
                    self.in_control(actor)?;
                }
                let reason = "The upload was given up.";
                Ok(vec![fail_processing(hash, file_name, TrackState::GIVEN_UP, reason)])
            }
            TrackState::Failed { code, .. } if code == TrackState::GIVEN_UP => Ok(vec![]),
            _ => Err(Rejection::NoSuchUpload),
        }
    }

    pub(crate) fn share(&self, envelope: &CommandEnvelope, track: &TrackMeta) -> Decision {
        if self.playable(track.hash).is_some() {
            return Ok(vec![self.enqueued(envelope, track.hash, None)?]);
        }
        let track = validate::track(track)?;
        let state = self.tracks.get(&track.hash).map(|shared| &shared.state);
        let uploading = matches!(state, Some(TrackState::Uploading { .. }));
        let completed = uploading.then_some(RoomEvent::UploadCompleted { hash: track.hash });
        // A queue that is full keeps nothing from being shared.
        let queued = self.enqueued(envelope, track.hash, None).ok();
        let shared = RoomEvent::FileShared { track };
        Ok(completed.into_iter().chain([shared]).chain(queued).collect())
    }

    pub(crate) fn record_analysis(&self, hash: ContentHash, analysis: &TrackAnalysis) -> Decision {
        self.playable(hash).ok_or(Rejection::NoSuchTrack)?;
        validate::analysis(analysis)?;
        let known = self.tracks.get(&hash).and_then(|shared| shared.analysis.as_ref());
        if known == Some(analysis) {
            return Ok(vec![]);
        }
        Ok(vec![RoomEvent::AudioAnalyzed { hash, analysis: analysis.clone() }])
    }
}

pub(crate) fn post(text: &str) -> Decision {
    validate::text(text)?;
    Ok(vec![RoomEvent::ChatMessagePosted { text: text.to_owned() }])
}

pub(crate) fn fail_processing(hash: ContentHash, file_name: &str, code: &str, reason: &str) -> RoomEvent {
    RoomEvent::ProcessingFailed {
        hash,
        file_name: validate::tidy(file_name),
        code: code.to_owned(),
        reason: validate::tidy(reason),
    }
}
