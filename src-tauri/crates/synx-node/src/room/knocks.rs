//! Who asks to be let in, and waits for the host's word.
//!
//! Must never let anybody in by itself: a question that is dropped is a no.

use crate::bridge::KnockView;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_domain::{Role, UserId, UserProfile};
use synx_net::wire::Knocker;
use tokio::sync::{oneshot, watch};

/// The questions that are open.
#[derive(Default)]
pub struct Knocks {
    open: Mutex<BTreeMap<UserId, Open>>,
    /// The same, oldest first.
    list: watch::Sender<Vec<Knocker>>,
}

struct Open {
    knocker: Knocker,
    answer: oneshot::Sender<bool>,
}

/// A question. Dropping it takes it back.
pub struct Knock {
    knocks: Arc<Knocks>,
    user: UserId,
    answered: oneshot::Receiver<bool>,
    told: Box<dyn Fn() + Send + Sync>,
}

impl Knocks {
    /// Asks about somebody; `told` is called when the questions have changed.
    pub fn ask(
        self: &Arc<Self>,
        user: UserId,
        profile: UserProfile,
        role: Role,
        told: Box<dyn Fn() + Send + Sync>,
    ) -> Knock {
        let (answer, answered) = oneshot::channel();
        // Those who ask are strangers: a name is enough to know them by.
        let profile = UserProfile { picture: None, bio: None, ..profile };
        let knocker = Knocker { user, profile, role, since_ms: crate::wall_clock_ms() };
        self.change(|open| open.insert(user, Open { knocker, answer }));
        told();
        Knock { knocks: Arc::clone(self), user, answered, told }
    }

    /// Answers the question about somebody; false if nobody asks it any more.
    pub fn answer(&self, user: UserId, let_in: bool) -> bool {
        let open = self.change(|open| open.remove(&user));
        open.is_some_and(|open| open.answer.send(let_in).is_ok())
    }

    /// The open questions, oldest first, as they change.
    pub fn watch(&self) -> watch::Receiver<Vec<Knocker>> {
        self.list.subscribe()
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<UserId, Open>) -> T) -> T {
        let mut open = self.lock();
        let changed = change(&mut open);
        let mut list: Vec<Knocker> = open.values().map(|open| open.knocker.clone()).collect();
        list.sort_by_key(|knocker| knocker.since_ms);
        self.list.send_replace(list);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<UserId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Knock {
    /// What the host says.
    pub async fn answered(mut self) -> bool {
        (&mut self.answered).await.unwrap_or(false)
    }
}

impl Drop for Knock {
    fn drop(&mut self) {
        self.knocks.change(|open| open.remove(&self.user));
        (self.told)();
    }
}

/// The questions as they are drawn.
pub fn knock_views(knockers: &[Knocker]) -> Vec<KnockView> {
    let view = |Knocker { user, profile, role, since_ms }: &Knocker| KnockView {
        user: user.to_string(),
        name: profile.name.clone(),
        color: profile.color.clone(),
        role: (*role).into(),
        since_ms: *since_ms,
    };
    knockers.iter().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_has_one_answer_or_is_taken_back() {
        let knocks = Arc::<Knocks>::default();
        let ask = |n: u8| {
            let profile = UserProfile { name: n.to_string(), ..UserProfile::default() };
            knocks.ask(UserId::from_bytes([n; 16]), profile, Role::Dj, Box::new(|| {}))
        };
        let (yes, no, gone) = (ask(1), ask(2), ask(3));
        let open = knocks.watch();
        assert_eq!(knock_views(&open.borrow()).len(), 3);
        assert!(knocks.answer(yes.user, true) && knocks.answer(no.user, false));
        drop(gone);
        assert!(!knocks.answer(UserId::from_bytes([3; 16]), true) && !knocks.answer(yes.user, true));
        assert_eq!((yes.answered().await, no.answered().await), (true, false));
        assert!(open.borrow().is_empty());
    }
}
