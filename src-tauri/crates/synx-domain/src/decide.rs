//! Whether a command is allowed now, and what follows from it: who may do what, on one page.
//!
//! Must never change the room: the events go to the log first, and come back through [`Room::apply`].

use crate::people::leave;
use crate::sharing::{fail_processing, post};
use crate::{
    Command, CommandEnvelope, Member, Moment, PlaybackControl, Rejection, Role, Room, RoomEvent, UserId,
};

/// What follows from a command: its events, or why there are none.
pub(crate) type Decision = Result<Vec<RoomEvent>, Rejection>;

impl Room {
    /// Decides a command against the present state. An accepted command may have no events, when what it asks for is so
    /// already. Whoever calls this has checked [`Room::applied`] before.
    ///
    /// [`Command::ShareTrack`], [`Command::FailProcessing`], [`Command::RecordAnalysis`], [`Command::Advance`],
    /// [`Command::Release`] and [`Command::ResumeAfterRestart`] are the host process's own; its server takes none of them from a peer.
    ///
    /// # Errors
    /// The [`Rejection`] that the sender is told.
    pub fn decide(&self, envelope: &CommandEnvelope, now: Moment) -> Decision {
        let (id, actor) = (envelope.id, envelope.actor);
        match &envelope.command {
            Command::CreateRoom { profile, settings } => self.create(actor, profile, settings),
            _ if self.settings.is_none() => Err(Rejection::NoSuchRoom),
            // A retry that comes after the recent commands have forgotten it: what it made is still there.
            _ if self.queue.get(id).is_some() => Ok(vec![]),

            Command::Join { profile, role, invite } => self.join(actor, profile, *role, invite.as_ref(), now),
            Command::CreateInvite { invite } => {
                self.by_host(actor).and_then(|()| self.create_invite(invite, now))
            }
            Command::RevokeInvite { invite } => {
                self.by_host(actor).and_then(|()| self.revoke_invite(*invite))
            }
            Command::Leave { reason } => self.member(actor).and_then(|_| leave(actor, *reason)),
            Command::RemoveMember { user, may_return } => {
                self.as_host(actor).and_then(|_| self.remove_member(*user, *may_return))
            }
            Command::LiftBan { user } => self.as_host(actor).and_then(|_| self.lift_ban(*user)),
            Command::ChangeRole { user, role } => {
                self.as_host(actor).and_then(|_| self.change_role(*user, *role))
            }
            Command::UpdateSettings { change } => {
                self.as_host(actor).and_then(|_| self.update_settings(change))
            }
            Command::UpdateProfile { profile } => self.update_profile(actor, profile),
            Command::UpdateMusicalPreferences { preferences } => {
                self.member(actor).and_then(|member| member.update_preferences(actor, preferences))
            }

            Command::PostChatMessage { text } => self.member(actor).and_then(|_| post(text)),
            Command::AddComment { track, position_us, end_us, text, reply_to } => self
                .member(actor)
                .and_then(|_| self.add_comment(envelope, *track, (*position_us, *end_us), text, *reply_to)),
            Command::ResolveComment { comment, done } => {
                self.member(actor).and_then(|_| self.resolve_comment(*comment, *done))
            }
            Command::StartUpload { hash, file_name, size_bytes } => {
                self.member(actor).and_then(|_| self.start_upload(envelope, *hash, file_name, *size_bytes))
            }
            Command::GiveUpUpload { hash } => self.give_up_upload(actor, *hash),
            Command::ShareTrack { track } => self.share(envelope, track),
            Command::FailProcessing { hash, file_name, code, reason } => {
                Ok(vec![fail_processing(*hash, file_name, code, reason)])
            }
            Command::RecordAnalysis { hash, analysis } => self.record_analysis(*hash, analysis),

            // Everybody may add at the end; only who controls the queue may jump it.
            Command::Enqueue { track, index: None } => {
                self.member(actor).and_then(|_| self.enqueue(envelope, *track, None))
            }
            Command::Enqueue { track, index } => {
                self.in_control(actor).and_then(|_| self.enqueue(envelope, *track, *index))
            }
            Command::Dequeue { id } => self.dequeue(actor, *id, now),
            Command::MoveInQueue { id, index } => {
                self.in_control(actor).and_then(|_| self.move_in_queue(*id, *index))
            }

            Command::Play { track: Some(track) } => {
                self.in_control(actor).and_then(|_| self.play_track(envelope, *track, now))
            }
            Command::Play { track: None } => self.in_control(actor).and_then(|_| self.play(now)),
            Command::SetLoop { region } => self.in_control(actor).and_then(|_| self.set_loop(*region, now)),
            Command::Pause => self.in_control(actor).map(|_| self.pause(now)),
            Command::Seek { position_us } => {
                self.in_control(actor).and_then(|_| self.seek(*position_us, now))
            }
            Command::Skip { to } => self.in_control(actor).and_then(|_| self.skip(*to, now)),
            Command::Advance { revision, awaits } => Ok(self.advance(*revision, *awaits, now)),
            Command::Release { revision } => Ok(self.release(*revision, now)),
            Command::ResumeAfterRestart { heard_us, known_us } => Ok(self.resume(*heard_us, *known_us, now)),
        }
    }

    /// The member who asks; refuses whoever is not in the room.
    pub(crate) fn member(&self, user: UserId) -> Result<&Member, Rejection> {
        self.present(user).ok_or(Rejection::NotAMember)
    }

    /// The host, also while the room is closed.
    fn by_host(&self, user: UserId) -> Result<(), Rejection> {
        if self.host == Some(user) { Ok(()) } else { Err(Rejection::NotAllowed { needed: "the host" }) }
    }

    fn as_host(&self, user: UserId) -> Result<&Member, Rejection> {
        let member = self.member(user)?;
        if member.role == Role::Host { Ok(member) } else { Err(Rejection::NotAllowed { needed: "the host" }) }
    }

    /// The member who asks; refuses whoever may not control playback here.
    pub(crate) fn in_control(&self, user: UserId) -> Result<&Member, Rejection> {
        let member = self.member(user)?;
        if self.may_control(member.role) {
            return Ok(member);
        }
        let djs_may =
            self.settings.as_ref().is_some_and(|settings| settings.playback_control == PlaybackControl::Djs);
        Err(Rejection::NotAllowed { needed: if djs_may { "the host and DJs" } else { "the host" } })
    }
}
