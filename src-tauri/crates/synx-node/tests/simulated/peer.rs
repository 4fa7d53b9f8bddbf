//! A peer: the product's client, and a person who says and does things and writes down what became of them.

use crate::Dice;
use crate::house::TRACKS;
use crate::net::{Net, host_address};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synx_domain::{Command, Envelope, Room, RoomId, RoomSnapshot};
use synx_net::{
    AudioStore, ClientConfig, ClientEvent, Dial, Identity, InviteLink, NetError, RoomClient, SILENCE,
};
use synx_testkit::events;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// Between two things that a person does.
const THINKS: Duration = Duration::from_millis(300);
/// Between two tries to join.
const AGAIN: Duration = Duration::from_millis(500);
/// Commands that a person has under way at most.
const UNDER_WAY: usize = 24;

/// Something that was asked of the room.
pub struct Deed {
    /// Its words, where it said something; they are said once in a run.
    pub words: Option<String>,
    /// What became of it; none while there is no answer, and for ever if the peer's process ended first.
    pub outcome: Option<Result<u64, String>>,
    /// Whether the process that asked has ended.
    pub forgotten: bool,
}

/// What a peer's program was shown.
pub enum Shown {
    State(Arc<RoomSnapshot>),
    Event(Arc<Envelope>),
}

/// All that a peer did and saw, over all runs of its process.
#[derive(Default)]
pub struct Diary {
    pub deeds: Vec<Deed>,
    pub shown: Vec<Shown>,
    /// The room as this run of the process has it; none before it has joined.
    pub replica: Option<Room>,
    /// What must not happen.
    pub wrongs: Vec<String>,
    pub joins: usize,
    pub reconnects: usize,
}

pub struct Peer {
    pub name: String,
    pub diary: Arc<Mutex<Diary>>,
    config: ClientConfig,
    way: Arc<dyn Dial>,
    dice: Dice,
    life: Mutex<Option<AbortHandle>>,
}

impl Peer {
    pub fn new(number: usize, (net, room): (&Arc<Net>, RoomId), folder: &Path, dice: Dice) -> Self {
        let config = config(number, room, folder);
        Self {
            name: config.profile.name.clone(),
            diary: Arc::default(),
            config,
            way: net.way_of(number),
            dice,
            life: Mutex::default(),
        }
    }

    /// The process starts. It does things for as long as it is `busy`, and stays.
    pub fn start(&self, busy: watch::Receiver<bool>) {
        let life = Life {
            name: self.name.clone(),
            diary: Arc::clone(&self.diary),
            config: self.config.clone(),
            way: Arc::clone(&self.way),
            dice: self.dice.fork(),
            busy,
        };
        *self.life.lock().unwrap() = Some(tokio::spawn(life.run()).abort_handle());
    }

    pub fn is_running(&self) -> bool {
        self.life.lock().unwrap().is_some()
    }

    /// The process ends between two of its instructions.
    pub fn crash(&self) {
        if let Some(life) = self.life.lock().unwrap().take() {
            life.abort();
        }
        let mut diary = self.diary.lock().unwrap();
        diary.replica = None;
        diary.deeds.iter_mut().for_each(|deed| deed.forgotten = true);
    }
}

/// How the peer with this number joins.
pub fn config(number: usize, room: RoomId, folder: &Path) -> ClientConfig {
    ClientConfig {
        addresses: None,
        identity: Arc::new(Identity::generate()),
        profile: events::profile(&format!("Peer {number}")),
        audio: AudioStore::open(&folder.join(number.to_string())).unwrap(),
        link: InviteLink {
            room,
            name: "Friday".to_owned(),
            addresses: vec![host_address().to_string()],
            fingerprint: None,
            invite: None,
        },
        waiting: Arc::new(|_| {}),
        silence: SILENCE,
    }
}

/// One run of a peer's process.
struct Life {
    name: String,
    diary: Arc<Mutex<Diary>>,
    config: ClientConfig,
    way: Arc<dyn Dial>,
    dice: Dice,
    busy: watch::Receiver<bool>,
}

impl Life {
    async fn run(mut self) {
        let (client, mut events) = self.join().await;
        let client = Arc::new(client);
        let mut answers: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.see(event),
                    None => return self.wrong("the connection's task has ended".to_owned()),
                },
                Some(()) = answers.next(), if !answers.is_empty() => {}
                () = sleep(self.dice.about(THINKS)), if *self.busy.borrow() && answers.len() < UNDER_WAY => {
                    answers.push(self.act(&client));
                }
                _ = self.busy.changed() => {}
            }
        }
    }

    async fn join(&self) -> (RoomClient, mpsc::Receiver<ClientEvent>) {
        loop {
            match RoomClient::join_over(self.config.clone(), Arc::clone(&self.way)).await {
                Ok(joined) => {
                    self.diary.lock().unwrap().joins += 1;
                    return joined;
                }
                Err(NetError::Lost(_) | NetError::Unreachable { .. }) => {}
                // On a path that takes too long.
                Err(NetError::Refused { code, .. }) if code == "handshake_timeout" => {}
                Err(error) => self.wrong(format!("could not join: {error}")),
            }
            sleep(self.dice.about(AGAIN)).await;
        }
    }

    fn wrong(&self, what: String) {
        self.diary.lock().unwrap().wrongs.push(what);
    }

    fn see(&self, event: ClientEvent) {
        let mut diary = self.diary.lock().unwrap();
        match event {
            ClientEvent::Joined { snapshot } => {
                diary.replica = Some((*snapshot).clone().into_room().unwrap());
                diary.shown.push(Shown::State(snapshot));
            }
            ClientEvent::Event(envelope) => {
                match &mut diary.replica {
                    Some(room) if envelope.seq == room.seq + 1 => room.apply(&envelope),
                    replica => {
                        let here = replica.as_ref().map(|room| room.seq);
                        let wrong = format!("event {} was shown after {here:?}", envelope.seq);
                        diary.wrongs.push(wrong);
                    }
                }
                diary.shown.push(Shown::Event(envelope));
            }
            ClientEvent::Reconnected => diary.reconnects += 1,
            ClientEvent::Reconnecting { .. } | ClientEvent::CutOff(_) | ClientEvent::Transient(_) => {}
            ClientEvent::Ended { code, reason } => diary.wrongs.push(format!("ended: {code}: {reason}")),
        }
    }

    /// Asks something; done when there is an answer, which is written down.
    fn act(&self, client: &Arc<RoomClient>) -> BoxFuture<'static, ()> {
        let (client, diary) = (Arc::clone(client), Arc::clone(&self.diary));
        let number = diary.lock().unwrap().deeds.len();
        // Now and then a long speech, so that little of what is under way fits into a connection.
        let speech = if self.dice.once_in(4) { self.dice.below(3_000) } else { 0 };
        let words = format!("{} says {number}{}", self.name, " and more".repeat(speech / 9));
        let track = events::hash(self.dice.below(usize::from(TRACKS)) as u8);
        let (command, words) = match self.dice.below(20) {
            0..12 => (Command::PostChatMessage { text: words.clone() }, Some(words)),
            12 => (Command::Enqueue { track, index: None }, None),
            13 => (Command::Play { track: Some(track) }, None),
            14 => (Command::Pause, None),
            15 => (Command::Seek { position_us: self.dice.below(events::TRACK_US as usize) as i64 }, None),
            16 => (Command::Skip { to: None }, None),
            17 => {
                let profile = events::profile(&format!("{} {number}", self.name));
                (Command::UpdateProfile { profile }, None)
            }
            _ => {
                let position_us = self.dice.below(events::TRACK_US as usize) as i64;
                let text = words.clone();
                (Command::AddComment { track, position_us, end_us: None, text, reply_to: None }, Some(words))
            }
        };
        diary.lock().unwrap().deeds.push(Deed { words, outcome: None, forgotten: false });
        Box::pin(async move {
            let outcome = client.execute(command).await.map_err(|error| error.code().to_owned());
            diary.lock().unwrap().deeds[number].outcome = Some(outcome);
        })
    }
}
