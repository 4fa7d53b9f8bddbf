//! The server's process killed again and again in the midst of its work: what it had acknowledged is there, once, and it is
//! soon back.
//!
//! Commands that were not answered when it died are sent again under their ids to its successor, as any peer does.

use crate::Bench;
use crate::frames::Said;
use crate::house::House;
use crate::latency::Latencies;
use crate::peers::{Ear, Peer, Target, run, until};
use crate::serve::room_id;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use synx_domain::RoomEvent;
use synx_log::{Log, LogOptions};

const MEMBERS: usize = 32;
/// Messages of each member that are on their way.
const OUTSTANDING: usize = 4;

/// What was promised, and what was asked and not answered.
#[derive(Default)]
struct Ledger {
    joined: Cell<usize>,
    /// The seq that was answered, by the message's number.
    acknowledged: RefCell<HashMap<u64, u64>>,
    /// Who waits for an answer, by the message's number.
    waiting: RefCell<BTreeMap<u64, usize>>,
    /// Who was answered and has not sent the next one.
    free: RefCell<Vec<usize>>,
    contradicted: Cell<u64>,
}

impl Ear for Ledger {
    fn hear(&self, _peer: usize, said: Said) {
        match said {
            Said::Joined { .. } => self.joined.set(self.joined.get() + 1),
            Said::Answered { number, seq } => {
                let before = self.acknowledged.borrow_mut().insert(number, seq);
                if before.is_some_and(|before| before != seq) {
                    self.contradicted.set(self.contradicted.get() + 1);
                }
                if let Some(by) = self.waiting.borrow_mut().remove(&number) {
                    self.free.borrow_mut().push(by);
                }
            }
            _ => {}
        }
    }
}

/// `--rounds` deaths under load.
pub fn kill(bench: &Bench, tls: bool) {
    let folder = tempfile::tempdir_in(&bench.folder).unwrap();
    let (ledger, mut serving, mut next) = (Rc::new(Ledger::default()), Latencies::default(), 0);
    for round in 0..=bench.rounds {
        let begin = Instant::now();
        let mut house = House::open(folder.path(), 1, MEMBERS, tls);
        let last = round == bench.rounds;
        run(async {
            let peers = enter(&house, folder.path(), tls, &ledger, |took| serving.add(took), begin).await;
            for (number, by) in ledger.waiting.borrow().iter() {
                peers[*by].chat(*number, "");
            }
            let send = |by: usize, next: &mut u64| {
                ledger.waiting.borrow_mut().insert(*next, by);
                peers[by].chat(*next, "");
                *next += 1;
            };
            if last {
                assert!(until(|| ledger.waiting.borrow().is_empty()).await, "answers are missing");
                return;
            }
            ledger.free.borrow_mut().clear();
            let mut on_their_way = [0; MEMBERS];
            ledger.waiting.borrow().values().for_each(|by| on_their_way[*by] += 1);
            for (by, sent) in on_their_way.into_iter().enumerate() {
                (sent..OUTSTANDING).for_each(|_| send(by, &mut next));
            }
            let life = Duration::from_millis(100 + rand::random_range(0..300));
            while begin.elapsed() < life {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let free = std::mem::take(&mut *ledger.free.borrow_mut());
                free.into_iter().for_each(|by| send(by, &mut next));
            }
            house.kill();
            // What it had answered may still be on its way.
            until(|| peers.iter().all(|peer| peer.over.get())).await;
        });
    }
    let (lost, doubled, events) =
        tokio::runtime::Runtime::new().unwrap().block_on(audit(folder.path(), &ledger));
    println!(
        "{}",
        json!({
            "measure": "kill", "tls": tls, "kills": bench.rounds, "acknowledged": ledger.acknowledged.borrow().len(),
            "lost": lost, "doubled": doubled, "answered_differently": ledger.contradicted.get(), "events": events,
            "serving_again_ms": serving.ms(),
        })
    );
}

/// All members in; how long the first took since the process was started.
async fn enter(
    house: &House,
    folder: &Path,
    tls: bool,
    ledger: &Rc<Ledger>,
    first_in: impl FnOnce(Duration),
    begin: Instant,
) -> Vec<Rc<Peer>> {
    ledger.joined.set(0);
    let target = Target::new(house.at, folder, tls);
    let ear: Rc<dyn Ear> = Rc::<Ledger>::clone(ledger);
    let mut peers = vec![Peer::start(&target, 0, 0, None, Rc::clone(&ear))];
    assert!(until(|| ledger.joined.get() == 1).await, "nobody gets in");
    first_in(begin.elapsed());
    peers.extend((1..MEMBERS).map(|number| Peer::start(&target, number, 0, None, Rc::clone(&ear))));
    assert!(until(|| ledger.joined.get() == MEMBERS).await, "not all peers got in");
    peers
}

/// Messages that were acknowledged and are not where that was said; messages that are there twice; all events.
async fn audit(folder: &Path, ledger: &Ledger) -> (u64, u64, u64) {
    let log = Log::open(&folder.join("log.db"), LogOptions::read_only()).unwrap();
    let reports = log.verify(None).await.unwrap();
    assert!(reports.iter().all(|report| report.first_bad.is_none()), "the chain is broken");
    let (mut places, mut doubled, mut seq) = (HashMap::new(), 0, 0);
    loop {
        let page = log.read(room_id(0), seq, 4096).await.unwrap();
        let Some(last) = page.last() else { break };
        seq = last.seq;
        for envelope in &page {
            if let RoomEvent::ChatMessagePosted { text } = &envelope.event
                && let Some(number) = text.split('~').nth(1).and_then(|number| number.parse::<u64>().ok())
                && places.insert(number, envelope.seq).is_some()
            {
                doubled += 1;
            }
        }
    }
    let acknowledged = ledger.acknowledged.borrow();
    let lost = acknowledged.iter().filter(|(number, seq)| places.get(number) != Some(seq)).count();
    (lost as u64, doubled, seq)
}
