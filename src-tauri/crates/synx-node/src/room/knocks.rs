//! Who asks to be let in, and waits for the host's word.
//!
//! Must never let anybody in by itself: a question that is dropped is a no.

use crate::bridge::KnockView;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_domain::{Role, UserId, UserProfile};
use tokio::sync::oneshot;

/// The questions that are open.
#[derive(Default)]
pub struct Knocks {
    open: Mutex<BTreeMap<UserId, Open>>,
}

struct Open {
    profile: UserProfile,
    role: Role,
    since_ms: i64,
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
        self.lock().insert(user, Open { profile, role, since_ms: crate::wall_clock_ms(), answer });
        told();
        Knock { knocks: Arc::clone(self), user, answered, told }
    }

    /// Answers the question about somebody; false if nobody asks it any more.
    pub fn answer(&self, user: UserId, let_in: bool) -> bool {
        let open = self.lock().remove(&user);
        open.is_some_and(|open| open.answer.send(let_in).is_ok())
    }

    /// The open questions, oldest first.
    pub fn views(&self) -> Vec<KnockView> {
        let view = |(user, open): (&UserId, &Open)| KnockView {
            user: user.to_string(),
            name: open.profile.name.clone(),
            color: open.profile.color.clone(),
            role: open.role.into(),
            since_ms: open.since_ms,
        };
        let mut views: Vec<KnockView> = self.lock().iter().map(view).collect();
        views.sort_by_key(|view| view.since_ms);
        views
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
        self.knocks.lock().remove(&self.user);
        (self.told)();
    }
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
        assert_eq!(knocks.views().len(), 3);
        assert!(knocks.answer(yes.user, true) && knocks.answer(no.user, false));
        drop(gone);
        assert!(!knocks.answer(UserId::from_bytes([3; 16]), true) && !knocks.answer(yes.user, true));
        assert_eq!((yes.answered().await, no.answered().await), (true, false));
        assert!(knocks.views().is_empty());
    }
}
