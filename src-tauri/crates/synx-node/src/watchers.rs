//! What keeps the windows and the room informed while a stage plays: each a small task that ends with its stage.
//!
//! Must never change the room: it looks, measures and tells.

use crate::bridge::{NodeEvent, NoticeLevel, PeerSyncView, PlayState, PlayerView};
use crate::node::Inner;
use crate::room::fetch;
use crate::room::joined::Connection;
use crate::room::stage::Stage;
use crate::room::view::chat_view;
use crate::sync::{needed, peer_sync_view};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use synx_domain::{ContentHash, Room, TrackState, UserId};
use synx_net::wire::Knocker;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// Changes that come closer together than this are drawn once: a window need not follow a thousand chat lines a second.
const DRAW_EVERY: Duration = Duration::from_millis(40);
/// While music plays, windows are told where it is this often; in between they count on by themselves.
const PLAYER_EVERY: Duration = Duration::from_millis(250);
/// Where the music is, what is queued and how far a room was seen is kept this often: as much is lost when the machine stops.
const KEEP_EVERY: Duration = Duration::from_secs(10);
/// Others are told of seeks by oneself at most this often.
const SEEK_EVERY: Duration = Duration::from_millis(250);
/// How often each peer says how well it plays in time.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// Starts the tasks of a stage, of which all up to `told_seq` has been told.
pub fn spawn(inner: &Arc<Inner>, stage: &Arc<Stage>, told_seq: u64, tasks: &mut JoinSet<()>) {
    tasks.spawn(draw_player(Arc::downgrade(inner)));
    if stage.is_room() {
        tasks.spawn(draw_room(Arc::downgrade(inner), Arc::clone(stage), told_seq));
        let shown = Arc::new(SyncShown::default());
        tasks.spawn(measure(Arc::downgrade(inner), Arc::clone(stage), Arc::clone(&shown)));
        tasks.spawn(draw_coming(Arc::downgrade(inner), Arc::clone(stage)));
        tasks.spawn(draw_sync(Arc::downgrade(inner), Arc::clone(stage), shown));
    }
    if let Stage::Solo(_) = &**stage {
        tasks.spawn(refill(Arc::downgrade(inner), Arc::clone(stage)));
    }
    if let Stage::Joined(joined) = &**stage {
        tasks.spawn(draw_connection(Arc::downgrade(inner), joined.connection()));
        tasks.spawn(draw_knocks(Arc::downgrade(inner), joined.knockers()));
        tasks.spawn(leave_what_ended(Arc::downgrade(inner), Arc::downgrade(stage), joined.connection()));
        tasks.spawn(fetch::follow(Arc::downgrade(inner), Arc::clone(stage)));
    }
}

async fn draw_room(inner: Weak<Inner>, stage: Arc<Stage>, mut told_seq: u64) {
    let mut changes = stage.changes();
    if stage.with(|room| room.seq) > told_seq {
        changes.mark_changed();
    }
    while changes.changed().await.is_ok() {
        sleep_until(Instant::now() + DRAW_EVERY).await;
        changes.borrow_and_update();
        let Some(inner) = inner.upgrade() else { return };
        let (seq, messages) = stage.with(|room| {
            let new = room.chat.iter().filter(|message| message.seq > told_seq);
            (room.seq, new.map(|message| chat_view(room, message)).collect::<Vec<_>>())
        });
        told_seq = seq;
        inner.tell(NodeEvent::RoomChanged { room: inner.room_view().map(Box::new) });
        if !messages.is_empty() {
            inner.tell(NodeEvent::ChatAppended { messages });
        }
        inner.tell(NodeEvent::PlayerChanged { player: Box::new(inner.player_view()) });
    }
}

/// Lists what the room awaits and is not sent here. What one sends oneself is listed no more once it was given up, though it was
/// stopped.
async fn draw_coming(inner: Weak<Inner>, stage: Arc<Stage>) {
    let Some(coming) = stage.coming() else { return };
    let Some(mut stops) = inner.upgrade().map(|inner| inner.transfers.stops()) else { return };
    let (mut changes, mut told) = (stage.changes(), coming.changes());
    changes.mark_changed();
    loop {
        let changed = tokio::select! {
            changed = changes.changed() => changed,
            changed = told.changed() => changed,
            changed = stops.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        sleep_until(Instant::now() + DRAW_EVERY).await;
        changes.mark_unchanged();
        told.mark_unchanged();
        stops.mark_unchanged();
        let Some(inner) = inner.upgrade() else { return };
        let (me, sends) = (inner.me(), |hash: &ContentHash| inner.transfers.sends(&hash.to_string()));
        let (views, ended) = stage.with(|room| (coming.views(room, me, sends), given_up(room, me)));
        inner.transfers.awaits(views);
        for track in ended {
            inner.transfers.give_up(&track.to_string(), &me.to_string());
        }
    }
}

/// Uploads of a member that were given up, by whomever.
fn given_up(room: &Room, user: UserId) -> Vec<ContentHash> {
    let own = room.tracks.iter().filter(|(_, track)| track.shared_by == user);
    let given_up = own.filter(
        |(_, track)| matches!(&track.state, TrackState::Failed { code, .. } if code == TrackState::GIVEN_UP),
    );
    given_up.map(|(hash, _)| *hash).collect()
}

async fn draw_connection(inner: Weak<Inner>, mut connection: watch::Receiver<Connection>) {
    let mut told = None;
    while connection.changed().await.is_ok() {
        let Some(inner) = inner.upgrade() else { return };
        let cut_off = connection.borrow_and_update().cut_off.clone();
        if cut_off != told {
            if let Some((code, reason)) = cut_off.clone() {
                let message = format!("The host had cut the connection off: {reason}");
                inner.tell(NodeEvent::Notice { level: NoticeLevel::Warning, code, message });
            }
            told = cut_off;
        }
        inner.tell(NodeEvent::RoomChanged { room: inner.room_view().map(Box::new) });
    }
}

async fn draw_knocks(inner: Weak<Inner>, mut knockers: watch::Receiver<Vec<Knocker>>) {
    while knockers.changed().await.is_ok() {
        let Some(inner) = inner.upgrade() else { return };
        inner.tell_room_changed();
    }
}

/// A room that is no more is not stayed in: the player takes its place, and a notice says why.
async fn leave_what_ended(
    inner: Weak<Inner>,
    stage: Weak<Stage>,
    mut connection: watch::Receiver<Connection>,
) {
    let ended = connection.wait_for(|connection| connection.ended.is_some()).await;
    let Some((code, reason)) = ended.ok().and_then(|connection| connection.ended.clone()) else { return };
    if let (Some(inner), Some(stage)) = (inner.upgrade(), stage.upgrade()) {
        // A task of its own: those of the stage, this one among them, end with it.
        tokio::spawn(inner.room_ended(stage, code, reason));
    }
}

/// How long the present track was heard, to tell a play from a passing by.
#[derive(Default)]
struct Heard {
    track: Option<String>,
    ticks: u32,
    position_s: f64,
}

impl Heard {
    /// A track counts as played once it was heard for this long, or for half of it.
    const PLAYED_S: f64 = 15.0;

    /// A look at the player every [`PLAYER_EVERY`]; the track that has been played by now, once for each time through.
    fn tick(&mut self, player: &PlayerView) -> Option<String> {
        let again = player.position_s < self.position_s && player.position_s < 1.0;
        self.position_s = player.position_s;
        if self.track != player.track || again {
            self.track.clone_from(&player.track);
            self.ticks = 0;
        }
        let needed_s = Self::PLAYED_S.min(player.duration_s / 2.0);
        let needed = (needed_s / PLAYER_EVERY.as_secs_f64()).ceil() as u32;
        if player.state != PlayState::Playing || self.ticks > needed {
            return None;
        }
        self.ticks += 1;
        (self.ticks > needed).then(|| self.track.clone())?
    }
}

async fn draw_player(inner: Weak<Inner>) {
    let mut ticks = interval(PLAYER_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = None;
    let mut heard = Heard::default();
    let mut kept_at = Instant::now();
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let player = inner.player_view();
        if inner.alone_is_over() {
            inner.listen_together();
            continue;
        }
        if let Some(track) = heard.tick(&player) {
            inner.was_played(&track);
        }
        let moved_at_rest = player.state != PlayState::Playing && told.as_ref() != Some(&player);
        if moved_at_rest || kept_at.elapsed() > KEEP_EVERY {
            kept_at = Instant::now();
            inner.keep_place(&player);
            inner.note_seen(&inner.stage());
        }
        if player.state == PlayState::Playing || told.as_ref() != Some(&player) {
            inner.tell(NodeEvent::PlayerChanged { player: Box::new(player.clone()) });
            told = Some(player);
        }
    }
}

/// Alone, what follows in the list that is played comes into the queue as it empties.
async fn refill(inner: Weak<Inner>, stage: Arc<Stage>) {
    let Stage::Solo(solo) = &*stage else { return };
    let mut changes = solo.changes();
    while changes.changed().await.is_ok() {
        let Some(inner) = inner.upgrade() else { return };
        inner.refill(solo);
        inner.tell(NodeEvent::QueueChanged { queue: inner.queue_views() });
    }
}

/// Reports to the room how well this machine plays, each second, and at once when it has other files than it said.
async fn measure(inner: Weak<Inner>, stage: Arc<Stage>, shown: Arc<SyncShown>) {
    let mut ticks = interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = stage.changes();
    let watched = inner.upgrade().map(|inner| (inner.arrivals.subscribe(), inner.alone.subscribe()));
    let Some((mut arrivals, mut alone)) = watched else { return };
    let mut said = (Vec::new(), Vec::new());
    loop {
        let is_due = tokio::select! {
            _ = ticks.tick() => true,
            changed = changes.changed() => match changed {
                // Looking for files asks the disk: not for every chat line.
                Ok(()) if needed(&stage) == said.0 => continue,
                Ok(()) => false,
                Err(_) => return,
            },
            changed = arrivals.changed() => match changed {
                Ok(()) => false,
                Err(_) => return,
            },
            changed = alone.changed() => match changed {
                // Who looks for a place in a track seeks many times a second: others need not follow that.
                Ok(()) => {
                    sleep_until(Instant::now() + SEEK_EVERY).await;
                    alone.mark_unchanged();
                    true
                }
                Err(_) => return,
            },
        };
        let Some(inner) = inner.upgrade() else { return };
        let needed = needed(&stage);
        let has = inner.has(&needed);
        if !is_due && said == (needed.clone(), has.clone()) {
            continue;
        }
        said = (needed, has);
        let report = inner.sync_report(&stage);
        match &*stage {
            Stage::Hosted(hosting) => hosting.report(report),
            Stage::Joined(joined) => joined.client().report(report),
            Stage::Solo(_) => return,
        }
        if is_due {
            shown.tell(&inner, &stage);
        }
    }
}

/// Shows at once what others report of their files, and where they listen by themselves.
async fn draw_sync(inner: Weak<Inner>, stage: Arc<Stage>, shown: Arc<SyncShown>) {
    match &*stage {
        Stage::Solo(_) => {}
        Stage::Hosted(hosting) => {
            let mut news = hosting.room().board().news();
            while news.changed().await.is_ok() {
                sleep_until(Instant::now() + DRAW_EVERY).await;
                news.borrow_and_update();
                let Some(inner) = inner.upgrade() else { return };
                shown.tell(&inner, &stage);
            }
        }
        Stage::Joined(joined) => {
            let mut reports = joined.reports();
            while reports.changed().await.is_ok() {
                let Some(inner) = inner.upgrade() else { return };
                shown.tell(&inner, &stage);
            }
        }
    }
}

/// What the windows know of how well everybody plays.
#[derive(Default)]
struct SyncShown(Mutex<Vec<PeerSyncView>>);

impl SyncShown {
    /// Tells the windows what is new, and where this machine hosts the others too. Windows at rest are let sleep: waking one costs
    /// more than all the rest.
    fn tell(&self, inner: &Inner, stage: &Stage) {
        if let Stage::Hosted(hosting) = stage {
            hosting.tell_reports();
        }
        let peers = sync_views(stage);
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != peers {
            shown.clone_from(&peers);
            inner.tell(NodeEvent::SyncMeasured { peers });
        }
    }
}

/// How well everybody plays in time.
pub fn sync_views(stage: &Stage) -> Vec<PeerSyncView> {
    let reports = match stage {
        Stage::Solo(_) => Vec::new(),
        Stage::Hosted(hosting) => hosting.room().board().recent(),
        Stage::Joined(joined) => joined.reports().borrow().clone(),
    };
    let current = stage.with(|room| Some(room.transport.as_ref()?.current?.track));
    let needed = needed(stage);
    reports.iter().map(|(user, report)| peer_sync_view(*user, report, current, &needed)).collect()
}
