//! Somebody in the room through a `RoomClient`, who checks that no event is missed, doubled or out of order.

use crate::soon;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{Command, Envelope, Room, UserId};
use synx_net::{AudioStore, ClientConfig, ClientEvent, NetError, RoomClient};
use tokio::sync::mpsc;

pub struct Guest {
    pub client: RoomClient,
    pub user: UserId,
    pub audio: AudioStore,
    /// The fold over what was told.
    pub room: Room,
    /// Events that were told one by one.
    pub log: Vec<Arc<Envelope>>,
    pub breaks: usize,
    /// Why the host gave this one's connections up.
    pub cut_off: Vec<String>,
    events: mpsc::Receiver<ClientEvent>,
}

impl Guest {
    /// Joins, and has the room's state.
    pub async fn join(config: ClientConfig) -> Result<Self, NetError> {
        let (user, audio) = (config.identity.user_id(), config.audio.clone());
        let (client, events) = soon(RoomClient::join(config)).await?;
        let (room, log, cut_off) = (Room::default(), Vec::new(), Vec::new());
        let mut guest = Self { client, user, audio, room, log, breaks: 0, cut_off, events };
        assert!(matches!(soon(guest.next()).await, ClientEvent::Joined { .. }));
        Ok(guest)
    }

    async fn next(&mut self) -> ClientEvent {
        let event = self.events.recv().await.expect("the client says Ended before it goes");
        self.take(&event);
        event
    }

    fn take(&mut self, event: &ClientEvent) {
        match event {
            ClientEvent::Joined { snapshot } => self.room = snapshot.room.clone(),
            ClientEvent::Event(envelope) => {
                assert_eq!(envelope.seq, self.room.seq + 1, "each event comes once, in order");
                self.room.apply(envelope);
                self.log.push(Arc::clone(envelope));
            }
            ClientEvent::Reconnecting { .. } => self.breaks += 1,
            ClientEvent::CutOff(why) => self.cut_off.push(why.code.clone()),
            _ => {}
        }
    }

    pub async fn until(&mut self, wanted: impl Fn(&ClientEvent) -> bool) -> ClientEvent {
        let found = async {
            loop {
                let event = self.next().await;
                if wanted(&event) {
                    return event;
                }
            }
        };
        soon(found).await
    }

    /// Takes in all events up to this one.
    pub async fn until_seq(&mut self, seq: u64) {
        let here = async {
            while self.room.seq < seq {
                self.next().await;
            }
        };
        soon(here).await;
    }

    pub async fn until_reconnected(&mut self) {
        self.until(|event| matches!(event, ClientEvent::Reconnected)).await;
    }

    /// The code with which it ends for good.
    pub async fn until_ended(&mut self) -> String {
        let ended = self.until(|event| matches!(event, ClientEvent::Ended { .. })).await;
        let ClientEvent::Ended { code, .. } = ended else { unreachable!() };
        code
    }

    /// Takes in what comes for a while.
    pub async fn listen_for(&mut self, time: Duration) {
        let heard = async {
            while let Some(event) = self.events.recv().await {
                self.take(&event);
            }
        };
        drop(tokio::time::timeout(time, heard).await);
    }

    pub async fn say(&self, text: &str) -> Result<u64, NetError> {
        soon(self.client.execute(Command::PostChatMessage { text: text.to_owned() })).await
    }
}
