//! A running server with a room, and what is needed to get in.

use crate::guest::Guest;
use crate::room::TestRoom;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{
    InviteId, InviteTerms, PlaybackControl, Role, RoomId, RoomSettings, UserId, UserProfile, Visibility,
};
use synx_net::{
    AudioStore, ClientConfig, HostKey, Identity, InviteLink, Limits, NetError, SILENCE, Server, ServerConfig,
    Session, TlsIdentity,
};
use tempfile::TempDir;
use uuid::Uuid;

/// The key that signs here: known, so that tokens can be made by hand.
pub const HOST_SECRET: [u8; 32] = [9; 32];
pub const HOUR: Duration = Duration::from_secs(3600);

/// A private room in which DJs play.
pub fn settings() -> RoomSettings {
    RoomSettings {
        name: "Friday".to_owned(),
        visibility: Visibility::Private,
        max_participants: 1000,
        genres: Vec::new(),
        playback_control: PlaybackControl::Djs,
        storage: synx_domain::StorageLimits::default(),
        wait_for_all: false,
        archive_after_days: 0,
    }
}

/// An invite for any number of listeners, for an hour.
pub fn terms() -> InviteTerms {
    InviteTerms {
        id: InviteId::from_uuid(Uuid::now_v7()),
        role: Role::Listener,
        expires_at_s: crate::jwt::now_s() + HOUR.as_secs(),
        max_uses: None,
        knock: false,
    }
}

pub fn profile(name: &str) -> UserProfile {
    UserProfile { name: name.to_owned(), ..UserProfile::default() }
}

/// What can be chosen of a house.
pub struct Plan {
    pub limits: Limits,
    /// Whether limits by address hold for this machine as well.
    pub strict: bool,
    pub settings: RoomSettings,
    pub tls: bool,
}

pub struct House {
    pub server: Server,
    pub room: TestRoom,
    pub audio: AudioStore,
    fingerprint: Option<[u8; 32]>,
    key: Arc<HostKey>,
    folder: TempDir,
    config: ServerConfig,
}

impl House {
    /// A private room without TLS, within default limits.
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan { limits: Limits::default(), strict: false, settings: settings(), tls: false };
        change(&mut plan);
        let folder = tempfile::tempdir().unwrap();
        let tls = plan.tls.then(|| TlsIdentity::load_or_create(&folder.path().join("tls")).unwrap());
        let fingerprint = tls.as_ref().map(TlsIdentity::fingerprint);
        let key = Arc::new(HostKey::from_secret(&HOST_SECRET).unwrap());
        let audio = AudioStore::open(&folder.path().join("host")).unwrap();
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = ServerConfig::new(any_port, tls, Arc::clone(&key), audio.clone());
        config.limits = plan.limits;
        if plan.strict {
            config.shared_addresses.clear();
        }
        let server = Server::start(config.clone()).await.unwrap();
        let room = TestRoom::create(Identity::generate().user_id(), plan.settings);
        server.add_room(Arc::new(room.clone()));
        Self { server, room, audio, fingerprint, key, folder, config }
    }

    /// The server stops without a word and another one opens the same room, elsewhere.
    pub async fn restart(&mut self, change: impl FnOnce(&mut ServerConfig)) {
        change(&mut self.config);
        self.server = Server::start(self.config.clone()).await.unwrap();
        self.server.add_room(Arc::new(self.room.clone()));
    }

    /// Another room of the same host.
    pub fn add_room(&self) -> TestRoom {
        let room = TestRoom::create(Identity::generate().user_id(), settings());
        self.server.add_room(Arc::new(room.clone()));
        room
    }

    pub fn at(&self) -> SocketAddr {
        self.server.local_addr()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn invite(&self, room: RoomId, role: Role) -> String {
        self.invite_of(room, InviteTerms { role, ..terms() })
    }

    pub fn invite_of(&self, room: RoomId, terms: InviteTerms) -> String {
        self.key.sign_invite(room, &terms).unwrap()
    }

    /// A link with an invite for DJs.
    pub fn link(&self, room: &TestRoom) -> InviteLink {
        InviteLink {
            room: room.id(),
            name: "Friday".to_owned(),
            addresses: vec![self.at().to_string()],
            fingerprint: self.fingerprint,
            invite: Some(self.invite(room.id(), Role::Dj)),
        }
    }

    /// How somebody new joins.
    pub fn config(&self, name: &str) -> ClientConfig {
        ClientConfig {
            addresses: None,
            identity: Arc::new(Identity::generate()),
            profile: profile(name),
            audio: AudioStore::open(&self.folder().join(Uuid::now_v7().to_string())).unwrap(),
            link: self.link(&self.room),
            waiting: Arc::new(|_| {}),
            silence: SILENCE,
        }
    }

    /// Somebody new is in.
    pub async fn guest(&self, name: &str) -> Guest {
        Guest::join(self.config(name)).await.expect("who is invited comes in")
    }

    /// Why somebody is not let in.
    pub async fn refusal(&self, config: ClientConfig) -> NetError {
        Guest::join(config).await.err().expect("must not be let in")
    }

    pub fn token(&self, user: UserId) -> String {
        self.token_for(&self.room, user)
    }

    pub fn token_for(&self, room: &TestRoom, user: UserId) -> String {
        let session = Session { user, room: room.id(), role: Role::Dj, invite: None, key: None };
        self.session(&session)
    }

    /// A session token.
    pub fn session(&self, session: &Session) -> String {
        self.key.sign_session(session, HOUR).unwrap()
    }

    /// Somebody who is in the room by its log, without any connection.
    pub fn member(&self) -> UserId {
        let user = Identity::generate().user_id();
        self.room.lets_in(user, "Raw");
        user
    }

    /// Whether somebody has a live connection.
    pub fn is_connected(&self, user: UserId) -> bool {
        self.server.handle().connected(self.room.id()).contains(&user)
    }

    /// Writes a file that somebody may share.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}
