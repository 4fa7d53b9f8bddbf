//! The cluster's clock: one node's monotonic clock is every room's time, and the others estimate it.
//!
//! ```text
//! owner ── renews ──► record (key-value bucket) ── told ──► all nodes: who has not heard for a second writes itself over it
//!   ▲ probes, answered at once
//! others ─► filter ─► the line from their own clock to room time ─► their peers' probes
//! ```
//! A connection and a thread of its own: whatever else a node does must not delay a probe. Must never serve a time that
//! jumps while its epoch lasts.

mod lease;
#[cfg(test)]
mod simulated;
mod timekeeper;

use crate::backplane::Backplane;
use crate::{ClusterError, ClusterOptions, NodeId};
use async_nats::jetstream::kv::{Config, CreateErrorKind, Store, UpdateErrorKind};
use async_nats::jetstream::stream::Republish;
use async_nats::{Message, Subscriber};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lease::{Record, Written};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use synx_clock::{ClockEstimate, Probe};
use synx_domain::EpochId;
use timekeeper::{Known, Order, Timekeeper};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use uuid::Uuid;

/// The key of the record.
const OWNER: &str = "owner";
/// How long the servers may take to read or write the record: they take some ms.
const RECORD_ANSWER: Duration = Duration::from_millis(400);
/// A probe that takes longer says nothing of the clock.
const PROBE_ANSWER: Duration = Duration::from_secs(1);

/// The clock as this node knows it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClockView {
    /// What room time counts in, and the line from this node's monotonic clock to it; none until it is known.
    pub known: Option<(EpochId, ClockEstimate)>,
    /// Whose clock it is, as far as is known here.
    pub owner: Option<NodeId>,
    /// Whether it is this node's.
    pub mine: bool,
}

/// A node's part in the cluster's clock. It ends with this.
pub struct ClusterClock {
    view: watch::Receiver<ClockView>,
    now_us: fn() -> i64,
    /// Ends the thread when it is dropped.
    _running: oneshot::Sender<()>,
}

impl ClusterClock {
    /// Takes part from now on. `now_us` is this machine's monotonic clock.
    ///
    /// # Errors
    /// When no server is reached or the bucket cannot be made.
    pub async fn start(
        options: ClusterOptions,
        me: NodeId,
        now_us: fn() -> i64,
    ) -> Result<Self, ClusterError> {
        let (told, view) = watch::channel(ClockView::default());
        let (running, ended) = oneshot::channel();
        let (opened, open) = oneshot::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                match Link::open(&options, me, now_us).await {
                    Ok(link) => {
                        drop(opened.send(Ok(())));
                        tokio::select! {
                            () = link.run(told) => {}
                            _ = ended => {}
                        }
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
        };
        let no_thread = |error: &dyn std::fmt::Display| ClusterError::server("start the clock", error);
        let thread = std::thread::Builder::new().name("cluster-clock".to_owned()).spawn(run);
        thread.map_err(|error| no_thread(&error))?;
        open.await.unwrap_or_else(|_| Err(no_thread(&"the system has no thread for it")))?;
        Ok(Self { view, now_us, _running: running })
    }

    /// Waits until room time is known here.
    pub async fn until_known(&self) {
        // The sender lives as long as this.
        drop(self.view.clone().wait_for(|view| view.known.is_some()).await);
    }

    /// The clock as it is known here, as that changes.
    pub fn view(&self) -> watch::Receiver<ClockView> {
        self.view.clone()
    }

    /// The epoch, and room time now in microseconds. Before it is known this is an epoch that nobody is in.
    pub fn time(&self) -> (EpochId, i64) {
        let unknown = (EpochId::from_uuid(Uuid::nil()), ClockEstimate::identity());
        let (epoch, line) = self.view.borrow().known.unwrap_or(unknown);
        (epoch, line.room_us((self.now_us)() as f64) as i64)
    }
}

/// What an owner answers to a probe.
#[derive(Serialize, Deserialize)]
struct Answer {
    epoch: EpochId,
    t2_us: i64,
    t3_us: i64,
}

/// What has become of an order.
enum Done {
    Looked(Result<Option<(u64, Record)>, ()>),
    Written(Record, Written),
    Probed(NodeId, Option<(EpochId, Probe)>),
}

struct Link {
    backplane: Backplane,
    bucket: Store,
    me: NodeId,
    now_us: fn() -> i64,
    news: Subscriber,
    probes: Subscriber,
}

impl Link {
    async fn open(options: &ClusterOptions, me: NodeId, now_us: fn() -> i64) -> Result<Self, ClusterError> {
        let backplane = Backplane::connect(options).await?;
        let bucket = bucket(&backplane).await?;
        let news = backplane.subscribe(backplane.subject("clock.owner")).await?;
        let probes = backplane.subscribe(probe_subject(&backplane, me)).await?;
        Ok(Self { backplane, bucket, me, now_us, news, probes })
    }

    async fn run(mut self, told: watch::Sender<ClockView>) {
        let now_us = self.now_us;
        let mut keeper = Timekeeper::new(self.me, EpochId::from_uuid(Uuid::now_v7()), now_us());
        let mut doings: FuturesUnordered<BoxFuture<'static, Done>> = FuturesUnordered::new();
        loop {
            for order in keeper.orders(now_us()) {
                doings.push(self.carry_out(order));
            }
            self.tell(&told, &keeper);
            let wait_us = (keeper.next_us() - now_us()).max(0).unsigned_abs();
            tokio::select! {
                biased;
                Some(asked) = self.probes.next() => self.answer(&keeper, asked).await,
                Some(done) = doings.next(), if !doings.is_empty() => match done {
                    Done::Looked(found) => keeper.looked(now_us(), found),
                    Done::Written(record, outcome) => keeper.wrote(now_us(), record, outcome),
                    Done::Probed(owner, answer) => keeper.probed(owner, answer),
                },
                Some(news) = self.news.next() => {
                    if let Some((revision, record)) = told_of(&news) {
                        keeper.saw(now_us(), revision, record);
                    }
                }
                () = tokio::time::sleep(Duration::from_micros(wait_us)) => {}
            }
        }
    }

    fn tell(&self, told: &watch::Sender<ClockView>, keeper: &Timekeeper) {
        let view = ClockView {
            known: keeper.known().map(|Known { epoch, line }| (epoch, line)),
            owner: keeper.owner(),
            mine: keeper.owns((self.now_us)()),
        };
        told.send_if_modified(|before| {
            if (before.owner, before.mine) != (view.owner, view.mine) {
                tracing::info!(
                    owner = view.owner.map(tracing::field::display),
                    mine = view.mine,
                    "the cluster's clock"
                );
            }
            let changed = *before != view;
            *before = view;
            changed
        });
    }

    async fn answer(&self, keeper: &Timekeeper, asked: Message) {
        let t2_us = (self.now_us)();
        let (Some(known), true, Some(reply)) = (keeper.known(), keeper.owns(t2_us), asked.reply) else {
            return;
        };
        let room_us = |local_us: i64| known.line.room_us(local_us as f64) as i64;
        let t3_us = room_us((self.now_us)());
        let answer = Answer { epoch: known.epoch, t2_us: room_us(t2_us), t3_us };
        let Ok(answer) = serde_json::to_vec(&answer) else { return };
        // Whoever asked asks again.
        drop(self.backplane.publish(reply.to_string(), answer.into()).await);
    }

    fn carry_out(&self, order: Order) -> BoxFuture<'static, Done> {
        let (backplane, bucket, now_us) = (self.backplane.clone(), self.bucket.clone(), self.now_us);
        match order {
            Order::Look => async move { Done::Looked(look(&backplane).await) }.boxed(),
            Order::Write { record, over } => {
                async move { Done::Written(record, write(&bucket, record, over).await) }.boxed()
            }
            Order::Probe { owner } => async move {
                let t1_us = now_us();
                let asked = backplane.request(probe_subject(&backplane, owner), PROBE_ANSWER).await;
                let t4_us = now_us();
                let answer = asked.and_then(|payload| serde_json::from_slice(&payload).ok());
                let probed = answer
                    .map(|Answer { epoch, t2_us, t3_us }| (epoch, Probe { t1_us, t2_us, t3_us, t4_us }));
                Done::Probed(owner, probed)
            }
            .boxed(),
        }
    }
}

async fn bucket(backplane: &Backplane) -> Result<Store, ClusterError> {
    let name = backplane.bucket_name("clock");
    let told = Republish {
        source: format!("$KV.{name}.{OWNER}"),
        destination: backplane.subject("clock.owner"),
        headers_only: false,
    };
    let description = "Whose clock is the time of a SynxSphere cluster.".to_owned();
    let config = Config { bucket: name, description, republish: Some(told), ..Config::default() };
    crate::bucket::of_keys(backplane, config).await
}

fn probe_subject(backplane: &Backplane, owner: NodeId) -> String {
    backplane.subject(&format!("probe.{owner}"))
}

/// Reads the record, from a bucket that may have had to be made anew.
async fn look(backplane: &Backplane) -> Result<Option<(u64, Record)>, ()> {
    let found = async {
        let bucket = bucket(backplane).await.map_err(drop)?;
        let Some(entry) = bucket.entry(OWNER).await.map_err(drop)? else { return Ok(None) };
        if let Ok(record) = serde_json::from_slice(&entry.value) {
            return Ok(Some((entry.revision, record)));
        }
        // What cannot be read is in the way of the next owner: deleted, it can be made anew. Whoever was faster is left alone.
        bucket.delete_expect_revision(OWNER, Some(entry.revision)).await.map_err(drop)?;
        Ok(None)
    };
    timeout(RECORD_ANSWER, found).await.map_err(drop)?
}

async fn write(bucket: &Store, record: Record, over: Option<u64>) -> Written {
    let Ok(value) = serde_json::to_vec(&record) else { return Written::Unknown };
    let written = async {
        match over {
            Some(revision) => {
                bucket.update(OWNER, value.into(), revision).await.map_err(|error| match error.kind() {
                    UpdateErrorKind::WrongLastRevision => Written::Overtaken,
                    _ => Written::Unknown,
                })
            }
            None => bucket.create(OWNER, value.into()).await.map_err(|error| match error.kind() {
                CreateErrorKind::AlreadyExists => Written::Overtaken,
                _ => Written::Unknown,
            }),
        }
    };
    match timeout(RECORD_ANSWER, written).await {
        Ok(Ok(revision)) => Written::Stored(revision),
        Ok(Err(outcome)) => outcome,
        Err(_) => Written::Unknown,
    }
}

fn told_of(news: &Message) -> Option<(u64, Record)> {
    let revision = news.headers.as_ref()?.get("Nats-Sequence")?.as_str().parse().ok()?;
    Some((revision, serde_json::from_slice(&news.payload).ok()?))
}
