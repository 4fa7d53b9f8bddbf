//! Media keys, headsets, and the desktop's own player control (MPRIS on Linux): they show what plays, and steer it.
//!
//! Must never decide what may be done: the node does, and refuses.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use elsewhere as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use crate::bridge::Bridge;
use crate::options::Opened;
use crate::show_window;
use platform::Controls;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use synx_node::Node;
use synx_node::bridge::{NodeEvent, PlayState, PlayerView, Request, Response};
use tauri::{AppHandle, Url, async_runtime};
use tokio::sync::broadcast::error::RecvError;

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

/// What a key, a headset or the desktop asks of the player.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Key {
    Toggle,
    Play,
    Pause,
    Next,
    Previous,
    SeekBy { step_s: f64 },
    SeekTo { position_s: f64 },
    SetVolume { volume: f64 },
}

/// What the desktop's control reaches in this app.
#[derive(Clone)]
struct Hand {
    app: AppHandle,
    node: Node,
    sight: Sight,
}

impl Hand {
    fn press(&self, key: Key) {
        let Some(request) = lock(&self.sight).as_ref().map(|seen| asked(key, seen)) else { return };
        let node = self.node.clone();
        async_runtime::spawn(async move {
            if let Err(error) = node.call(request).await {
                tracing::info!(%error, "a media key was refused");
            }
        });
    }

    fn open(&self, uri: &str) {
        let opened = uri.parse::<Url>().map(Opened::from_url);
        Bridge::of(&self.app, |bridge| bridge.open(opened.into_iter().collect()));
    }

    fn raise(&self) {
        show_window(&self.app);
    }

    fn quit(&self) {
        self.app.exit(0);
    }
}

/// Shows and steers the player of `node` from now on. `name` is the app's name on the desktop's bus. Where the desktop has no
/// such thing the app goes without.
pub fn start(app: &AppHandle, node: &Node, name: &str) {
    let hand = Hand { app: app.clone(), node: node.clone(), sight: Sight::default() };
    let connecting = Controls::connect(hand.clone(), name.to_owned());
    async_runtime::spawn(async move {
        match connecting.await {
            Ok(controls) => Desktop { controls, hand, about: About::default(), told: None }.follow().await,
            Err(error) => tracing::warn!(?error, "media keys do nothing in this app"),
        }
    });
}

/// What a key asks of the node.
fn asked(key: Key, seen: &Seen) -> Request {
    let to = |position_s: f64| Request::Seek { position_s: position_s.clamp(0.0, seen.player.duration_s) };
    match key {
        Key::Toggle if seen.is_playing() => Request::Pause,
        Key::Play | Key::Toggle => Request::Play { track: None },
        Key::Pause => Request::Pause,
        Key::Next => Request::Skip { to: None },
        Key::Previous => Request::Previous,
        Key::SeekBy { step_s } => to(seen.position_s() + step_s),
        Key::SeekTo { position_s } => to(position_s),
        Key::SetVolume { volume } => Request::SetVolume { volume: volume.clamp(0.0, 1.0), muted: false },
    }
}

/// What is said of a track.
#[derive(Default, Clone, PartialEq)]
struct About {
    track: Option<String>,
    title: Option<String>,
    artist: Option<String>,
    duration_s: f64,
}

/// What was told of how it plays.
#[derive(Clone, Copy)]
struct Told {
    state: PlayState,
    position_s: f64,
    volume: f64,
    at: Instant,
}

impl Told {
    /// Whether the music is where it went on to by itself.
    fn went_on_to(&self, player: &PlayerView) -> bool {
        let on_s = if self.state == PlayState::Playing { self.at.elapsed().as_secs_f64() } else { 0.0 };
        (player.position_s - self.position_s - on_s).abs() < MOVED_S
    }

    /// Whether the desktop knows as much by itself.
    fn holds(&self, player: &PlayerView) -> bool {
        let rests = self.state != PlayState::Playing || self.at.elapsed() < platform::TELL_EVERY;
        self.state == player.state && self.went_on_to(player) && rests && self.volume == player.volume
    }
}

struct Desktop {
    controls: Controls,
    hand: Hand,
    about: About,
    told: Option<Told>,
}

impl Desktop {
    async fn follow(mut self) {
        let mut events = self.hand.node.subscribe();
        if let Ok(Response::App { app }) = self.hand.node.call(Request::GetApp).await {
            self.show(app.player).await;
        }
        loop {
            match events.recv().await {
                Ok(NodeEvent::PlayerChanged { player }) => self.show(*player).await,
                // The next one tells all.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn show(&mut self, player: PlayerView) {
        *lock(&self.hand.sight) = Some(Seen { player: player.clone(), at: Instant::now() });
        let mut shown = self.show_track(&player).await;
        if !self.told.is_some_and(|told| told.holds(&player)) {
            if shown.is_ok() {
                shown = self.controls.played(&player, self.told).await;
            }
            let (state, position_s, volume) = (player.state, player.position_s, player.volume);
            self.told = Some(Told { state, position_s, volume, at: Instant::now() });
        }
        if let Err(error) = shown {
            tracing::debug!(?error, "the desktop does not see what plays");
        }
    }

    async fn show_track(&mut self, player: &PlayerView) -> Result<(), platform::Error> {
        let about = About {
            track: player.track.clone(),
            title: player.title.clone(),
            artist: player.artist.clone(),
            duration_s: player.duration_s,
        };
        if about == self.about {
            return Ok(());
        }
        let node = &self.hand.node;
        let album = album(node, about.track.as_deref()).await;
        let cover = cover(node, about.track.as_deref());
        let cover = tokio::time::timeout(COVER_WAITS, cover).await.ok().flatten();
        self.about = about.clone();
        self.controls.is(&about, album, cover).await
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
        assert_eq!(asked(Key::Toggle, &paused), Request::Play { track: None });
        assert_eq!(asked(Key::Toggle, &seen(PlayState::Awaiting, 0.0)), Request::Pause);
        for (step_s, to_s) in [(3.0, 98.0), (1e6, 100.0), (-1e6, 0.0)] {
            assert_eq!(asked(Key::SeekBy { step_s }, &paused), Request::Seek { position_s: to_s });
        }
        let loud = asked(Key::SetVolume { volume: 7.0 }, &paused);
        assert_eq!(loud, Request::SetVolume { volume: 1.0, muted: false });
    }

    #[test]
    fn what_a_file_says_of_its_length_does_no_harm() {
        for wild in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(seconds(wild), Duration::ZERO);
        }
        assert!(i64::try_from(seconds(f64::MAX).as_micros()).is_ok());
    }
}
