//! Three nodes, NATS servers and a crowd: whatever is killed, nothing that was acknowledged is lost or there twice, everybody sees
//! one order, and everybody is back soon.
//!
//! The large one takes the machine for itself: `cargo xtask cluster` runs it and prints how long everything took.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use synx_domain::{Command, EpochId, EventId, RoomEvent, RoomId, SyncCause, TrackMeta, Visibility};
use synx_log::Log;
use synx_net::{Identity, InviteLink, NetError};
use synx_system_tests::cluster::Cluster;
use synx_system_tests::crowd::{Crowd, until};
use synx_system_tests::synx;
use synx_testkit::events;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// One cluster at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How far apart the nodes' clocks may be on a machine that is busy with other tests; how close they are is held in simulated time.
const CLOCK_ERROR_US: i64 = 20_000;

/// A party that goes on while things break.
struct Party {
    cluster: Cluster,
    room: RoomId,
    crowd: Crowd,
    stop: Arc<AtomicBool>,
    talks: Vec<synx_system_tests::crowd::Talk>,
}

impl Party {
    /// Three nodes with a crowd spread over them, some of whom talk.
    async fn begin(servers: usize, peers: usize, talkers: usize) -> Self {
        let cluster = tokio::task::spawn_blocking(move || {
            let mut cluster = Cluster::start(servers);
            (0..3).for_each(|_| cluster.start_node("127.0.0.1"));
            cluster
        });
        Self::begin_in(cluster.await.unwrap(), peers, talkers).await
    }

    async fn begin_in(cluster: Cluster, peers: usize, talkers: usize) -> Self {
        let (room, _) = cluster.make_room(Visibility::Public).await;
        let mut crowd = Crowd::default();
        for number in 0..peers {
            crowd.join(cluster.link(room, number % 3)).await;
        }
        let stop = Arc::new(AtomicBool::new(false));
        // As much is heard by each, however many they are.
        let pause = Duration::from_millis(10) * u32::try_from(talkers * peers / 100).unwrap();
        let talk = |number: usize| crowd.peers[number].talk(number.to_string(), pause, Arc::clone(&stop));
        let talks = (0..talkers).map(talk).collect();
        Self { cluster, room, crowd, stop, talks }
    }

    fn head(&self) -> u64 {
        self.crowd.peers.iter().map(|peer| peer.heard().head).max().unwrap()
    }

    /// Waits until so many more events are in the room.
    async fn until_it_goes_on(&self, events: u64) {
        let from = self.head();
        until(|| self.head() >= from + events, || format!("the room stands still at {}", self.head())).await;
    }

    /// How long after an instant the last peer came back that was away since.
    fn last_return(&self, since: Instant) -> Option<Duration> {
        let returns = self.crowd.peers.iter().flat_map(|peer| peer.heard().returns.clone());
        returns.filter(|at| *at > since).max().map(|at| at - since)
    }

    /// The epoch of room time, which must be one on all nodes; and between which bounds room time is ahead of this machine's clock,
    /// which must be the same too, give or take what their estimates may be off.
    async fn clock(&self) -> (EpochId, i64, i64) {
        let mut clocks = Vec::new();
        for peer in &self.crowd.peers[..3] {
            clocks.push(peer.clock().await);
        }
        let (epoch, mut least, mut most) = clocks[0];
        for clock in clocks {
            assert_eq!(clock.0, epoch);
            (least, most) = (least.max(clock.1), most.min(clock.2));
        }
        assert!(least - most < CLOCK_ERROR_US, "the nodes' clocks are {} us apart", least - most);
        (epoch, least, most)
    }

    /// Ends it, and looks at what is left of it everywhere.
    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let mut said = Vec::new();
        for talk in self.talks {
            said.extend(talk.await.unwrap());
        }
        let last = said.iter().map(|(_, seq)| *seq).max().unwrap();
        self.crowd.until_all_are_at(last).await;
        let heard = self.crowd.one_order();
        let cluster = self.cluster;
        let (log, _copy) = tokio::task::spawn_blocking(move || cluster.log()).await.unwrap();
        let kept = history(&log, self.room).await;
        for (seq, event) in &heard {
            assert_eq!(kept.get(seq).map(|(event, _)| event), Some(event), "event {seq}");
        }
        for (text, seq) in &said {
            let places: Vec<u64> = kept
                .iter()
                .filter(|(_, (_, kept))| kept.as_ref() == Some(text))
                .map(|(place, _)| *place)
                .collect();
            assert_eq!(places, [*seq], "{text}");
        }
        assert!(said.len() > 50, "{} sentences", said.len());
        assert_eq!(log.verify(Some(self.room)).await.unwrap()[0].first_bad, None);
    }
}

/// All events of a room, with what was said.
async fn history(log: &Log, room: RoomId) -> BTreeMap<u64, (EventId, Option<String>)> {
    let mut all = BTreeMap::new();
    loop {
        let after = all.last_key_value().map_or(0, |(seq, _)| *seq);
        let page = log.read(room, after, 1000).await.unwrap();
        if page.is_empty() {
            return all;
        }
        for envelope in page {
            let text = match &envelope.event {
                RoomEvent::ChatMessagePosted { text } => Some(text.clone()),
                _ => None,
            };
            all.insert(envelope.seq, (envelope.event_id, text));
        }
    }
}

/// The node that owns the clock, once there is one among those that run.
async fn owner(cluster: &mut Cluster) -> usize {
    let end = Instant::now() + synx_system_tests::PATIENCE;
    loop {
        if let Some(owner) = (0..cluster.nodes.len()).find(|index| cluster.nodes[*index].owns_clock()) {
            return owner;
        }
        assert!(Instant::now() < end, "nobody owns the clock");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Kills the node whose clock it is: how long until another's is, and until all peers are back.
async fn kill_the_owner(party: &mut Party) -> (Duration, Duration) {
    let owned = owner(&mut party.cluster).await;
    let mut node = party.cluster.nodes.remove(owned);
    let killed = Instant::now();
    node.process.kill();
    owner(&mut party.cluster).await;
    let replaced = killed.elapsed();
    party.until_it_goes_on(20).await;
    party.crowd.until_all_are_back().await;
    (replaced, party.last_return(killed).expect("somebody was on that node"))
}

/// Kills a NATS server and starts it again: how long until the room goes on.
async fn kill_a_server(party: &mut Party, index: usize) -> Duration {
    let killed = Instant::now();
    let mut server = party.cluster.servers.remove(index);
    let server = tokio::task::spawn_blocking(move || {
        server.kill();
        server.restart();
        server
    });
    party.cluster.servers.insert(index, server.await.unwrap());
    party.until_it_goes_on(20).await;
    killed.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_three_nodes_survives_a_node_and_the_nats_server() {
    let _alone = ALONE.lock().await;
    let mut party = Party::begin(1, 60, 9).await;
    party.until_it_goes_on(50).await;
    let (epoch, least, most) = party.clock().await;
    let (replaced, back) = kill_the_owner(&mut party).await;
    println!("a node was killed: its clock replaced after {replaced:?}, all peers back after {back:?}");
    let (epoch_after, least_after, most_after) = party.clock().await;
    assert_eq!(epoch_after, epoch, "room time goes on");
    let jump_us = least.max(least_after) - most.min(most_after);
    assert!(jump_us < CLOCK_ERROR_US, "room time has jumped by {jump_us} us");
    let goes_on = kill_a_server(&mut party, 0).await;
    println!("the NATS server was killed and started again: 20 more events after {goes_on:?}");
    party.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_link_leads_in_at_every_node_and_who_is_removed_is_out_at_all() {
    let _alone = ALONE.lock().await;
    let cluster = tokio::task::spawn_blocking(|| {
        let mut cluster = Cluster::start(1);
        (0..3).for_each(|_| cluster.start_node("127.0.0.1"));
        cluster
    });
    let cluster = cluster.await.unwrap();
    let (room, owner) = cluster.make_room(Visibility::Private).await;
    let made = synx(&["invite", "--cluster", &cluster.urls(), "--room", &room.to_string()]);
    let link: InviteLink = String::from_utf8(made.stdout).unwrap().parse().unwrap();
    let mut known = link.addresses.clone();
    known.sort();
    let mut nodes: Vec<_> = cluster.nodes.iter().map(|node| node.address.clone()).collect();
    nodes.sort();
    assert_eq!(known, nodes, "a link names all nodes that run");
    let at = |index: usize| InviteLink { addresses: vec![nodes[index].clone()], ..link.clone() };

    let mut crowd = Crowd::default();
    crowd.join_as(at(0), owner).await.unwrap();
    let ben = Arc::new(Identity::generate());
    // One person on two machines, at two nodes.
    crowd.join_as(at(1), Arc::clone(&ben)).await.unwrap();
    crowd.join_as(at(2), Arc::clone(&ben)).await.unwrap();
    let user = ben.user_id();
    let remove = Command::RemoveMember { user, may_return: false };
    let removed = crowd.peers[0].client().execute(remove).await.unwrap();
    for number in [1, 2] {
        let ended = || crowd.peers[number].heard().ended.clone();
        until(|| ended().as_deref() == Some("removed"), || format!("Ben is still here: {:?}", ended())).await;
    }
    for index in 0..3 {
        let refused = crowd.join_as(at(index), Arc::clone(&ben)).await.unwrap_err();
        assert!(matches!(&refused, NetError::Refused { code, .. } if code == "removed"), "{refused}");
        // His invite went with him.
        let refused = crowd.join_as(at(index), Arc::new(Identity::generate())).await.unwrap_err();
        assert!(matches!(&refused, NetError::Refused { code, .. } if code == "invite_revoked"), "{refused}");
    }
    assert!(crowd.peers[0].heard().head >= removed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_lead_a_room_together_and_carry_its_music_over_their_restart() {
    let _alone = ALONE.lock().await;
    let cluster = tokio::task::spawn_blocking(|| {
        let mut cluster = Cluster::start(1);
        (0..3).for_each(|_| cluster.start_node("127.0.0.1"));
        cluster
    });
    let mut cluster = cluster.await.unwrap();
    let (room, owner) = cluster.make_room(Visibility::Public).await;
    let short = TrackMeta { duration_us: 1_500_000, ..events::track(1) };
    let shared = [short.clone(), events::track(2)].map(|track| RoomEvent::FileShared { track });
    cluster.append(room, owner.user_id(), shared.to_vec()).await;
    let mut crowd = Crowd::default();
    for number in 0..3 {
        crowd.join(cluster.link(room, number)).await;
    }
    let syncs = |number: usize| crowd.peers[number].heard().syncs.clone();
    let play = |hash| crowd.peers[0].client().execute(Command::Play { track: Some(hash) });
    play(short.hash).await.unwrap();
    let ends = || syncs(2).iter().filter(|(cause, _)| *cause == SyncCause::QueueEnded).count();
    until(|| ends() > 0, || format!("the end of the track is not announced: {:?}", syncs(2))).await;
    play(events::track(2).hash).await.unwrap();
    until(|| syncs(2).len() >= 3, || format!("the next track does not play: {:?}", syncs(2))).await;
    let (_, epoch) = syncs(2)[2];

    let cluster = tokio::task::spawn_blocking(move || {
        cluster.restart_nodes();
        cluster
    });
    let _cluster = cluster.await.unwrap();
    let carried = || syncs(2).iter().any(|(cause, now)| *cause == SyncCause::HostRestarted && *now != epoch);
    until(carried, || format!("the music is not carried over: {:?}", syncs(2))).await;
    // Each of the three could have announced each of these.
    let said = crowd.peers[1].client().execute(Command::PostChatMessage { text: "still here".to_owned() });
    crowd.until_all_are_at(said.await.unwrap()).await;
    let causes: Vec<SyncCause> = syncs(2).iter().map(|(cause, _)| *cause).collect();
    let once = [SyncCause::Play, SyncCause::QueueEnded, SyncCause::Play, SyncCause::HostRestarted];
    assert_eq!(causes, once);
}

/// A node that is cut off from the NATS servers, and not from its peers: they go to the others.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peers_of_a_node_that_is_cut_off_go_to_the_others() {
    use synx_system_tests::netns::{Link, Namespace};
    let _alone = ALONE.lock().await;
    let namespace = match Namespace::make() {
        Ok(namespace) => namespace,
        Err(reason) => return println!("skipped: no network namespace can be made ({reason})"),
    };
    let cluster = Cluster::start(1);
    // What is in the namespace reaches the NATS server over the first link alone.
    let listener = TcpListener::bind((Link::First.here(), 0)).await.unwrap();
    let passage = listener.local_addr().unwrap();
    let (to_nats, urls) = (cluster.servers[0].address(), cluster.servers[0].url_at(&passage.to_string()));
    tokio::spawn(pass_on(listener, to_nats));
    let wrapper = namespace.wrapper();
    let cluster = tokio::task::spawn_blocking(move || {
        let mut cluster = cluster;
        (0..2).for_each(|_| cluster.start_node(&Link::Second.here()));
        cluster.start_node_under(&wrapper, &urls, &Link::Second.there());
        cluster
    });
    let mut party = Party::begin_in(cluster.await.unwrap(), 45, 9).await;
    party.until_it_goes_on(50).await;
    namespace.set(Link::First, false);
    let cut = Instant::now();
    let on_it = || party.crowd.peers.iter().skip(2).step_by(3);
    let stay = || on_it().filter(|peer| peer.heard().returns.iter().all(|at| *at < cut)).count();
    until(|| stay() == 0, || format!("{} peers stay on the node that is cut off", stay())).await;
    party.crowd.until_all_are_back().await;
    println!("a node was cut off: all its peers back after {:?}", party.last_return(cut).unwrap());
    party.until_it_goes_on(50).await;
    namespace.set(Link::First, true);
    // Who knows no other node comes in by this one again.
    let only = InviteLink {
        addresses: vec![party.cluster.nodes[2].address.clone()],
        ..party.cluster.link(party.room, 0)
    };
    party.crowd.join_patiently(only).await;
    party.until_it_goes_on(50).await;
    party.end().await;
}

/// Passes connections on, until it is dropped.
async fn pass_on(listener: TcpListener, to: String) {
    while let Ok((mut from, _)) = listener.accept().await {
        let to = to.clone();
        tokio::spawn(async move {
            if let Ok(mut to) = TcpStream::connect(to).await {
                drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
            }
        });
    }
}

/// Figures of docs/scale.md come from here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes the machine for itself: cargo xtask cluster"]
async fn three_hundred_peers_on_three_nodes_and_three_nats_servers() {
    let _alone = ALONE.lock().await;
    let mut party = Party::begin(3, 300, 30).await;
    party.until_it_goes_on(50).await;
    let (replaced, back) = kill_the_owner(&mut party).await;
    println!("a node was killed: its clock replaced after {replaced:?}, all peers back after {back:?}");
    for index in 0..3 {
        let goes_on = kill_a_server(&mut party, index).await;
        println!("NATS server {index} was killed and started again: 20 more events after {goes_on:?}");
        party.until_it_goes_on(50).await;
    }
    party.end().await;
    assert!(replaced < Duration::from_secs(2) && back < Duration::from_secs(3), "{replaced:?}, {back:?}");
}
