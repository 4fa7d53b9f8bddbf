//! Oneself: the own profile and taste, as events in the own log.

use crate::error::NodeError;
use crate::wall_clock_ms;
use synx_domain::{Envelope, EventId, MusicalPreferences, NewEvent, RoomEvent, RoomId, UserId, UserProfile};
use synx_log::Log;
use uuid::Uuid;

/// The name that stands in until the person has chosen one.
const UNNAMED: &str = "Someone";

/// The person who runs this instance. The log of a person is the aggregate with the person's id.
pub struct Person {
    user: UserId,
    log: Log,
    state: PersonState,
}

/// The fold of a person's log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PersonState {
    seq: u64,
    /// How the person appears; none until a name was chosen.
    pub profile: Option<UserProfile>,
    /// What the person likes.
    pub preferences: MusicalPreferences,
}

impl PersonState {
    fn apply(&mut self, envelope: &Envelope) {
        self.seq = envelope.seq;
        match &envelope.event {
            RoomEvent::UserCreated { profile, .. } | RoomEvent::ProfileUpdated { profile, .. } => {
                self.profile = Some(profile.clone());
            }
            RoomEvent::MusicalPreferencesUpdated { preferences, .. } => {
                self.preferences = preferences.clone()
            }
            _ => {}
        }
    }
}

/// The aggregate in which a person's own events are kept.
pub fn aggregate_of(user: UserId) -> RoomId {
    RoomId::from_uuid(user.uuid())
}

impl Person {
    /// Reads the person's log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn open(log: Log, user: UserId) -> Result<Self, NodeError> {
        let mut state = PersonState::default();
        loop {
            let page = log.read(aggregate_of(user), state.seq, 256).await?;
            if page.is_empty() {
                return Ok(Self { user, log, state });
            }
            page.iter().for_each(|envelope| state.apply(envelope));
        }
    }

    /// The person's id.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// What the log says of the person.
    pub fn state(&self) -> &PersonState {
        &self.state
    }

    /// How the person appears to others, with a stand-in where no name was chosen.
    pub fn profile(&self) -> UserProfile {
        let unnamed = || UserProfile { name: UNNAMED.to_owned(), ..UserProfile::default() };
        self.state.profile.clone().unwrap_or_else(unnamed)
    }

    /// Appears differently from now on.
    ///
    /// # Errors
    /// When the profile is out of bounds or the log cannot be written.
    pub async fn update_profile(&mut self, profile: UserProfile) -> Result<(), NodeError> {
        profile.check()?;
        let user = self.user;
        self.append(match self.state.profile {
            None => RoomEvent::UserCreated { user, profile },
            Some(_) => RoomEvent::ProfileUpdated { user, profile },
        })
        .await
    }

    /// Likes something else from now on.
    ///
    /// # Errors
    /// When the preferences are out of bounds or the log cannot be written.
    pub async fn update_preferences(&mut self, preferences: MusicalPreferences) -> Result<(), NodeError> {
        preferences.check()?;
        self.append(RoomEvent::MusicalPreferencesUpdated { user: self.user, preferences }).await
    }

    async fn append(&mut self, event: RoomEvent) -> Result<(), NodeError> {
        let event = NewEvent {
            event_id: EventId::from_uuid(Uuid::now_v7()),
            actor: self.user,
            command_id: None,
            occurred_at_ms: wall_clock_ms(),
            event,
        };
        for envelope in self.log.append(aggregate_of(self.user), self.state.seq, vec![event]).await? {
            self.state.apply(&envelope);
        }
        Ok(())
    }
}

/// Whether an aggregate of the log is a person's: their ids are UUIDs of version 8, those of rooms of version 7.
pub fn is_person(aggregate: RoomId) -> bool {
    aggregate.uuid().get_version_num() == 8
}
