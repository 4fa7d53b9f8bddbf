//! One running instance: opens what is on disk, keeps the one stage that plays, and ends it all in order.

use crate::bridge::{LanguageView, NodeEvent, NoticeLevel, ProfileView, RoomView};
use crate::data_dir::{DataDir, DataPaths};
use crate::error::{NodeError, for_people};
use crate::joining::Joining;
use crate::lan::Lan;
use crate::library::{Analyses, Library, LibraryStore, PictureSize, Pictures};
use crate::looking_back::CHAT_AT_ONCE;
use crate::missed::Missed;
use crate::ops::NotReady;
use crate::past::Past;
use crate::person::Person;
use crate::room::conductor::{Conductor, Gain, Inputs, Locate};
use crate::room::solo::SoloRoom;
use crate::room::stage::Stage;
use crate::settings::Settings;
use crate::transfers::Transfers;
use crate::watchers;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;
use synx_clock::ClockEstimate;
use synx_domain::{ContentHash, UserId};
use synx_log::{Log, LogOptions};
use synx_net::{AudioStore, Identity, Kept};
use synx_playback::{AudioFile, DeviceChoice, Engine, EngineConfig, EngineStatus, Plan, TrackHandle};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

/// Events that a window may lag behind; one that lags further asks for everything again.
const EVENTS_KEPT: usize = 1024;

/// How to start an instance.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Folder for everything that it keeps.
    pub data_dir: PathBuf,
    /// Output device by name, `null` for none; without it, the one that was chosen last.
    pub device: Option<String>,
    /// Whether the person's key is to be kept in the system's keyring, where there is one. One that is there is found anyway.
    pub keyring: bool,
}

/// A running instance. Cheap to clone; [`Node::close`] ends it.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub data: DataDir,
    pub settings: Mutex<Settings>,
    pub identity: Arc<Identity>,
    pub key_kept: Kept,
    pub person: tokio::sync::Mutex<Person>,
    pub log: Log,
    pub audio: AudioStore,
    pub library: Arc<Library>,
    pub engine: Arc<Engine>,
    pub transfers: Transfers,
    pub lan: Lan,
    pub events: broadcast::Sender<NodeEvent>,
    /// Rises when audio has come to this machine, or more is known of it.
    pub arrivals: watch::Sender<u64>,
    /// What sounds in place of the music, for calibration.
    pub signal: watch::Sender<Option<TrackHandle>>,
    /// What one listens to by oneself while the room goes on.
    pub alone: watch::Sender<Option<Arc<SoloRoom>>>,
    pub plans: Arc<AtomicU64>,
    /// Why the last room that was joined ended by itself: code and sentence.
    pub last_end: Mutex<Option<(String, String)>>,
    /// The room's log as far as somebody looked back; none until somebody does.
    pub past: tokio::sync::Mutex<Option<Past>>,
    /// What happened in the room while one was not there.
    pub missed: Missed,
    /// What a window speaks, where no language was chosen.
    pub spoken: watch::Sender<Option<LanguageView>>,
    /// The join that is under way.
    pub joining: Joining,
    /// Ways into a room exclude one another, for as long as its host lets one wait. Taken before `changing_stage`.
    pub entering: tokio::sync::Mutex<()>,
    /// Changes of stages exclude one another; the stage itself is read without waiting.
    pub changing_stage: tokio::sync::Mutex<()>,
    stage: RwLock<Running>,
}

/// A stage with the tasks that serve it.
struct Running {
    stage: Arc<Stage>,
    tasks: JoinSet<()>,
}

impl Node {
    /// Opens the data folder and starts the engine.
    ///
    /// # Errors
    /// When the folder is in use or cannot be used, or a file in it is damaged.
    pub async fn open(config: NodeConfig) -> Result<Self, NodeError> {
        let data = DataDir::open(&config.data_dir)?;
        let paths = data.paths();
        let settings = Settings::load(paths.settings()).behind(data.gate());
        let (key_file, into_keyring) = (paths.identity(), config.keyring);
        let identity = move || Ok(crate::keyring::identity(&key_file, into_keyring)?);
        let (identity, key_kept) = crate::call::blocking(identity).await?;
        let identity = Arc::new(identity);
        let log = paths.open_log(LogOptions::default())?;
        let person = Person::open(log.clone(), identity.user_id()).await?;
        let audio = AudioStore::open(&paths.audio())?.behind(data.gate());
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let arrivals = watch::Sender::new(0);
        let analyses = Arc::new(Analyses::new(paths.analysis(), 1).behind(data.gate()));
        let pictures = Pictures::open(paths.artwork()).behind(data.gate());
        let store = LibraryStore::open(&paths.library())?.behind(data.gate());
        let workers = settings.values().analysis_workers();
        let library = Library::start(store, analyses, pictures, events.clone(), arrivals.clone(), workers);
        let engine = Arc::new(Engine::start(engine_config(&config, &settings))?);
        engine.set_muted(settings.values().muted);
        let seen = settings.values().is_seen();
        let solo = Arc::new(Stage::Solo(SoloRoom::new(identity.user_id())));
        let inner = Arc::new(Inner {
            data,
            settings: Mutex::new(settings),
            identity,
            key_kept,
            person: tokio::sync::Mutex::new(person),
            log,
            audio,
            library,
            engine,
            transfers: Transfers::new(events.clone()),
            lan: Lan::start(events.clone(), seen),
            events,
            arrivals,
            signal: watch::Sender::new(None),
            alone: watch::Sender::new(None),
            plans: Arc::default(),
            last_end: Mutex::default(),
            past: tokio::sync::Mutex::default(),
            missed: Missed::default(),
            spoken: watch::Sender::default(),
            joining: Joining::default(),
            entering: tokio::sync::Mutex::default(),
            changing_stage: tokio::sync::Mutex::default(),
            stage: RwLock::new(Running { stage: Arc::clone(&solo), tasks: JoinSet::new() }),
        });
        if let Stage::Solo(solo) = &*solo {
            inner.take_up_again(solo);
        }
        inner.enter(solo);
        Ok(Self { inner })
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// What happens from now on. A receiver that lags asks for everything again with `get_app`.
    pub fn subscribe(&self) -> broadcast::Receiver<NodeEvent> {
        self.inner.events.subscribe()
    }

    /// Oneself.
    pub async fn profile(&self) -> ProfileView {
        self.inner.profile_view().await
    }

    /// The file with the picture of a track that is on this machine, for who shows files; none where it has none.
    pub async fn picture(&self, track: &str) -> Option<PathBuf> {
        let hash = track.parse().ok()?;
        self.inner.picture(hash, PictureSize::Large).await.ok().flatten()
    }

    /// What the engine says of itself; for measurements.
    pub fn heard(&self) -> EngineStatus {
        self.inner.engine.status()
    }

    /// The room as it is drawn; none outside of one.
    pub fn room(&self) -> Option<RoomView> {
        self.inner.room_view()
    }

    /// Whether work is taken: that of a hosted room, or of whoever drives this instance.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), NotReady> {
        self.inner.log.ready().map_err(NotReady::from)
    }

    /// Stops serving a hosted room without closing it: what was asked is answered, and its peers come back once it is opened
    /// again. What has not ended after `patience` is cut off.
    pub async fn drain(&self, patience: Duration) {
        let _one_at_a_time = self.inner.changing_stage.lock().await;
        let stage = self.inner.stage();
        if let Stage::Hosted(hosting) = &*stage {
            self.inner.note_seen(&stage);
            hosting.drain(patience).await;
            self.inner.enter(Arc::new(Stage::Solo(SoloRoom::new(self.inner.me()))));
        }
    }

    /// Leaves the room, stops the music and closes the files; then another instance can have the data folder, whoever still holds
    /// this one. What is on disk needs no goodbye: a crash loses nothing.
    pub async fn close(self) {
        self.inner.keep_place(&self.inner.player_view());
        self.inner.library.close();
        if let Err(error) = self.inner.leave_all().await {
            tracing::warn!(%error, "the room was not left in order");
        }
        self.inner.log.clone().close();
        self.inner.data.release();
    }
}

fn engine_config(config: &NodeConfig, settings: &Settings) -> EngineConfig {
    let values = settings.values();
    let device = config.device.as_ref().or(values.device.as_ref());
    let device = device.map_or(DeviceChoice::Default, |name| DeviceChoice::from_name(name));
    EngineConfig {
        latency_offset_us: values.latency_offset_us.get(&device.name()).copied().unwrap_or(0),
        volume: values.volume_of(&device.name()) as f32,
        device,
    }
}

impl Inner {
    /// Oneself.
    pub fn me(&self) -> UserId {
        self.identity.user_id()
    }

    /// Where everything is.
    pub fn paths(&self) -> &DataPaths {
        self.data.paths()
    }

    /// What plays now.
    pub fn stage(&self) -> Arc<Stage> {
        Arc::clone(&self.stage.read().unwrap_or_else(PoisonError::into_inner).stage)
    }

    /// The settings of this machine.
    pub fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the windows. None may be open: then nobody needs to know.
    pub fn tell(&self, event: NodeEvent) {
        let event = match event {
            NodeEvent::Notice { level, code, message } => {
                NodeEvent::Notice { level, code, message: for_people(&message) }
            }
            event => event,
        };
        drop(self.events.send(event));
    }

    /// Where the audio with this hash is on this machine.
    pub fn locate(&self, hash: ContentHash) -> Option<PathBuf> {
        self.audio.path(hash).or_else(|| self.library.locate(hash))
    }

    /// The same for an audio that may still be coming from the host.
    fn audio_file(&self, hash: ContentHash) -> Option<AudioFile> {
        let coming = || match &*self.stage() {
            Stage::Joined(joined) => joined.client().partial(hash).map(AudioFile::Growing),
            Stage::Solo(_) | Stage::Hosted(_) => None,
        };
        self.locate(hash).map(AudioFile::Whole).or_else(coming)
    }

    /// Puts a stage in the place of the present one: the old one's tasks end and its music stops, then the new one's begin.
    pub fn enter(self: &Arc<Self>, stage: Arc<Stage>) {
        self.transfers.clear();
        // What is looked back at goes with its room; who looks at it right now finds it replaced the next time.
        if let Ok(mut past) = self.past.try_lock() {
            *past = None;
        }
        let entered = Running { stage: Arc::clone(&stage), tasks: JoinSet::new() };
        drop(std::mem::replace(&mut *self.running(), entered));
        self.alone.send_replace(None);
        // At once, by whichever clock: both count from zero.
        let silence = Plan::silence(self.plans.fetch_add(1, Ordering::Relaxed) + 1, 0);
        if let Err(error) = self.engine.set_plan(silence) {
            tracing::warn!(%error, "the music cannot be stopped");
        }
        self.engine.set_clock(stage.clock().borrow().estimate.unwrap_or(ClockEstimate::identity()));
        let conductor = self.conductor(Arc::clone(&stage));
        // What was said before one came, ahead of the room: there when it is first drawn, and no news. What is said
        // from here on the watchers tell.
        let told_seq = stage.with(|room| room.seq);
        let messages = self.recent_chat(None, CHAT_AT_ONCE);
        if !messages.is_empty() {
            self.tell(NodeEvent::ChatAppended { messages });
        }
        // Before the watchers tell anything of it.
        self.tell(NodeEvent::RoomChanged { room: self.room_view().map(Box::new) });
        let mut running = self.running();
        running.tasks.spawn(conductor.run());
        watchers::spawn(self, &stage, told_seq, &mut running.tasks);
        drop(running);
        self.tell(NodeEvent::PlayerChanged { player: Box::new(self.player_view()) });
    }

    fn running(&self) -> RwLockWriteGuard<'_, Running> {
        self.stage.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn conductor(self: &Arc<Self>, stage: Arc<Stage>) -> Conductor {
        let weak = Arc::downgrade(self);
        let locate: Locate = Arc::new(move |hash| weak.upgrade()?.audio_file(hash));
        let weak = Arc::downgrade(self);
        let gain: Gain = Arc::new(move |hash| weak.upgrade().map_or(0.0, |node| node.normalisation_db(hash)));
        let (engine, plans) = (Arc::clone(&self.engine), Arc::clone(&self.plans));
        let inputs = Inputs {
            arrivals: self.arrivals.subscribe(),
            signal: self.signal.subscribe(),
            alone: self.alone.subscribe(),
        };
        Conductor::new(stage, engine, locate, gain, inputs, plans)
    }

    /// A room that was joined is no more: plays alone again, and says why. Nothing if it has been left meanwhile.
    pub async fn room_ended(self: Arc<Self>, ended: Arc<Stage>, code: String, reason: String) {
        let _one_at_a_time = self.changing_stage.lock().await;
        if !Arc::ptr_eq(&self.stage(), &ended) {
            return;
        }
        self.note_seen(&ended);
        *self.last_end.lock().unwrap_or_else(PoisonError::into_inner) = Some((code.clone(), reason.clone()));
        self.enter(Arc::new(Stage::Solo(SoloRoom::new(self.me()))));
        self.tell(NodeEvent::Notice { level: NoticeLevel::Warning, code, message: reason });
    }

    /// Ends a join that is under way, and one stays where one is. Else leaves the room, if there is one, and plays alone
    /// again.
    ///
    /// # Errors
    /// When the leaving could not be written or told; it is left all the same.
    pub async fn leave_room(self: &Arc<Self>) -> Result<(), NodeError> {
        let before = self.stage();
        let stopped = self.joining.stop();
        let _nobody_enters = self.entering.lock().await;
        let _one_at_a_time = self.changing_stage.lock().await;
        // Unless the other room let one in at that very moment.
        if stopped && Arc::ptr_eq(&before, &self.stage()) {
            return Ok(());
        }
        self.go_home().await
    }

    /// Leaves the room, if there is one, whatever is under way.
    ///
    /// # Errors
    /// As [`Inner::leave_room`].
    pub async fn leave_all(self: &Arc<Self>) -> Result<(), NodeError> {
        self.joining.stop();
        let _nobody_enters = self.entering.lock().await;
        let _one_at_a_time = self.changing_stage.lock().await;
        self.go_home().await
    }

    /// Plays alone again; to be called by who holds the stage.
    ///
    /// # Errors
    /// As [`Inner::leave_room`].
    pub async fn go_home(self: &Arc<Self>) -> Result<(), NodeError> {
        let stage = self.stage();
        if !stage.is_room() {
            return Ok(());
        }
        self.note_seen(&stage);
        self.enter(Arc::new(Stage::Solo(SoloRoom::new(self.me()))));
        match &*stage {
            Stage::Solo(_) => Ok(()),
            Stage::Hosted(hosting) => hosting.end().await,
            Stage::Joined(joined) => joined.leave().await,
        }
    }
}
