//! The player control of systems that bring one of their own: that of Windows, and of macOS.

use super::{About, Hand, Key, Told, seconds};
use souvlaki::{
    MediaControlEvent, MediaControls, MediaMetadata, MediaPlayback, MediaPosition, PlatformConfig,
    SeekDirection,
};
use std::future::{Ready, ready};
use std::time::Duration;
use synx_node::bridge::{PlayState, PlayerView};
use tauri::Url;

pub type Error = souvlaki::Error;

/// How far a key goes that does not say how far.
const STEP_S: f64 = 10.0;
/// While music plays, the system is told this often where it is: it shows what it was told last.
pub const TELL_EVERY: Duration = Duration::from_secs(1);

pub struct Controls(MediaControls);

impl Controls {
    /// At once, on the thread that has the window; the waiting is for systems that are asked over a bus.
    pub fn connect(hand: Hand, name: String) -> Ready<Result<Self, Error>> {
        ready(Self::attach(hand, &name))
    }

    fn attach(hand: Hand, name: &str) -> Result<Self, Error> {
        #[cfg(windows)]
        let hwnd = tauri::Manager::get_webview_window(&hand.app, crate::WINDOW)
            .and_then(|window| window.hwnd().ok())
            .map(|hwnd| hwnd.0);
        #[cfg(not(windows))]
        let hwnd = None;
        let config = PlatformConfig { display_name: "SynxSphere", dbus_name: name, hwnd };
        let mut controls = MediaControls::new(config)?;
        controls.attach(move |event| match event {
            MediaControlEvent::Raise => hand.raise(),
            MediaControlEvent::Quit => hand.quit(),
            MediaControlEvent::OpenUri(uri) => hand.open(&uri),
            event => {
                if let Some(key) = key(&event) {
                    hand.press(key);
                }
            }
        })?;
        Ok(Self(controls))
    }

    /// Tells what is loaded.
    pub async fn is(
        &mut self,
        about: &About,
        album: Option<String>,
        cover: Option<Url>,
    ) -> Result<(), Error> {
        self.0.set_metadata(MediaMetadata {
            title: about.title.as_deref(),
            artist: about.artist.as_deref(),
            album: album.as_deref(),
            cover_url: cover.as_ref().map(Url::as_str),
            duration: about.track.as_ref().map(|_| seconds(about.duration_s)),
        })
    }

    /// Tells how it plays.
    pub async fn played(&mut self, player: &PlayerView, _before: Option<Told>) -> Result<(), Error> {
        let progress = Some(MediaPosition(seconds(player.position_s)));
        self.0.set_playback(match player.state {
            PlayState::Empty => MediaPlayback::Stopped,
            PlayState::Paused => MediaPlayback::Paused { progress },
            PlayState::Playing | PlayState::Buffering | PlayState::Awaiting => {
                MediaPlayback::Playing { progress }
            }
        })
    }
}

fn key(event: &MediaControlEvent) -> Option<Key> {
    let by = |direction: &SeekDirection, step_s: f64| match direction {
        SeekDirection::Forward => Key::SeekBy { step_s },
        SeekDirection::Backward => Key::SeekBy { step_s: -step_s },
    };
    Some(match event {
        MediaControlEvent::Toggle => Key::Toggle,
        MediaControlEvent::Play => Key::Play,
        MediaControlEvent::Pause | MediaControlEvent::Stop => Key::Pause,
        MediaControlEvent::Next => Key::Next,
        MediaControlEvent::Previous => Key::Previous,
        MediaControlEvent::Seek(direction) => by(direction, STEP_S),
        MediaControlEvent::SeekBy(direction, step) => by(direction, step.as_secs_f64()),
        MediaControlEvent::SetPosition(MediaPosition(position)) => {
            Key::SeekTo { position_s: position.as_secs_f64() }
        }
        MediaControlEvent::SetVolume(volume) => Key::SetVolume { volume: *volume },
        _ => return None,
    })
}
