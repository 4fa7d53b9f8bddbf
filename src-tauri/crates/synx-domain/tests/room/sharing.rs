//! Words, and audio from its upload to its analysis.

use crate::{NOTHING, ask};
use synx_domain::{
    Command, QueueChange, QueueItem, Role, Room, RoomEvent, TrackAnalysis, TrackMeta, TrackState,
};
use synx_testkit::events::{
    ADA, BEN, CLEO, DAN, LEAD_US, RoomLog, TRACK_US, analysis, command_id, hash, track,
};

fn upload(n: u8) -> Command {
    Command::StartUpload { hash: hash(n), file_name: format!("{n}.flac"), size_bytes: 21_000_000 }
}

fn fail(n: u8) -> Command {
    let (code, reason) = ("unsupported_format".to_owned(), "No sound\0 in it".to_owned());
    Command::FailProcessing { hash: hash(n), file_name: format!("{n}.flac"), code, reason }
}

fn state(log: &RoomLog, n: u8) -> &TrackState {
    &log.room().tracks[&hash(n)].state
}

#[test]
fn anybody_in_the_room_may_chat() {
    let log = RoomLog::with_people();
    let say = |text: &str| Command::PostChatMessage { text: text.to_owned() };
    for text in ["hi", "two\nlines\tand a tab", &"x".repeat(4000)] {
        let posted = RoomEvent::ChatMessagePosted { text: text.to_owned() };
        assert_eq!(ask(&log, CLEO, say(text)), Ok(vec![posted]));
    }
    for text in ["", " \n ", "bell\u{7}", &"x".repeat(4001)] {
        assert_eq!(ask(&log, CLEO, say(text)), Err("invalid"), "{text:?}");
    }
    let said = log.did(CLEO, say("hi"));
    let last = said.room().chat.back().unwrap();
    assert_eq!((last.author, last.text.as_str(), last.seq), (CLEO, "hi", said.room().seq));
}

#[test]
fn the_room_keeps_the_last_messages_only() {
    let say = |n: usize| Command::PostChatMessage { text: n.to_string() };
    let log = (0..Room::CHAT_KEPT + 3).fold(RoomLog::open(), |log, n| log.did(ADA, say(n)));
    let chat = &log.room().chat;
    assert_eq!((chat.len(), chat[0].text.as_str()), (Room::CHAT_KEPT, "3"));
}

#[test]
fn a_comment_lies_within_its_track() {
    let log = RoomLog::with_people().shared(1);
    let comment = |position_us, end_us| {
        let (text, reply_to) = ("here".to_owned(), None);
        ask(&log, CLEO, Command::AddComment { track: hash(1), position_us, end_us, text, reply_to })
    };
    for (position_us, end_us) in [(0, None), (TRACK_US, None), (5, Some(5)), (0, Some(TRACK_US))] {
        assert!(comment(position_us, end_us).is_ok());
    }
    for (position_us, end_us) in
        [(-1, None), (TRACK_US + 1, None), (5, Some(4)), (5, Some(TRACK_US + 1)), (i64::MIN, Some(i64::MAX))]
    {
        assert_eq!(comment(position_us, end_us), Err("invalid"));
    }
}

#[test]
fn a_comment_answers_one_of_the_same_track() {
    let say = |track, text: &str, reply_to| Command::AddComment {
        track: hash(track),
        position_us: 0,
        end_us: None,
        text: text.to_owned(),
        reply_to,
    };
    let log = RoomLog::with_people().shared(1).shared(2).did(BEN, say(1, "one", None));
    let first = log.last_command();
    let log = log.did(CLEO, say(1, "two", Some(first)));
    let answer = &log.room().comments[1];
    assert_eq!((answer.author, answer.reply_to, answer.id), (CLEO, Some(first), log.last_command()));

    assert_eq!(ask(&log, CLEO, say(2, "three", Some(first))), Err("no_such_comment"));
    assert_eq!(ask(&log, CLEO, say(1, "three", Some(command_id(999)))), Err("no_such_comment"));
    assert_eq!(ask(&log, CLEO, say(3, "three", None)), Err("no_such_track"));
    assert_eq!(ask(&log, CLEO, say(1, "", None)), Err("invalid"));
}

#[test]
fn a_comment_is_called_done_by_anybody_and_open_again() {
    let comment = Command::AddComment {
        track: hash(1),
        position_us: 0,
        end_us: None,
        text: "late".to_owned(),
        reply_to: None,
    };
    let log = RoomLog::with_people().shared(1).did(BEN, comment.clone());
    let (first, resolve) = (log.last_command(), |comment, done| Command::ResolveComment { comment, done });
    let log = log.did(CLEO, resolve(first, true));
    assert!(log.room().comments[0].done);
    assert_eq!(ask(&log, BEN, resolve(first, true)), Ok(vec![]));

    let Command::AddComment { track, text, .. } = comment else { unreachable!() };
    let answer = Command::AddComment { track, position_us: 0, end_us: None, text, reply_to: Some(first) };
    let log = log.did(BEN, resolve(first, false)).did(CLEO, answer);
    assert!(!log.room().comments[0].done);
    assert_eq!(ask(&log, BEN, resolve(log.last_command(), true)), Err("no_such_comment"));
    assert_eq!(ask(&log, BEN, resolve(command_id(999), true)), Err("no_such_comment"));
}

#[test]
fn an_upload_becomes_a_queued_track() {
    let log = RoomLog::with_people();
    let started =
        RoomEvent::UploadStarted { hash: hash(1), file_name: "1.flac".to_owned(), size_bytes: 21_000_000 };
    assert_eq!(ask(&log, CLEO, upload(1)), Ok(vec![started]));

    let log = log.did(CLEO, upload(1));
    assert!(matches!(state(&log, 1), TrackState::Uploading { .. }));
    assert_eq!(ask(&log, CLEO, Command::Enqueue { track: hash(1), index: None }), Err("no_such_track"));

    let log = log.did(CLEO, Command::ShareTrack { track: track(1) });
    let item = QueueItem { id: log.last_command(), track: hash(1), added_by: CLEO };
    let last: Vec<_> = log.envelopes().iter().rev().take(3).rev().map(|e| e.event.clone()).collect();
    let expected = [
        RoomEvent::UploadCompleted { hash: hash(1) },
        RoomEvent::FileShared { track: track(1) },
        RoomEvent::QueueChanged(QueueChange::Added { item, index: 0 }),
    ];
    assert_eq!(last, expected);
    assert_eq!(
        (log.room().playable(hash(1)), log.room().tracks[&hash(1)].shared_by),
        (Some(&track(1)), CLEO)
    );
}

#[test]
fn a_track_that_is_here_already_is_only_queued() {
    let log = RoomLog::with_people().shared(1);
    for command in [upload(1), Command::ShareTrack { track: track(1) }] {
        let events = ask(&log, BEN, command).unwrap();
        assert!(
            matches!(&events[..], [RoomEvent::QueueChanged(QueueChange::Added { item, index: 1 })] if item.added_by == BEN)
        );
    }
}

#[test]
fn a_running_upload_is_announced_once_unless_its_length_was_wrong() {
    let log = RoomLog::with_people().did(CLEO, upload(1));
    assert_eq!(ask(&log, BEN, upload(1)), Ok(vec![]));
    let other = Command::StartUpload { hash: hash(1), file_name: "1.flac".to_owned(), size_bytes: 9 };
    assert!(ask(&log, BEN, other).is_ok_and(|events| events.len() == 1));
    assert!(ask(&log.did(CLEO, fail(1)), BEN, upload(1)).is_ok_and(|events| events.len() == 1));
}

#[test]
fn a_file_name_is_a_name() {
    let start = |file_name: &str| {
        let command = Command::StartUpload { hash: hash(1), file_name: file_name.to_owned(), size_bytes: 1 };
        ask(&RoomLog::with_people(), CLEO, command)
    };
    assert!(start("Ünïcödé ♫.mp3").is_ok() && start(&"x".repeat(255)).is_ok());
    for name in ["", " ", ".", "..", "a/b.mp3", "..\\b.mp3", "a\0b", &"x".repeat(256)] {
        assert_eq!(start(name), Err("invalid"), "{name:?}");
        let track = TrackMeta { file_name: name.to_owned(), ..track(1) };
        assert_eq!(ask(&RoomLog::open(), ADA, Command::ShareTrack { track }), Err("invalid"));
    }
}

#[test]
fn tags_are_made_tidy_and_an_empty_track_is_refused() {
    let odd = TrackMeta {
        title: "\u{1b} ".to_owned(),
        artist: Some(format!("A\nB{}", "x".repeat(1000))),
        album: Some("\0".to_owned()),
        ..track(1)
    };
    let log = RoomLog::open().did(ADA, Command::ShareTrack { track: odd });
    let kept = log.room().playable(hash(1)).unwrap();
    assert_eq!((kept.title.as_str(), &kept.album), ("1.flac", &None));
    let artist = kept.artist.as_deref().unwrap();
    assert!(artist.starts_with("A Bx") && artist.chars().count() == 300);

    let empty = TrackMeta { duration_us: 0, ..track(1) };
    assert_eq!(ask(&RoomLog::open(), ADA, Command::ShareTrack { track: empty }), Err("invalid"));
}

#[test]
fn what_cannot_be_used_is_said_and_may_be_tried_again() {
    let log = RoomLog::with_people().did(CLEO, upload(1)).did(ADA, fail(1));
    assert!(matches!(state(&log, 1), TrackState::Failed { reason, .. } if reason == "No sound  in it"));
    assert_eq!(log.room().tracks[&hash(1)].shared_by, CLEO);
    assert!(matches!(state(&log.clone().did(CLEO, upload(1)), 1), TrackState::Uploading { .. }));
    assert!(matches!(state(&RoomLog::open().did(ADA, fail(9)), 9), TrackState::Failed { .. }));
}

#[test]
fn an_upload_is_given_up_by_who_announced_it_or_who_controls_the_queue() {
    let give_up = || Command::GiveUpUpload { hash: hash(1) };
    let given_up = RoomEvent::ProcessingFailed {
        hash: hash(1),
        file_name: "1.flac".to_owned(),
        code: "upload_given_up".to_owned(),
        reason: "The upload was given up.".to_owned(),
    };
    let log = RoomLog::with_people().did(CLEO, upload(1));
    for actor in [CLEO, BEN, ADA] {
        assert_eq!(ask(&log, actor, give_up()), Ok(vec![given_up.clone()]), "{actor}");
    }
    let by_ben = RoomLog::with_people().did(BEN, upload(1));
    assert_eq!(ask(&by_ben, CLEO, give_up()), Err("not_allowed"));
    assert_eq!(ask(&by_ben, DAN, give_up()), Err("not_a_member"));

    let log = log.did(CLEO, give_up());
    assert!(matches!(state(&log, 1), TrackState::Failed { code, .. } if code == TrackState::GIVEN_UP));
    assert_eq!(ask(&log, CLEO, give_up()), NOTHING, "it is so already");
    assert!(ask(&log, CLEO, upload(1)).is_ok_and(|events| events.len() == 1), "it may come after all");
}

#[test]
fn only_what_is_on_its_way_is_given_up() {
    let give_up = |n| Command::GiveUpUpload { hash: hash(n) };
    let log = RoomLog::with_people().shared(1).did(CLEO, upload(2)).did(ADA, fail(2));
    for n in [1, 2, 3] {
        assert_eq!(ask(&log, ADA, give_up(n)), Err("no_such_upload"));
    }
}

#[test]
fn whoever_announces_an_upload_again_has_announced_it() {
    let by = |log: &RoomLog| log.room().tracks[&hash(1)].shared_by;
    let longer = Command::StartUpload { hash: hash(1), file_name: "1.flac".to_owned(), size_bytes: 9 };
    let log = RoomLog::with_people().did(CLEO, upload(1)).did(CLEO, fail(1)).did(BEN, upload(1));
    assert_eq!(by(&log), BEN, "after it failed");
    assert_eq!(by(&log.clone().did(CLEO, upload(1))), BEN, "said once is enough");
    assert_eq!(by(&log.did(CLEO, longer)), CLEO, "with another length");
    let shared = RoomLog::open().shared(1);
    let again = RoomEvent::UploadStarted { hash: hash(1), file_name: "x".to_owned(), size_bytes: 1 };
    assert_eq!(
        by(&shared.clone().with(DAN, again)),
        by(&shared),
        "what is shared stays theirs who shared it"
    );
}

#[test]
fn a_playable_track_stays_so() {
    let log = RoomLog::open()
        .shared(1)
        .did(ADA, fail(1))
        .with(DAN, RoomEvent::UploadStarted { hash: hash(1), file_name: "x".to_owned(), size_bytes: 1 });
    let log = log.with(DAN, RoomEvent::UploadCompleted { hash: hash(1) });
    assert_eq!(state(&log, 1), &TrackState::Shared);
}

#[test]
fn an_analysis_is_kept_with_its_track() {
    let log = RoomLog::open().shared(1);
    let record = |n, analysis| Command::RecordAnalysis { hash: hash(n), analysis };
    assert_eq!(ask(&log, ADA, record(2, analysis())), Err("no_such_track"));

    let log = log.did(ADA, record(1, analysis()));
    assert_eq!(log.room().tracks[&hash(1)].analysis, Some(analysis()));
    assert_eq!(ask(&log, ADA, record(1, analysis())), NOTHING);
    let better = TrackAnalysis { analyser_version: 2, ..analysis() };
    assert!(matches!(&ask(&log, ADA, record(1, better)).unwrap()[..], [RoomEvent::AudioAnalyzed { .. }]));
}

#[test]
fn an_analysis_that_json_cannot_carry_is_refused() {
    let good = analysis;
    for analysis in [
        TrackAnalysis { bpm: Some(f64::NAN), ..good() },
        TrackAnalysis { bpm: Some(0.0), ..good() },
        TrackAnalysis { bpm_confidence: f64::NAN, ..good() },
        TrackAnalysis { key_confidence: 1.1, ..good() },
        TrackAnalysis { first_beat_s: Some(f64::INFINITY), ..good() },
        TrackAnalysis { loudness_lufs: Some(f64::NEG_INFINITY), ..good() },
        TrackAnalysis { energy: 0, ..good() },
    ] {
        let command = Command::RecordAnalysis { hash: hash(1), analysis };
        assert_eq!(ask(&RoomLog::open().shared(1), ADA, command), Err("invalid"));
    }
}

#[test]
fn a_retried_command_is_recognised() {
    let say = || Command::PostChatMessage { text: "once".to_owned() };
    let mut log = RoomLog::with_people().shared(1).did(CLEO, say());
    let (id, seq) = (log.last_command(), log.room().seq);
    assert_eq!((log.room().applied(id), log.room().applied(command_id(999))), (Some(seq), None));

    for n in 0..Room::COMMANDS_KEPT {
        assert_eq!(log.room().applied(id), Some(seq), "forgotten after {n}");
        log = log.did(CLEO, say());
    }
    assert_eq!(log.room().applied(id), None);
}

#[test]
fn what_a_long_forgotten_command_made_is_not_made_twice() {
    let comment = || Command::AddComment {
        track: hash(1),
        position_us: LEAD_US,
        end_us: None,
        text: "here".to_owned(),
        reply_to: None,
    };
    let mut log = RoomLog::with_people().joined(DAN, "Dan", Role::Dj).shared(1).did(CLEO, comment());
    let commented = log.last_command();
    assert_eq!(log.send_as(commented, CLEO, comment()), Ok(vec![]));

    let queued = log.room().queue.items()[0].id;
    for command in [
        Command::Enqueue { track: hash(1), index: None },
        Command::ShareTrack { track: track(2) },
        Command::Play { track: Some(hash(1)) },
    ] {
        assert_eq!(log.send_as(queued, DAN, command), Ok(vec![]));
    }
}
