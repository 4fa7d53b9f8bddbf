//! Rooms of this machine, and what is done in any: sharing, and how it is drawn.

use crate::bridge::{
    NodeEvent, RecentRoomView, RoomConnection, RoomSettingsView, RoomView, TransferDirection, TransferView,
};
use crate::call::parse;
use crate::error::{NodeError, for_people};
use crate::library::{RecentRoom, file_name, find_audio, hash_file};
use crate::node::Inner;
use crate::room::backend::{self, House};
use crate::room::hosted::HostedRoom;
use crate::room::hosting::{Hosting, Opening};
use crate::room::knocks::knock_views;
use crate::room::stage::Stage;
use crate::room::view::{Surroundings, room_view, settings_of};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synx_domain::{Command, ContentHash, RoomId};
use uuid::Uuid;

impl Inner {
    /// Opens a new room with its server wherever the settings of this machine say.
    ///
    /// # Errors
    /// As [`Hosting::open`].
    pub async fn host_room(self: &Arc<Self>, settings: RoomSettingsView) -> Result<RoomView, NodeError> {
        let room = RoomId::from_uuid(Uuid::now_v7());
        self.host(Opening {
            settings: Some(settings_of(settings)),
            room,
            listen: None,
            tls: true,
            public_address: None,
        })
        .await
    }

    /// Opens a room of this machine again.
    ///
    /// # Errors
    /// As [`Hosting::open`]; [`NodeError::NoSuchRoom`] when its log is not here.
    pub async fn reopen_room(self: &Arc<Self>, room: RoomId) -> Result<RoomView, NodeError> {
        self.host(Opening { settings: None, room, listen: None, tls: true, public_address: None }).await
    }

    /// Opens a room as `opening` says, and enters it.
    ///
    /// # Errors
    /// As [`Hosting::open`].
    pub async fn host(self: &Arc<Self>, opening: Opening) -> Result<RoomView, NodeError> {
        let _nobody_enters = self.entering.lock().await;
        let _one_at_a_time = self.changing_stage.lock().await;
        self.needs_no_room()?;
        if opening.settings.is_none() && self.log.head(opening.room)? == 0 {
            return Err(NodeError::NoSuchRoom);
        }
        let stage = Arc::new(Stage::Hosted(Hosting::open(self, opening).await?));
        self.look_what_was_missed(&stage);
        self.enter(stage);
        self.entered(true, None)
    }

    /// Tells the windows what the room is now.
    pub fn tell_room_changed(&self) {
        self.tell(NodeEvent::RoomChanged { room: self.room_view().map(Box::new) });
    }

    /// The same, to be called from elsewhere.
    pub fn room_changed(self: &Arc<Self>) -> impl Fn() + Send + Sync + 'static {
        let node = Arc::downgrade(self);
        move || node.upgrade().iter().for_each(|node| node.tell_room_changed())
    }

    /// # Errors
    /// [`NodeError::InRoom`].
    pub fn needs_no_room(&self) -> Result<(), NodeError> {
        if self.stage().is_room() { Err(NodeError::InRoom) } else { Ok(()) }
    }

    /// Remembers the room that was entered.
    ///
    /// # Errors
    /// When it has been left already, or cannot be noted.
    pub fn entered(&self, hosted_here: bool, link: Option<String>) -> Result<RoomView, NodeError> {
        let view = self.room_view().ok_or(NodeError::NoRoom)?;
        let name = view.settings.name.clone();
        let recent = RecentRoom {
            room: view.id.parse()?,
            name,
            hosted_here,
            link,
            last_seen_ms: crate::wall_clock_ms(),
        };
        self.library.store().remember_room(&recent)?;
        self.note_seen(&self.stage());
        self.tell(crate::bridge::NodeEvent::RecentRoomsChanged { rooms: self.recent_room_views() });
        Ok(view)
    }

    /// The room as it is drawn; none outside of one.
    pub fn room_view(&self) -> Option<RoomView> {
        let stage = self.stage();
        let (connection, connection_problem, link, addresses) = match &*stage {
            Stage::Solo(_) => return None,
            Stage::Hosted(hosting) => {
                (RoomConnection::Hosting, None, hosting.link().ok(), hosting.addresses_elsewhere())
            }
            Stage::Joined(joined) => {
                let connection = joined.connection().borrow().clone();
                let problem = connection.problem.as_deref().map(for_people);
                (connection.state, problem, None, Vec::new())
            }
        };
        let knocks = match &*stage {
            Stage::Solo(_) => Vec::new(),
            Stage::Hosted(hosting) => knock_views(&hosting.room().knocks().watch().borrow()),
            Stage::Joined(joined) => knock_views(&joined.knockers().borrow()),
        };
        let is_here = |hash| self.locate(hash).is_some();
        let around = Surroundings {
            me: self.me(),
            connection,
            connection_problem,
            link,
            addresses,
            knocks,
            missed: self.missed.view(),
            is_here: &is_here,
        };
        stage.with(|room| room_view(room, around))
    }

    /// The rooms that were hosted or joined, newest first.
    pub fn recent_room_views(&self) -> Vec<RecentRoomView> {
        let recent = self.library.store().recent_rooms().unwrap_or_else(|error| {
            tracing::warn!(%error, "the rooms seen last cannot be read");
            Vec::new()
        });
        let view = |recent: RecentRoom| RecentRoomView {
            room: recent.room.to_string(),
            name: recent.name,
            hosted_here: recent.hosted_here,
            last_seen_ms: recent.last_seen_ms,
            link: recent.link,
        };
        recent.into_iter().map(view).collect()
    }

    /// Shares audio files (folders are searched) with the room. Returns when every file is on its way.
    ///
    /// # Errors
    /// A path that does not exist or holds no audio, or the room's refusal of one of the files.
    pub async fn share_files(self: &Arc<Self>, paths: Vec<PathBuf>) -> Result<(), NodeError> {
        let named = paths.first().cloned().unwrap_or_default();
        let files = blocking(move || find_audio(&paths)).await??;
        if files.is_empty() {
            return Err(NodeError::NoAudio { path: named });
        }
        for path in files {
            let hashed = path.clone();
            let hash = blocking(move || hash_file(&hashed)).await??;
            self.share(hash, path).await?;
        }
        Ok(())
    }

    async fn share(self: &Arc<Self>, hash: ContentHash, path: PathBuf) -> Result<(), NodeError> {
        match &*self.stage() {
            Stage::Solo(_) => Err(NodeError::NoRoom),
            Stage::Hosted(hosting) => {
                let (track, user) = (hash.to_string(), self.me().to_string());
                let number = self.transfers.begins(&track, &user);
                let shared = self.share_here(Arc::clone(hosting.room()), hash, path).await;
                self.transfers.upload_ended(&track, &user, number, shared.is_ok());
                shared
            }
            Stage::Joined(_) => {
                self.start_upload(hash, path);
                Ok(())
            }
        }
    }

    /// The host's own file: its bytes are taken into the store, from which peers fetch it.
    async fn share_here(
        self: &Arc<Self>,
        room: Arc<HostedRoom>,
        hash: ContentHash,
        path: PathBuf,
    ) -> Result<(), NodeError> {
        let file_name = file_name(&path);
        let size_bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let start = Command::StartUpload { hash, file_name: file_name.clone(), size_bytes };
        let known = room.with(|room| room.playable(hash).is_some());
        room.execute_as(self.me(), start).await?;
        if known {
            return Ok(());
        }
        let audio = self.audio.clone();
        let from = path.clone();
        if let Err(error) = blocking(move || audio.import(&from, hash)).await? {
            let error = NodeError::from(error);
            backend::not_taken_in(&room, self.me(), hash, file_name, (&path, &error)).await;
            return Err(error);
        }
        let (node, me): (Arc<dyn House>, _) = (Arc::clone(self) as _, self.me());
        tokio::spawn(async move {
            backend::take_in(&node, &room, me, hash, file_name).await;
        });
        Ok(())
    }

    fn start_upload(self: &Arc<Self>, hash: ContentHash, path: PathBuf) {
        let node = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = node.upload(hash, &path).await {
                let code = error.code().to_owned();
                let message = format!("{} was not shared: {error}", path.display());
                node.tell(crate::bridge::NodeEvent::Notice {
                    level: crate::bridge::NoticeLevel::Error,
                    code,
                    message,
                });
            }
        });
    }

    async fn upload(self: &Arc<Self>, hash: ContentHash, path: &Path) -> Result<(), NodeError> {
        let stage = self.stage();
        let Stage::Joined(joined) = &*stage else { return Err(NodeError::NoRoom) };
        let (track, user) = (hash.to_string(), self.me().to_string());
        let view = TransferView {
            track: track.clone(),
            file_name: file_name(path),
            direction: TransferDirection::Upload,
            user: user.clone(),
            bytes_done: 0,
            bytes_total: std::fs::metadata(path).map_or(0, |meta| meta.len()),
            stopped: false,
        };
        let number = self.transfers.begins(&track, &user);
        let outcome = loop {
            let (told, view) = (Arc::clone(self), view.clone());
            let progress = Box::new(move |bytes_done: u64| {
                told.transfers.moved(TransferView { bytes_done, ..view.clone() })
            });
            tokio::select! {
                outcome = joined.client().upload(path, hash, progress) => break outcome,
                () = self.transfers.until_held_up(&track, number) => {}
            }
            // The host keeps what it has: it goes on from there.
            if !self.transfers.until_going_on(&track, number).await {
                return Ok(());
            }
        };
        self.transfers.upload_ended(&track, &user, number, outcome.is_ok());
        Ok(outcome?)
    }

    /// Goes on with a transfer that is stopped, or with an own upload that broke off when one left the room or the program ended.
    ///
    /// # Errors
    /// [`NodeError::NoSuchTrack`] where its file is not known here.
    pub async fn resume_transfer(self: &Arc<Self>, track: &str) -> Result<(), NodeError> {
        let hash = parse::<ContentHash>(track)?;
        if !self.transfers.broke_off(track, &self.me().to_string()) {
            self.transfers.go_on(track);
            return Ok(());
        }
        let path = self.locate(hash).ok_or(NodeError::NoSuchTrack)?;
        self.share(hash, path).await
    }

    /// Gives an upload up, for all who are in the room: an own one that is stopped, or one that somebody else sends.
    pub async fn give_up_transfer(&self, track: &str) -> Result<(), NodeError> {
        let hash = parse::<ContentHash>(track)?;
        // An own one is listed no more at once, however long the host takes to answer.
        self.transfers.give_up(track, &self.me().to_string());
        match self.stage().execute(Command::GiveUpUpload { hash }).await {
            // Its announcement may never have come to the host.
            Err(error) if error.code() == "no_such_upload" => Ok(()),
            given_up => given_up.map(drop),
        }
    }

    /// Audio has come to this machine: it can be played, and is analysed for its waveform.
    pub fn audio_arrived(self: &Arc<Self>, hash: ContentHash) {
        self.arrivals.send_modify(|count| *count += 1);
        self.tell_room_changed();
        let Some(path) = self.locate(hash) else { return };
        let node = Arc::clone(self);
        tokio::spawn(async move {
            // The room's event says so when the host's analysis fails; here only the waveform would be missing.
            if let Err(error) = node.library.analyses().analyze(hash, &path, Box::new(|_| {})).await {
                tracing::warn!(%hash, %error, "no waveform");
            }
            node.arrivals.send_modify(|count| *count += 1);
            node.tell_room_changed();
        });
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, NodeError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| NodeError::Closing)
}
