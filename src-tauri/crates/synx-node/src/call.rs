//! What user interfaces ask: each request carried out by the part that it concerns.

use crate::bridge::{AppView, CallError, ProfileView, Request, Response};
use crate::error::NodeError;
use crate::library::search::Wanted;
use crate::looking_back::CHAT_AT_ONCE;
use crate::node::{Inner, Node};
use crate::room::invites::NewInvite;
use crate::room::stage::Stage;
use crate::room::view::settings_of;
use crate::watchers::sync_views;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{Command, ContentHash, MusicalPreferences, ParseIdError, SettingsChange, UserProfile};

impl Node {
    /// Carries out one request.
    ///
    /// # Errors
    /// What failed, on what, and what to do, with a stable code.
    pub async fn call(&self, request: Request) -> Result<Response, CallError> {
        Ok(self.inner().answer(request).await?)
    }
}

impl Inner {
    async fn answer(self: &Arc<Self>, request: Request) -> Result<Response, NodeError> {
        match request {
            Request::GetApp => Ok(Response::App { app: Box::new(self.app_view().await) }),
            Request::SetLanguage { language } => done(self.set_language(language)),
            Request::Speak { language } => {
                self.speak(language);
                Ok(Response::Done)
            }
            Request::GetNetwork => Ok(Response::Network { network: self.network() }),
            Request::SetNetwork { port, seen } => done(self.set_network(port, seen)),
            Request::TestNetwork { port } => Ok(Response::Doctor { checks: self.test_network(port).await }),
            Request::SetVolume { volume, muted } => done(self.set_volume(volume, muted)),
            Request::ListDevices => Ok(Response::Devices { devices: self.devices().await? }),
            Request::SetDevice { id } => done(self.set_device(id)),
            Request::SetNormalisation { target_lufs } => done(self.set_normalisation(target_lufs)),
            Request::SetLatencyOffset { offset_ms } => done(self.set_latency_offset(offset_ms)),
            Request::SetClicks { on } => done(self.set_clicks(on)),
            Request::ListMicrophones => Ok(Response::Devices { devices: self.microphones().await? }),
            Request::Calibrate { microphone } => {
                Ok(Response::Calibration { calibration: self.calibrate(microphone).await? })
            }
            Request::UpdateProfile { profile } => done(self.update_profile(profile).await),
            Request::MakePortrait { path } => self.make_portrait(PathBuf::from(path)).await,
            Request::GetPortrait { user } => {
                let user = parse(&user)?;
                let picture = self.stage().with(|room| room.members.get(&user)?.profile.picture.clone());
                Ok(Response::Portrait { picture })
            }
            Request::UpdatePreferences { preferences } => {
                let preferences = MusicalPreferences {
                    genres: preferences.genres,
                    tempo_range_bpm: preferences.tempo_range_bpm,
                    keys: preferences.keys,
                    instruments: preferences.instruments,
                };
                self.person.lock().await.update_preferences(preferences.clone()).await?;
                done(self.tell_room(Command::UpdateMusicalPreferences { preferences }).await)
            }
            Request::Doctor => Ok(Response::Doctor { checks: self.doctor(self.language()).await }),
            request => self.answer_library(request).await,
        }
    }

    pub(crate) async fn answer_room(self: &Arc<Self>, request: Request) -> Result<Response, NodeError> {
        match request {
            Request::HostRoom { settings } => done(self.host_room(settings).await.map(drop)),
            Request::ReopenRoom { room } => done(self.reopen_room(parse(&room)?).await.map(drop)),
            Request::JoinRoom { link, address, leaving } => {
                done(self.join_room(&link, address, leaving.unwrap_or(false)).await.map(drop))
            }
            Request::JoinLanRoom { room } => done(self.join_lan_room(parse(&room)?).await.map(drop)),
            Request::LeaveRoom => done(self.leave_room().await),
            Request::CreateInvite { .. }
            | Request::GetInviteLink { .. }
            | Request::RevokeInvite { .. }
            | Request::AnswerKnock { .. } => self.answer_door(request).await,
            Request::ShareFiles { paths } => done(self.share_files(files(paths)).await),
            Request::ShareTrack { track } => {
                let path = self.locate(parse(&track)?).ok_or(NodeError::NoSuchTrack)?;
                done(self.share_files(vec![path]).await)
            }
            Request::StopTransfer { track } => {
                self.transfers.stop(&track);
                Ok(Response::Done)
            }
            Request::ResumeTransfer { track } => done(self.resume_transfer(&track).await),
            Request::GiveUpTransfer { track } => done(self.give_up_transfer(&track).await),
            Request::GetChat { before_seq, limit } => {
                Ok(Response::Chat { messages: self.chat_before(before_seq, limit).await? })
            }
            Request::GetLog { before_seq, limit, kinds } => {
                Ok(Response::Log { entries: self.log_entries(before_seq, limit, &kinds).await? })
            }
            Request::GetHistory => Ok(Response::History { history: self.history().await? }),
            Request::GetMoment { seq } => Ok(Response::Moment { moment: Box::new(self.moment(seq).await?) }),
            Request::ExportLog { format, path } => {
                Ok(Response::Saved { path: self.export_log(format, path.map(PathBuf::from)).await? })
            }
            Request::ListenAlone { track } => done(self.listen_alone(parse(&track)?)),
            Request::ListenTogether => {
                self.listen_together();
                Ok(Response::Done)
            }
            Request::Play { track } => done(self.play(track).await),
            Request::Previous => done(self.previous().await),
            request => done(self.steer(command(request)?).await),
        }
    }

    /// Who comes into the hosted room.
    async fn answer_door(&self, request: Request) -> Result<Response, NodeError> {
        /// Ten years: a link that is good for longer is a slip of the hand.
        const LONGEST_S: f64 = 315_360_000.0;
        let stage = self.stage();
        // The host of a cluster's room is a peer like any other.
        if let (Stage::Joined(joined), Request::AnswerKnock { user, let_in }) = (&*stage, &request) {
            return done(joined.answer_knock(parse(user)?, *let_in).await);
        }
        let Stage::Hosted(hosting) = &*stage else { return Err(NodeError::NotHosting) };
        match request {
            Request::CreateInvite { role, expires_in_s, max_uses, knock } => {
                let new = NewInvite {
                    role: role.into(),
                    expires_in: Duration::from_secs_f64(expires_in_s.clamp(1.0, LONGEST_S)),
                    max_uses,
                    knock: knock.unwrap_or(false),
                };
                let (invite, link) = hosting.invite(new).await?;
                Ok(Response::Link { link, invite: invite.to_string() })
            }
            Request::GetInviteLink { invite } => {
                Ok(Response::Link { link: hosting.link_of(parse(&invite)?)?, invite })
            }
            Request::RevokeInvite { invite } => done(hosting.revoke(&invite).await),
            Request::AnswerKnock { user, let_in } => {
                let answered = hosting.room().knocks().answer(parse(&user)?, let_in);
                done(if answered { Ok(()) } else { Err(NodeError::NobodyKnocks) })
            }
            // Every other request is answered elsewhere.
            _ => Err(NodeError::NoRoom),
        }
    }

    async fn play(&self, track: Option<String>) -> Result<(), NodeError> {
        let stage = self.stage();
        let track = track.as_deref().map(parse::<ContentHash>).transpose()?;
        match track {
            Some(hash) if !stage.is_room() => self.play_alone(&stage, &Wanted::all(), hash),
            track => self.steer(Command::Play { track }).await,
        }
    }

    /// Carries out a command where it belongs: by oneself, where one listens alone, or on the stage.
    pub(crate) async fn steer(&self, command: Command) -> Result<(), NodeError> {
        match self.steer_alone(&command) {
            Some(outcome) => outcome,
            None => self.stage().execute(command).await.map(drop),
        }
    }

    async fn devices(self: &Arc<Self>) -> Result<Vec<crate::bridge::DeviceView>, NodeError> {
        let inner = Arc::clone(self);
        tokio::task::spawn_blocking(move || inner.device_views()).await.map_err(|_| NodeError::Closing)
    }

    async fn update_profile(&self, profile: ProfileView) -> Result<(), NodeError> {
        let profile = UserProfile {
            name: profile.name,
            color: profile.color,
            bio: profile.bio,
            picture: profile.picture,
        };
        self.person.lock().await.update_profile(profile.clone()).await?;
        self.tell(crate::bridge::NodeEvent::ProfileChanged { profile: self.profile_view().await });
        self.tell_room(Command::UpdateProfile { profile }).await
    }

    /// A picture for a profile, drawn where a bad file does no harm.
    async fn make_portrait(&self, path: PathBuf) -> Result<Response, NodeError> {
        let edge_px = UserProfile::PICTURE_PX as u32;
        let picture = match self.library.analyses().workers().portrait(&path, edge_px).await {
            Ok(picture) => picture,
            Err(error) if error.is_the_files() => None,
            Err(error) => return Err(error.into()),
        };
        match picture {
            Some(picture) => Ok(Response::Portrait { picture: Some(picture) }),
            None => Err(NodeError::NotAPicture { path }),
        }
    }

    /// Tells the room, if there is one, what has changed about oneself.
    async fn tell_room(&self, command: Command) -> Result<(), NodeError> {
        let stage = self.stage();
        if stage.is_room() { stage.execute(command).await.map(drop) } else { Ok(()) }
    }

    /// Oneself.
    pub async fn profile_view(&self) -> ProfileView {
        let person = self.person.lock().await;
        let UserProfile { name, color, bio, picture } = person.profile();
        let chosen = person.state().profile.is_some();
        ProfileView { user: person.user().to_string(), name, color, bio, picture, chosen }
    }

    async fn app_view(&self) -> AppView {
        let preferences = self.person.lock().await.state().preferences.clone();
        let stage = self.stage();
        // By itself: it would hold the settings until the last field, and others ask for them.
        let (look, language) = {
            let settings = self.settings();
            (settings.values().look.clone(), settings.values().language)
        };
        AppView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language,
            profile: self.profile_view().await,
            preferences: crate::bridge::PreferencesView {
                genres: preferences.genres,
                tempo_range_bpm: preferences.tempo_range_bpm,
                keys: preferences.keys,
                instruments: preferences.instruments,
            },
            library: Box::new(self.library.state()),
            look,
            current: self.current_track().map(Box::new),
            player: self.player_view(),
            queue: self.queue_views(),
            room: self.room_view().map(Box::new),
            at_door: self.joining.at_door(),
            chat: self.recent_chat(None, CHAT_AT_ONCE),
            sync: sync_views(&stage),
            transfers: self.transfers.views(),
            lan_rooms: self.lan.rooms(),
            recent_rooms: self.recent_room_views(),
        }
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NodeError> + Send + 'static,
) -> Result<T, NodeError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| NodeError::Closing)?
}

/// A request that is one command of the domain.
fn command(request: Request) -> Result<Command, NodeError> {
    Ok(match request {
        Request::Pause => Command::Pause,
        Request::Seek { position_s } => Command::Seek { position_us: micros(position_s) },
        Request::SetLoop { region } => Command::SetLoop { region: region.map(Into::into) },
        Request::Skip { to } => Command::Skip { to: to.as_deref().map(parse).transpose()? },
        Request::SendChat { text } => Command::PostChatMessage { text },
        Request::AddComment { track, position_s, end_s, text, reply_to } => Command::AddComment {
            track: parse(&track)?,
            position_us: micros(position_s),
            end_us: end_s.map(micros),
            text,
            reply_to: reply_to.as_deref().map(parse).transpose()?,
        },
        Request::ResolveComment { comment, done } => {
            Command::ResolveComment { comment: parse(&comment)?, done }
        }
        Request::QueueAdd { track } => Command::Enqueue { track: parse(&track)?, index: None },
        Request::QueueRemove { item } => Command::Dequeue { id: parse(&item)? },
        Request::QueueMove { item, index } => {
            Command::MoveInQueue { id: parse(&item)?, index: index as usize }
        }
        Request::UpdateRoomSettings { settings } => {
            let storage = settings.storage.clone().map(Into::into);
            let (wait_for_all, archive_after_days) = (settings.wait_for_all, settings.archive_after_days);
            let settings = settings_of(settings);
            Command::UpdateSettings {
                change: SettingsChange {
                    name: Some(settings.name),
                    visibility: Some(settings.visibility),
                    max_participants: Some(settings.max_participants),
                    genres: Some(settings.genres),
                    playback_control: Some(settings.playback_control),
                    storage,
                    wait_for_all,
                    archive_after_days,
                },
            }
        }
        Request::ChangeRole { user, role } => Command::ChangeRole { user: parse(&user)?, role: role.into() },
        Request::RemoveMember { user, may_return } => {
            Command::RemoveMember { user: parse(&user)?, may_return }
        }
        Request::LiftBan { user } => Command::LiftBan { user: parse(&user)? },
        // Every other request has been answered before.
        _ => return Err(NodeError::NoRoom),
    })
}

pub(crate) fn parse<T: FromStr<Err = ParseIdError>>(text: &str) -> Result<T, NodeError> {
    Ok(text.parse()?)
}

/// Seconds as microseconds; what is no number is the start.
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

pub(crate) fn files(paths: Vec<String>) -> Vec<PathBuf> {
    paths.into_iter().map(PathBuf::from).collect()
}

pub(crate) fn done(outcome: Result<(), NodeError>) -> Result<Response, NodeError> {
    outcome.map(|()| Response::Done)
}
