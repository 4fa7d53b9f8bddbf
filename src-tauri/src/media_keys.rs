//! Media keys, headsets, and the desktop's own player control (MPRIS on Linux): they show what plays, and steer it.
//!
//! Must never decide what may be done: the node does, and refuses.

use crate::bridge::Bridge;
use crate::options::Opened;
use crate::show_window;
use souvlaki::{
    MediaControlEvent, MediaControls, MediaMetadata, MediaPlayback, MediaPosition, PlatformConfig,
    SeekDirection,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use synx_node::Node;
use synx_node::bridge::{NodeEvent, PlayState, PlayerView, Request, Response};
use tauri::{AppHandle, Url, async_runtime};
use tokio::sync::broadcast::error::RecvError;

/// How far a key goes that does not say how far.
const STEP_S: f64 = 10.0;
/// While music plays, the desktop is told this often where it is: some ask once and count on by themselves, others ask again
/// and again for what they were told last.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Where the music is when it goes on by itself, to within this; further away it was moved.
const MOVED_S: f64 = 0.5;

/// So long the desktop waits for a picture: others may be drawn first, and the title is told without it then.
const COVER_WAITS: Duration = Duration::from_millis(500);

/// The player as it was seen last.
struct Seen {
    player: PlayerView,
    at: Instant,
}

impl Seen {
    fn is_playing(&self) -> bool {
        matches!(self.player.state, PlayState::Playing | PlayState::Buffering | PlayState::Awaiting)
    }

    fn position_s(&self) -> f64 {
        let since_s =
            if self.player.state == PlayState::Playing { self.at.elapsed().as_secs_f64() } else { 0.0 };
        (self.player.position_s + since_s).min(self.player.duration_s)
    }
}

type Sight = Arc<Mutex<Option<Seen>>>;

/// Shows and steers the player of `node` from now on. `name` is the app's name on the desktop's bus. Where the desktop has no
/// such thing the app goes without.
pub fn start(app: &AppHandle, node: &Node, name: &str) {
    let sight = Sight::default();
    match connect(app, node, name, &sight) {
        Ok(controls) => {
            let desktop = Desktop { controls, sight, about: About::default(), told: None };
            async_runtime::spawn(desktop.follow(node.clone()));
        }
        Err(error) => tracing::warn!(?error, "media keys do nothing in this app"),
    }
}

fn connect(
    app: &AppHandle,
    node: &Node,
    name: &str,
    sight: &Sight,
) -> Result<MediaControls, souvlaki::Error> {
    #[cfg(windows)]
    let hwnd = tauri::Manager::get_webview_window(app, crate::WINDOW)
        .and_then(|window| window.hwnd().ok())
        .map(|hwnd| hwnd.0);
    #[cfg(not(windows))]
    let hwnd = None;
    let mut controls =
        MediaControls::new(PlatformConfig { display_name: "SynxSphere", dbus_name: name, hwnd })?;
    let (app, node, sight) = (app.clone(), node.clone(), Arc::clone(sight));
    controls.attach(move |event| match event {
        MediaControlEvent::Raise => show_window(&app),
        MediaControlEvent::Quit => app.exit(0),
        MediaControlEvent::OpenUri(uri) => {
            let opened = uri.parse::<Url>().map(Opened::from_url);
            Bridge::of(&app, |bridge| bridge.open(opened.into_iter().collect()));
        }
        event => {
            let Some(request) = lock(&sight).as_ref().and_then(|seen| asked(&event, seen)) else { return };
            let node = node.clone();
            async_runtime::spawn(async move {
                if let Err(error) = node.call(request).await {
                    tracing::info!(%error, "a media key was refused");
                }
            });
        }
    })?;
    Ok(controls)
}

/// What a key asks of the node.
fn asked(event: &MediaControlEvent, seen: &Seen) -> Option<Request> {
    let to = |position_s: f64| Request::Seek { position_s: position_s.clamp(0.0, seen.player.duration_s) };
    let by = |direction: &SeekDirection, step_s: f64| match direction {
        SeekDirection::Forward => to(seen.position_s() + step_s),
        SeekDirection::Backward => to(seen.position_s() - step_s),
    };
    Some(match event {
        MediaControlEvent::Toggle if seen.is_playing() => Request::Pause,
        MediaControlEvent::Play | MediaControlEvent::Toggle => Request::Play { track: None },
        MediaControlEvent::Pause | MediaControlEvent::Stop => Request::Pause,
        MediaControlEvent::Next => Request::Skip { to: None },
        MediaControlEvent::Previous => Request::Previous,
        MediaControlEvent::Seek(direction) => by(direction, STEP_S),
        MediaControlEvent::SeekBy(direction, step) => by(direction, step.as_secs_f64()),
        MediaControlEvent::SetPosition(MediaPosition(position)) => to(position.as_secs_f64()),
        MediaControlEvent::SetVolume(volume) => {
            Request::SetVolume { volume: volume.clamp(0.0, 1.0), muted: false }
        }
        _ => return None,
    })
}

/// What is said of a track.
#[derive(Default, PartialEq)]
struct About {
    track: Option<String>,
    title: Option<String>,
    artist: Option<String>,
    duration_s: f64,
}

/// What was told of how it plays.
struct Told {
    state: PlayState,
    position_s: f64,
    volume: f64,
    at: Instant,
}

impl Told {
    /// Whether the desktop knows as much by itself.
    fn holds(&self, player: &PlayerView) -> bool {
        let since = self.at.elapsed();
        let on_s = if self.state == PlayState::Playing { since.as_secs_f64() } else { 0.0 };
        let rests = self.state != PlayState::Playing || since < TELL_EVERY;
        let there = (player.position_s - self.position_s - on_s).abs() < MOVED_S;
        self.state == player.state && there && rests && self.volume == player.volume
    }
}

struct Desktop {
    controls: MediaControls,
    sight: Sight,
    about: About,
    told: Option<Told>,
}

impl Desktop {
    async fn follow(mut self, node: Node) {
        let mut events = node.subscribe();
        if let Ok(Response::App { app }) = node.call(Request::GetApp).await {
            self.show(&node, app.player).await;
        }
        loop {
            match events.recv().await {
                Ok(NodeEvent::PlayerChanged { player }) => self.show(&node, player).await,
                // The next one tells all.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn show(&mut self, node: &Node, player: PlayerView) {
        let about = About {
            track: player.track.clone(),
            title: player.title.clone(),
            artist: player.artist.clone(),
            duration_s: player.duration_s,
        };
        *lock(&self.sight) = Some(Seen { player: player.clone(), at: Instant::now() });
        let mut shown = Ok(());
        if about != self.about {
            let album = album(node, about.track.as_deref()).await;
            let cover = cover(node, about.track.as_deref());
            let cover = tokio::time::timeout(COVER_WAITS, cover).await.ok().flatten();
            shown = self.controls.set_metadata(MediaMetadata {
                title: about.title.as_deref(),
                artist: about.artist.as_deref(),
                album: album.as_deref(),
                cover_url: cover.as_ref().map(Url::as_str),
                duration: about.track.as_ref().map(|_| seconds(about.duration_s)),
            });
            self.about = about;
        }
        if !self.told.as_ref().is_some_and(|told| told.holds(&player)) {
            shown = shown.and_then(|()| self.controls.set_playback(playback(&player)));
            #[cfg(target_os = "linux")]
            if self.told.as_ref().is_none_or(|told| told.volume != player.volume) {
                shown = shown.and_then(|()| self.controls.set_volume(player.volume));
            }
            let (state, position_s, volume) = (player.state, player.position_s, player.volume);
            self.told = Some(Told { state, position_s, volume, at: Instant::now() });
        }
        if let Err(error) = shown {
            tracing::debug!(?error, "the desktop does not see what plays");
        }
    }
}

fn playback(player: &PlayerView) -> MediaPlayback {
    let progress = Some(MediaPosition(seconds(player.position_s)));
    match player.state {
        PlayState::Empty => MediaPlayback::Stopped,
        PlayState::Paused => MediaPlayback::Paused { progress },
        PlayState::Playing | PlayState::Buffering | PlayState::Awaiting => {
            MediaPlayback::Playing { progress }
        }
    }
}

/// The library alone knows it.
async fn album(node: &Node, track: Option<&str>) -> Option<String> {
    let request = Request::GetTrack { track: track?.to_owned() };
    match node.call(request).await {
        Ok(Response::Track { track }) => track?.album,
        _ => None,
    }
}

/// Where the desktop finds its picture.
async fn cover(node: &Node, track: Option<&str>) -> Option<Url> {
    let file = node.picture(track?).await?;
    Url::from_file_path(std::path::absolute(file).ok()?).ok()
}

/// What a file or a peer says of a length may be anything.
fn seconds(seconds: f64) -> Duration {
    /// Longer than any track; what takes durations from here counts microseconds in 64 bits.
    const MOST_S: f64 = 1e9;
    Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.0, MOST_S) } else { 0.0 })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(state: PlayState, position_s: f64) -> Seen {
        let player = PlayerView {
            state,
            track: Some("t".to_owned()),
            title: None,
            artist: None,
            duration_s: 100.0,
            position_s,
            loop_region: None,
            volume: 1.0,
            muted: false,
            normalise_to_lufs: None,
            audible: true,
            latency_offset_ms: 0.0,
            device: "null".to_owned(),
            error_us: None,
            may_control: true,
            alone: false,
        };
        Seen { player, at: Instant::now() }
    }

    #[test]
    fn a_key_that_toggles_does_the_other_thing_and_none_leaves_the_track() {
        let paused = seen(PlayState::Paused, 95.0);
        assert_eq!(asked(&MediaControlEvent::Toggle, &paused), Some(Request::Play { track: None }));
        assert_eq!(asked(&MediaControlEvent::Toggle, &seen(PlayState::Awaiting, 0.0)), Some(Request::Pause));
        for (direction, step_s, to_s) in [
            (SeekDirection::Forward, 3.0, 98.0),
            (SeekDirection::Forward, 1e6, 100.0),
            (SeekDirection::Backward, 1e6, 0.0),
        ] {
            let event = MediaControlEvent::SeekBy(direction, Duration::from_secs_f64(step_s));
            assert_eq!(asked(&event, &paused), Some(Request::Seek { position_s: to_s }));
        }
        let loud = asked(&MediaControlEvent::SetVolume(7.0), &paused);
        assert_eq!(loud, Some(Request::SetVolume { volume: 1.0, muted: false }));
        assert_eq!(asked(&MediaControlEvent::Raise, &paused), None);
    }

    #[test]
    fn what_a_file_says_of_its_length_does_no_harm() {
        for wild in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(seconds(wild), Duration::ZERO);
        }
        assert!(i64::try_from(seconds(f64::MAX).as_micros()).is_ok());
    }
}
