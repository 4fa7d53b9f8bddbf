//! Coming, going, roles, settings and how people present themselves.

use crate::{NOTHING, ask};
use synx_domain::{
    Command, LeaveReason, MusicalPreferences, PlaybackControl, Role, RoomEvent, RoomSettings, SettingsChange,
    UserProfile, Visibility,
};
use synx_testkit::events::{ADA, BEN, CLEO, DAN, ROOM, RoomLog, profile, settings, track};

fn join(name: &str, role: Role) -> Command {
    Command::Join { profile: profile(name), role, invite: None }
}

fn leave(reason: LeaveReason) -> Command {
    Command::Leave { reason }
}

/// A command of each kind that a person sends, all of them valid in themselves.
fn anything_a_person_asks() -> Vec<Command> {
    let (track, id) = (track(1).hash, RoomLog::empty().last_command());
    vec![
        leave(LeaveReason::Left),
        Command::RemoveMember { user: BEN, may_return: true },
        Command::LiftBan { user: BEN },
        Command::ChangeRole { user: BEN, role: Role::Dj },
        Command::UpdateSettings { change: SettingsChange::default() },
        Command::PostChatMessage { text: "hi".to_owned() },
        Command::AddComment { track, position_us: 0, end_us: None, text: "hi".to_owned(), reply_to: None },
        Command::ResolveComment { comment: id, done: true },
        Command::StartUpload { hash: track, file_name: "a.mp3".to_owned(), size_bytes: 1 },
        Command::GiveUpUpload { hash: track },
        Command::Enqueue { track, index: None },
        Command::Enqueue { track, index: Some(0) },
        Command::Dequeue { id },
        Command::MoveInQueue { id, index: 0 },
        Command::Play { track: None },
        Command::Play { track: Some(track) },
        Command::Pause,
        Command::Seek { position_us: 0 },
        Command::Skip { to: None },
        Command::UpdateProfile { profile: profile("Dan") },
        Command::UpdateMusicalPreferences { preferences: MusicalPreferences::default() },
    ]
}

#[test]
fn a_room_is_created_once() {
    let create = Command::CreateRoom { profile: profile("Ada"), settings: settings() };
    let created = RoomEvent::RoomCreated { host: ADA, profile: profile("Ada"), settings: settings() };
    assert_eq!(ask(&RoomLog::empty(), ADA, create.clone()), Ok(vec![created]));
    assert_eq!(ask(&RoomLog::open(), ADA, create.clone()), Err("room_exists"));
    assert_eq!(ask(&RoomLog::open(), BEN, create), Err("room_exists"));

    let room = RoomLog::open().room().clone();
    assert_eq!((room.id, room.host, room.present(ADA).unwrap().role), (Some(ROOM), Some(ADA), Role::Host));
}

#[test]
fn nothing_is_possible_in_a_room_that_does_not_exist() {
    for command in anything_a_person_asks() {
        assert_eq!(ask(&RoomLog::empty(), ADA, command), Err("no_such_room"));
    }
}

#[test]
fn strangers_and_those_who_left_can_only_join() {
    let left = RoomLog::open().joined(DAN, "Dan", Role::Dj).did(DAN, leave(LeaveReason::Left));
    for log in [RoomLog::with_people(), left] {
        for command in anything_a_person_asks() {
            assert_eq!(ask(&log, DAN, command.clone()), Err("not_a_member"), "{command:?}");
        }
        assert!(ask(&log, DAN, join("Dan", Role::Listener)).is_ok());
    }
}

#[test]
fn an_invite_gives_at_most_the_dj_role() {
    let joined =
        |role| Ok(vec![RoomEvent::UserJoined { user: DAN, profile: profile("Dan"), role, invite: None }]);
    for (invited, given) in [(Role::Listener, Role::Listener), (Role::Dj, Role::Dj), (Role::Host, Role::Dj)] {
        assert_eq!(ask(&RoomLog::open(), DAN, join("Dan", invited)), joined(given));
    }
}

#[test]
fn joining_again_while_present_only_renews_the_profile() {
    let log = RoomLog::with_people();
    assert_eq!(ask(&log, BEN, join("Ben", Role::Listener)), NOTHING);
    let renamed = RoomEvent::ProfileUpdated { user: BEN, profile: profile("Benny") };
    assert_eq!(ask(&log, BEN, join("Benny", Role::Listener)), Ok(vec![renamed]));
}

#[test]
fn who_comes_back_keeps_role_and_taste() {
    let preferences = MusicalPreferences { genres: vec!["soul".to_owned()], ..Default::default() };
    let log = RoomLog::with_people()
        .did(BEN, Command::UpdateMusicalPreferences { preferences: preferences.clone() })
        .did(BEN, leave(LeaveReason::ConnectionLost));
    let gone = &log.room().members[&BEN];
    assert_eq!((gone.present, gone.left), (false, Some(LeaveReason::ConnectionLost)));

    let log = log.joined(BEN, "Ben", Role::Listener);
    let back = log.room().present(BEN).unwrap();
    assert_eq!((back.role, back.left, &back.preferences), (Role::Dj, None, &preferences));
}

#[test]
fn the_host_comes_back_as_host_even_into_a_full_room() {
    let change = SettingsChange { max_participants: Some(1), ..Default::default() };
    let log = RoomLog::with_people()
        .did(ADA, Command::UpdateSettings { change })
        .did(ADA, leave(LeaveReason::Left))
        .joined(ADA, "Ada", Role::Listener);
    assert_eq!(log.room().present(ADA).unwrap().role, Role::Host);
}

#[test]
fn a_full_room_refuses_until_somebody_leaves() {
    let change = SettingsChange { max_participants: Some(3), ..Default::default() };
    let full = RoomLog::with_people().did(ADA, Command::UpdateSettings { change });
    assert_eq!(ask(&full, DAN, join("Dan", Role::Dj)), Err("room_full"));
    let room_for_one = full.did(CLEO, leave(LeaveReason::Left));
    assert!(ask(&room_for_one, DAN, join("Dan", Role::Dj)).is_ok());
}

#[test]
fn the_host_removes_for_good_and_nobody_else_can() {
    let log = RoomLog::with_people();
    let remove = |user| Command::RemoveMember { user, may_return: false };
    assert_eq!(ask(&log, BEN, remove(CLEO)), Err("not_allowed"));
    assert_eq!(ask(&log, CLEO, leave(LeaveReason::Removed)), Err("not_allowed"));
    assert_eq!(ask(&log, ADA, remove(DAN)), Err("no_such_member"));
    assert_eq!(ask(&log, ADA, remove(ADA)), Err("host_stays"));

    let log = log.did(ADA, remove(CLEO));
    assert_eq!(log.room().members[&CLEO].left, Some(LeaveReason::Removed));
    assert_eq!(ask(&log, CLEO, join("Cleo", Role::Dj)), Err("removed"));
    assert_eq!(ask(&log, CLEO, Command::PostChatMessage { text: "hey".to_owned() }), Err("not_a_member"));

    assert_eq!(ask(&log, BEN, Command::LiftBan { user: CLEO }), Err("not_allowed"));
    assert_eq!(ask(&log, ADA, Command::LiftBan { user: BEN }), Ok(vec![]));
    let log = log.did(ADA, Command::LiftBan { user: CLEO });
    assert!(ask(&log, CLEO, join("Cleo", Role::Listener)).is_ok());
}

#[test]
fn who_was_sent_out_may_come_back_but_cannot_say_so_oneself() {
    let log = RoomLog::with_people();
    assert_eq!(ask(&log, CLEO, leave(LeaveReason::SentOut)), Err("not_allowed"));
    let log = log.did(ADA, Command::RemoveMember { user: CLEO, may_return: true });
    assert_eq!(log.room().members[&CLEO].left, Some(LeaveReason::SentOut));
    assert!(ask(&log, CLEO, join("Cleo", Role::Listener)).is_ok());
}

#[test]
fn the_host_gives_and_takes_roles_but_not_the_hosts() {
    let log = RoomLog::with_people();
    let change = |user, role| Command::ChangeRole { user, role };
    let changed = RoomEvent::RoleChanged { user: CLEO, role: Role::Dj };
    assert_eq!(ask(&log, ADA, change(CLEO, Role::Dj)), Ok(vec![changed]));
    assert_eq!(ask(&log, BEN, change(CLEO, Role::Dj)), Err("not_allowed"));
    assert_eq!(ask(&log, ADA, change(DAN, Role::Dj)), Err("no_such_member"));
    assert_eq!(ask(&log, ADA, change(BEN, Role::Host)), Err("host_stays"));
    assert_eq!(ask(&log, ADA, change(ADA, Role::Listener)), Err("host_stays"));

    let log = log.did(ADA, change(CLEO, Role::Dj));
    assert_eq!(ask(&log, ADA, change(CLEO, Role::Dj)), NOTHING);
}

#[test]
fn a_better_invite_raises_a_role_unless_the_host_chose_it() {
    let again = |log: RoomLog, user, name| {
        let log = log.did(user, leave(LeaveReason::Left)).joined(user, name, Role::Dj);
        log.room().present(user).unwrap().role
    };
    assert_eq!(again(RoomLog::with_people(), CLEO, "Cleo"), Role::Dj);

    let demoted = RoomLog::with_people().did(ADA, Command::ChangeRole { user: BEN, role: Role::Listener });
    assert_eq!(again(demoted.clone(), BEN, "Ben"), Role::Listener);
    let returned = demoted.did(BEN, leave(LeaveReason::Left)).joined(BEN, "Ben", Role::Dj);
    assert_eq!(again(returned, BEN, "Ben"), Role::Listener);
}

#[test]
fn the_host_changes_what_is_named_and_the_rest_stays() {
    let log = RoomLog::with_people();
    let change = SettingsChange {
        name: Some("Saturday".to_owned()),
        visibility: Some(Visibility::Public),
        playback_control: Some(PlaybackControl::Everyone),
        ..Default::default()
    };
    let update = Command::UpdateSettings { change: change.clone() };
    assert_eq!(ask(&log, BEN, update.clone()), Err("not_allowed"));
    assert_eq!(ask(&log, ADA, update.clone()), Ok(vec![RoomEvent::SettingsUpdated { change }]));

    let log = log.did(ADA, update.clone());
    let expected = RoomSettings {
        name: "Saturday".to_owned(),
        visibility: Visibility::Public,
        playback_control: PlaybackControl::Everyone,
        ..settings()
    };
    assert_eq!(log.room().settings, Some(expected));
    assert_eq!(ask(&log, ADA, update), NOTHING);
}

#[test]
fn settings_have_bounds() {
    let update = |change| ask(&RoomLog::open(), ADA, Command::UpdateSettings { change });
    let named = |name: String| update(SettingsChange { name: Some(name), ..Default::default() });
    let limited = |limit| update(SettingsChange { max_participants: Some(limit), ..Default::default() });
    let genres = |genres| update(SettingsChange { genres: Some(genres), ..Default::default() });

    assert!(named("x".repeat(80)).is_ok() && limited(1).is_ok() && limited(1000).is_ok());
    let archived = |days| update(SettingsChange { archive_after_days: Some(days), ..Default::default() });
    assert!(genres(vec!["techno".to_owned(); 16]).is_ok() && archived(36_500).is_ok());
    for refused in [
        named("x".repeat(81)),
        named(" ".to_owned()),
        named("a\nb".to_owned()),
        limited(0),
        limited(1001),
        archived(36_501),
        genres(vec!["techno".to_owned(); 17]),
        genres(vec![String::new()]),
    ] {
        assert_eq!(refused, Err("invalid"));
    }
}

#[test]
fn a_picture_is_kept_of_those_who_are_there() {
    let picture = Some("A".repeat(4267) + "=");
    let drawn = UserProfile { picture: picture.clone(), ..profile("Ben") };
    let log = RoomLog::with_people().did(BEN, Command::UpdateProfile { profile: drawn.clone() });
    assert_eq!(log.room().members[&BEN].profile.picture, picture);
    let log = log.did(BEN, Command::Leave { reason: LeaveReason::Left });
    assert_eq!(log.room().members[&BEN].profile, profile("Ben"));
    let log = log.did(BEN, Command::Join { profile: drawn, role: Role::Listener, invite: None });
    assert_eq!(log.room().members[&BEN].profile.picture, picture);
}

#[test]
fn a_profile_is_checked_wherever_it_is_given() {
    let colored = |color: &str| UserProfile { color: Some(color.to_owned()), ..profile("Ben") };
    let with_bio = |bio: String| UserProfile { bio: Some(bio), ..profile("Ben") };
    let drawn = |picture: String| UserProfile { picture: Some(picture), ..profile("Ben") };
    let pixels = || "Az9+/".repeat(1000)[..4267].to_owned();
    let bad = [
        profile(""),
        profile(&"x".repeat(41)),
        profile("Be\u{7}n"),
        colored("red"),
        colored("#12345"),
        colored("#12345g"),
        with_bio("x".repeat(501)),
        with_bio("\u{1b}[31m".to_owned()),
        drawn(String::new()),
        drawn(pixels()),
        drawn(pixels() + "=="),
        drawn(pixels()[1..].to_owned() + "\u{1b}="),
        drawn("é".repeat(2134)),
    ];
    for profile in bad {
        let join = Command::Join { profile: profile.clone(), role: Role::Listener, invite: None };
        let create = Command::CreateRoom { profile: profile.clone(), settings: settings() };
        assert_eq!(ask(&RoomLog::open(), DAN, join), Err("invalid"), "{profile:?}");
        assert_eq!(ask(&RoomLog::empty(), DAN, create), Err("invalid"));
        assert_eq!(ask(&RoomLog::with_people(), BEN, Command::UpdateProfile { profile }), Err("invalid"));
    }
    for profile in
        [profile(&"é".repeat(40)), colored("#A0b1C2"), with_bio("one\ntwo".to_owned()), drawn(pixels() + "=")]
    {
        let updated = RoomEvent::ProfileUpdated { user: BEN, profile: profile.clone() };
        let log = RoomLog::with_people();
        assert_eq!(ask(&log, BEN, Command::UpdateProfile { profile: profile.clone() }), Ok(vec![updated]));
        let log = log.did(BEN, Command::UpdateProfile { profile: profile.clone() });
        assert_eq!(log.room().members[&BEN].profile, profile);
        assert_eq!(ask(&log, BEN, Command::UpdateProfile { profile }), NOTHING);
    }
}

#[test]
fn a_tempo_range_rises_within_bounds() {
    let with_range = |slowest, fastest| {
        let preferences =
            MusicalPreferences { tempo_range_bpm: Some((slowest, fastest)), ..Default::default() };
        ask(&RoomLog::with_people(), BEN, Command::UpdateMusicalPreferences { preferences })
    };
    assert!(with_range(20.0, 400.0).is_ok() && with_range(120.0, 120.0).is_ok());
    for (slowest, fastest) in [(19.9, 100.0), (100.0, 400.1), (130.0, 120.0), (f64::NAN, 120.0)] {
        assert_eq!(with_range(slowest, fastest), Err("invalid"));
    }
    let unchanged = Command::UpdateMusicalPreferences { preferences: MusicalPreferences::default() };
    assert_eq!(ask(&RoomLog::with_people(), BEN, unchanged), NOTHING);
}
