//! An event as a sentence about people, for who reads the log. Names are the present ones.

mod english;
mod german;

use crate::bridge::LanguageView;
use synx_domain::{ContentHash, Envelope, Room, UserId};

/// What happened, in a few words.
pub fn summary(room: &Room, envelope: &Envelope, language: LanguageView) -> String {
    match language {
        LanguageView::En => english::summary(room, envelope),
        LanguageView::De => german::summary(room, envelope),
    }
}

fn name<'a>(room: &'a Room, user: UserId, unknown: &'a str) -> &'a str {
    room.members.get(&user).map_or(unknown, |member| &member.profile.name)
}

fn title<'a>(room: &'a Room, hash: ContentHash, unknown: &'a str) -> &'a str {
    room.playable(hash).map_or(unknown, |meta| &meta.title)
}

/// Minutes and seconds.
fn clock(position_us: i64) -> String {
    let seconds = position_us.max(0) / 1_000_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
