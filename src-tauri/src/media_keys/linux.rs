//! The player control of Linux desktops: MPRIS, on the session's bus. It wakes when it is asked, and at no other time.

use super::{About, Hand, Key, Told, lock, seconds};
use mpris_server::zbus::{self, fdo};
use mpris_server::{
    LoopStatus, Metadata, PlaybackRate, PlaybackStatus, PlayerInterface, Property, RootInterface, Server,
    Signal, Time, TrackId, Volume,
};
use std::sync::Mutex;
use std::time::Duration;
use synx_node::bridge::{PlayState, PlayerView};
use tauri::Url;

pub type Error = zbus::Error;

/// Who shows where the music is counts on by itself, or asks again, and is answered with where it is then.
pub const TELL_EVERY: Duration = Duration::MAX;
/// What the app is known by where programs are listed.
const DESKTOP_ENTRY: &str = "synxsphere";
const SCHEMES: [&str; 2] = ["file", "synxsphere"];
const MIME_TYPES: [&str; 7] =
    ["audio/flac", "audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/x-wav", "audio/x-aiff"];

pub struct Controls(Server<Shown>);

/// What the desktop sees.
struct Shown {
    hand: Hand,
    metadata: Mutex<Metadata>,
}

impl Controls {
    /// Takes its place on the bus.
    pub async fn connect(hand: Hand, name: String) -> Result<Self, Error> {
        Server::new(&name, Shown { hand, metadata: Mutex::default() }).await.map(Self)
    }

    /// Tells what is loaded.
    pub async fn is(
        &mut self,
        about: &About,
        album: Option<String>,
        cover: Option<Url>,
    ) -> Result<(), Error> {
        let mut metadata = Metadata::new();
        metadata.set_trackid(track_id(about.track.as_deref()));
        metadata.set_title(about.title.clone());
        metadata.set_artist(about.artist.clone().map(|artist| [artist]));
        metadata.set_album(album);
        metadata.set_art_url(cover.map(String::from));
        metadata.set_length(about.track.as_ref().map(|_| time(about.duration_s)));
        *lock(&self.0.imp().metadata) = metadata.clone();
        self.0.properties_changed([Property::Metadata(metadata)]).await
    }

    /// Tells how it plays, which was told so before.
    pub async fn played(&mut self, player: &PlayerView, before: Option<Told>) -> Result<(), Error> {
        let mut changed = Vec::new();
        if before.is_none_or(|told| told.state != player.state) {
            changed.push(Property::PlaybackStatus(status(player.state)));
        }
        if before.is_none_or(|told| told.volume != player.volume) {
            changed.push(Property::Volume(player.volume));
        }
        if !changed.is_empty() {
            self.0.properties_changed(changed).await?;
        }
        if before.is_some_and(|told| told.went_on_to(player)) {
            return Ok(());
        }
        self.0.emit(Signal::Seeked { position: time(player.position_s) }).await
    }
}

/// A name for a track on the bus; what is no hash has none.
fn track_id(track: Option<&str>) -> Option<TrackId> {
    TrackId::try_from(format!("/org/synxsphere/track/{}", track?)).ok()
}

fn status(state: PlayState) -> PlaybackStatus {
    match state {
        PlayState::Empty => PlaybackStatus::Stopped,
        PlayState::Paused => PlaybackStatus::Paused,
        PlayState::Playing | PlayState::Buffering | PlayState::Awaiting => PlaybackStatus::Playing,
    }
}

fn time(position_s: f64) -> Time {
    Time::from_micros(i64::try_from(seconds(position_s).as_micros()).unwrap_or(i64::MAX))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

impl Shown {
    /// Looks at the player as it was seen last; before that, nothing is loaded.
    fn seen<T>(&self, look: impl FnOnce(&super::Seen) -> T) -> Option<T> {
        lock(&self.hand.sight).as_ref().map(look)
    }

    fn press(&self, key: Key) -> fdo::Result<()> {
        self.hand.press(key);
        Ok(())
    }
}

impl RootInterface for Shown {
    async fn raise(&self) -> fdo::Result<()> {
        self.hand.raise();
        Ok(())
    }

    async fn quit(&self) -> fdo::Result<()> {
        self.hand.quit();
        Ok(())
    }

    async fn can_quit(&self) -> fdo::Result<bool> {
        Ok(true)
    }

    async fn fullscreen(&self) -> fdo::Result<bool> {
        Ok(false)
    }

    async fn set_fullscreen(&self, _fullscreen: bool) -> zbus::Result<()> {
        Ok(())
    }

    async fn can_set_fullscreen(&self) -> fdo::Result<bool> {
        Ok(false)
    }

    async fn can_raise(&self) -> fdo::Result<bool> {
        Ok(true)
    }

    async fn has_track_list(&self) -> fdo::Result<bool> {
        Ok(false)
    }

    async fn identity(&self) -> fdo::Result<String> {
        Ok("SynxSphere".to_owned())
    }

    async fn desktop_entry(&self) -> fdo::Result<String> {
        Ok(DESKTOP_ENTRY.to_owned())
    }

    async fn supported_uri_schemes(&self) -> fdo::Result<Vec<String>> {
        Ok(owned(&SCHEMES))
    }

    async fn supported_mime_types(&self) -> fdo::Result<Vec<String>> {
        Ok(owned(&MIME_TYPES))
    }
}

impl PlayerInterface for Shown {
    async fn next(&self) -> fdo::Result<()> {
        self.press(Key::Next)
    }

    async fn previous(&self) -> fdo::Result<()> {
        self.press(Key::Previous)
    }

    async fn pause(&self) -> fdo::Result<()> {
        self.press(Key::Pause)
    }

    async fn play_pause(&self) -> fdo::Result<()> {
        self.press(Key::Toggle)
    }

    async fn stop(&self) -> fdo::Result<()> {
        self.press(Key::Pause)
    }

    async fn play(&self) -> fdo::Result<()> {
        self.press(Key::Play)
    }

    async fn seek(&self, offset: Time) -> fdo::Result<()> {
        self.press(Key::SeekBy { step_s: offset.as_micros() as f64 / 1e6 })
    }

    /// What is meant for another track comes too late.
    async fn set_position(&self, track: TrackId, position: Time) -> fdo::Result<()> {
        let loaded = self.seen(|seen| track_id(seen.player.track.as_deref())).flatten();
        if loaded != Some(track) {
            return Ok(());
        }
        self.press(Key::SeekTo { position_s: position.as_micros() as f64 / 1e6 })
    }

    async fn open_uri(&self, uri: String) -> fdo::Result<()> {
        self.hand.open(&uri);
        Ok(())
    }

    async fn playback_status(&self) -> fdo::Result<PlaybackStatus> {
        Ok(self.seen(|seen| status(seen.player.state)).unwrap_or(PlaybackStatus::Stopped))
    }

    async fn loop_status(&self) -> fdo::Result<LoopStatus> {
        Ok(LoopStatus::None)
    }

    async fn set_loop_status(&self, _status: LoopStatus) -> zbus::Result<()> {
        Ok(())
    }

    async fn rate(&self) -> fdo::Result<PlaybackRate> {
        Ok(1.0)
    }

    async fn set_rate(&self, _rate: PlaybackRate) -> zbus::Result<()> {
        Ok(())
    }

    async fn shuffle(&self) -> fdo::Result<bool> {
        Ok(false)
    }

    async fn set_shuffle(&self, _shuffle: bool) -> zbus::Result<()> {
        Ok(())
    }

    async fn metadata(&self) -> fdo::Result<Metadata> {
        Ok(lock(&self.metadata).clone())
    }

    async fn volume(&self) -> fdo::Result<Volume> {
        Ok(self.seen(|seen| seen.player.volume).unwrap_or(1.0))
    }

    async fn set_volume(&self, volume: Volume) -> zbus::Result<()> {
        self.hand.press(Key::SetVolume { volume });
        Ok(())
    }

    async fn position(&self) -> fdo::Result<Time> {
        Ok(time(self.seen(super::Seen::position_s).unwrap_or_default()))
    }

    async fn minimum_rate(&self) -> fdo::Result<PlaybackRate> {
        Ok(1.0)
    }

    async fn maximum_rate(&self) -> fdo::Result<PlaybackRate> {
        Ok(1.0)
    }

    async fn can_go_next(&self) -> fdo::Result<bool> {
        Ok(true)
    }

    async fn can_go_previous(&self) -> fdo::Result<bool> {
        Ok(true)
    }

    async fn can_play(&self) -> fdo::Result<bool> {
        Ok(true)
    }

    async fn can_pause(&self) -> fdo::Result<bool> {
        Ok(true)
    }

    async fn can_seek(&self) -> fdo::Result<bool> {
        Ok(true)
    }

    async fn can_control(&self) -> fdo::Result<bool> {
        Ok(true)
    }
}
