//! Session tokens that were signed here a moment ago: the first use of each is known by its hash, which costs less than
//! the check of its signature.
//!
//! Must never lengthen a token's life or widen what it opens: whatever is not known here is checked in full. That who
//! brings a token has its key is checked elsewhere, also of these.

use crate::Session;
use crate::server::hall::lock;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use synx_domain::RoomId;
use tokio::time::Instant;

/// Who was admitted enters in the same breath; later uses are few.
const FRESH_LASTS: Duration = Duration::from_secs(30);
/// Tokens that are remembered, some 200 bytes each: as many as there may be connections.
const FRESH_MAX: usize = 4096;

#[derive(Default)]
pub(crate) struct FreshTokens(Mutex<HashMap<[u8; 32], (Session, Instant)>>);

impl FreshTokens {
    /// Remembers a token that was signed just now and `lasts` so long.
    pub fn signed(&self, token: &str, session: Session, lasts: Duration, now: Instant) {
        let mut fresh = lock(&self.0);
        if fresh.len() >= FRESH_MAX {
            fresh.retain(|_, (_, until)| *until > now);
        }
        if fresh.len() < FRESH_MAX {
            fresh.insert(hash(token), (session, now + lasts.min(FRESH_LASTS)));
        }
    }

    /// Whom a token of this room speaks for, if it is remembered; it is no more then.
    pub fn take(&self, room: RoomId, token: &str, now: Instant) -> Option<Session> {
        let (session, until) = lock(&self.0).remove(&hash(token))?;
        (session.room == room && until > now).then_some(session)
    }
}

fn hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::{Role, UserId};

    fn session(room: u8) -> Session {
        let (user, room) = (UserId::from_bytes([3; 16]), RoomId::from_bytes([room; 16]));
        Session { user, room, role: Role::Dj, invite: None, key: Some([7; 32]) }
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_token_is_known_once_in_its_room_for_as_long_as_it_lasts() {
        let (fresh, room, now) = (FreshTokens::default(), session(1).room, Instant::now());
        for token in ["first", "second"] {
            fresh.signed(token, session(1), LONG, now);
        }
        assert_eq!(fresh.take(room, "another", now), None);
        assert_eq!(fresh.take(room, "first", now), Some(session(1)));
        assert_eq!(fresh.take(room, "first", now), None, "it was used");
        assert_eq!(fresh.take(session(2).room, "second", now), None, "another room's");
        let short = Duration::from_secs(2);
        fresh.signed("third", session(1), short, now);
        assert_eq!(fresh.take(room, "third", now + short), None, "it has expired");
    }

    #[test]
    fn what_nobody_uses_makes_room_again() {
        let (fresh, room, now) = (FreshTokens::default(), session(1).room, Instant::now());
        for number in 0..=FRESH_MAX {
            fresh.signed(&number.to_string(), session(1), LONG, now);
        }
        assert_eq!(fresh.take(room, &FRESH_MAX.to_string(), now), None, "one too many");
        let later = now + FRESH_LASTS;
        fresh.signed("later", session(1), LONG, later);
        assert_eq!(fresh.take(room, "later", later), Some(session(1)));
        assert!(lock(&fresh.0).is_empty());
    }
}
