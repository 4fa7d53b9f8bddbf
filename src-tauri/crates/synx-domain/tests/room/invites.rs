//! Invites: who may make and revoke them, and whom they let in how often.

use crate::{NOTHING, ask};
use synx_domain::{Command, InviteTerms, LeaveReason, Role, Room, RoomEvent, UserId};
use synx_testkit::events::{ADA, BEN, CLEO, DAN, RoomLog, invite, profile};
use uuid::Uuid;

fn create(terms: InviteTerms) -> Command {
    Command::CreateInvite { invite: terms }
}

fn revoke(n: u64) -> Command {
    Command::RevokeInvite { invite: invite(n).id }
}

fn join(name: &str, terms: InviteTerms) -> Command {
    Command::Join { profile: profile(name), role: Role::Listener, invite: Some(terms) }
}

fn guest(n: u64) -> UserId {
    UserId::from_uuid(Uuid::from_u128(0x1_0000 + u128::from(n)))
}

#[test]
fn the_host_makes_invites_and_takes_them_back() {
    let log = RoomLog::with_people();
    assert_eq!(ask(&log, BEN, create(invite(1))), Err("not_allowed"));
    assert_eq!(ask(&log, ADA, create(invite(1))), Ok(vec![RoomEvent::InviteCreated { invite: invite(1) }]));
    assert_eq!(ask(&log, ADA, revoke(1)), Err("no_such_invite"));
    for bad in [
        InviteTerms { role: Role::Host, ..invite(1) },
        InviteTerms { max_uses: Some(0), ..invite(1) },
        InviteTerms { expires_at_s: 1, ..invite(1) },
    ] {
        assert_eq!(ask(&log, ADA, create(bad)), Err("invalid"), "{bad:?}");
    }

    let log = log.did(ADA, create(invite(1)));
    assert_eq!(ask(&log, ADA, create(invite(1))), NOTHING);
    assert_eq!(ask(&log, BEN, revoke(1)), Err("not_allowed"));
    let log = log.did(ADA, revoke(1));
    assert_eq!(ask(&log, ADA, revoke(1)), NOTHING);
    assert_eq!(ask(&log, DAN, join("Dan", invite(1))), Err("invite_revoked"));
    assert_eq!(ask(&log, ADA, create(invite(1))), NOTHING, "what was revoked is not made again");
    assert_eq!(ask(&log, DAN, join("Dan", invite(1))), Err("invite_revoked"));
}

#[test]
fn an_invite_is_used_by_people_not_by_visits() {
    let mut log = RoomLog::open().did(ADA, create(invite(1)));
    for n in 0..3 {
        // Coming again, also with the same invite, is no further use.
        log = log
            .did(guest(n), join(&n.to_string(), invite(1)))
            .did(guest(n), Command::Leave { reason: LeaveReason::Left })
            .did(guest(n), join(&n.to_string(), invite(1)));
    }
    assert_eq!(log.room().invites[&invite(1).id].uses, 3);
    assert_eq!(ask(&log, DAN, join("Dan", invite(1))), Err("invite_used_up"));
    assert!(ask(&log, DAN, join("Dan", InviteTerms { max_uses: None, ..invite(2) })).is_ok());
}

#[test]
fn an_invite_that_the_room_first_hears_of_is_noted_and_counted() {
    let log = RoomLog::open().did(DAN, join("Dan", InviteTerms { max_uses: Some(1), ..invite(1) }));
    let known = log.room().invites[&invite(1).id];
    assert_eq!(
        (known.uses, known.terms.max_uses, log.room().members[&DAN].invite),
        (1, Some(1), Some(invite(1).id))
    );
    assert_eq!(ask(&log, CLEO, join("Cleo", known.terms)), Err("invite_used_up"));
    assert_eq!(ask(&log.did(ADA, revoke(1)), CLEO, join("Cleo", known.terms)), Err("invite_revoked"));
}

#[test]
fn an_invite_ends_by_the_clock() {
    let log = RoomLog::open().did(ADA, create(invite(1)));
    assert!(ask(&log.clone().after_us(3_589_000_000), DAN, join("Dan", invite(1))).is_ok());
    let late = log.after_us(3_590_000_000);
    assert_eq!(ask(&late, DAN, join("Dan", invite(1))), Err("invite_expired"));
    let later = InviteTerms { expires_at_s: u64::MAX, ..invite(2) };
    let noted = late.did(ADA, create(later));
    assert_eq!(
        noted.room().invites.keys().copied().collect::<Vec<_>>(),
        [later.id],
        "the other is forgotten"
    );
}

#[test]
fn a_bad_invite_raises_nothing_and_keeps_out_nobody_who_is_known() {
    let dj = InviteTerms { role: Role::Dj, ..invite(1) };
    let gone = |log: RoomLog| log.did(CLEO, Command::Leave { reason: LeaveReason::Left });
    let role = |log: &RoomLog| match &ask(log, CLEO, join("Cleo", dj)).unwrap()[..] {
        [RoomEvent::UserJoined { role, invite: None, .. }] => *role,
        events => panic!("{events:?}"),
    };
    let log = gone(RoomLog::with_people().did(ADA, create(dj)));
    assert_eq!(role(&log), Role::Dj);
    assert_eq!(role(&log.did(ADA, revoke(1))), Role::Listener);
}

#[test]
fn the_invite_of_who_is_removed_is_revoked() {
    let log = RoomLog::open()
        .did(CLEO, join("Cleo", invite(1)))
        .did(BEN, join("Ben", invite(2)))
        .did(ADA, Command::RemoveMember { user: CLEO, may_return: false });
    assert_eq!(ask(&log, DAN, join("Cleo's other key", invite(1))), Err("invite_revoked"));
    assert!(ask(&log, DAN, join("Dan", invite(2))).is_ok());
    assert!(log.room().present(BEN).is_some());
    let sent_out = log.did(ADA, Command::RemoveMember { user: BEN, may_return: true });
    assert!(ask(&sent_out, DAN, join("Dan", invite(2))).is_ok(), "who may return takes no invite along");
}

#[test]
fn invites_have_a_limit_which_expired_ones_do_not_fill() {
    let many = Room::INVITES_MAX as u64;
    let log = (0..many).fold(RoomLog::open(), |log, n| log.did(ADA, create(invite(n))));
    assert_eq!(ask(&log, ADA, create(invite(many))), Err("too_many"));
    assert_eq!(ask(&log, DAN, join("Dan", invite(many))), Err("too_many"));
    assert!(ask(&log, DAN, join("Dan", invite(7))).is_ok());
    let later = log.after_us(4_000_000_000);
    assert!(ask(&later, ADA, create(InviteTerms { expires_at_s: u64::MAX, ..invite(many) })).is_ok());
}
