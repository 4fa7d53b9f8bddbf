//! Names within a room: no two people's look the same.
//!
//! A name is its holder's for as long as the room remembers them, also while they are gone: the key holds it, not the
//! connection. Who comes in under a name that another key holds gets a number behind it ("Ben (2)"), the lowest that is
//! free, and so the same one again; who changes their name to such a one is refused.

use crate::{Room, UserId, validate};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// What two names have in common when a reader would take one for the other: compatible forms, letters of other scripts
/// that look alike, case, white space and invisible characters make no difference.
fn key(name: &str) -> String {
    let plain: String = name.nfkc().filter(|c| !validate::is_invisible(*c)).collect();
    let mut key = String::new();
    for word in plain.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        for c in word.chars().flat_map(char::to_lowercase) {
            match c.is_ascii() {
                true => key.push(c),
                // Of ASCII itself only case is folded: `1` and `l` are told apart as everywhere.
                false => key.extend(skeleton(c.encode_utf8(&mut [0; 4])).flat_map(char::to_lowercase)),
            }
        }
    }
    key
}

/// Whether a name has this key; most names are plain, and need no memory to be compared.
fn has_key(name: &str, wanted: &str) -> bool {
    if !name.is_ascii() {
        return key(name) == wanted;
    }
    let mut rest = wanted.as_bytes();
    for (nth, word) in name.split_ascii_whitespace().enumerate() {
        let after_space = if nth == 0 { Some(rest) } else { rest.strip_prefix(b" ") };
        let found = after_space.and_then(|rest| rest.split_at_checked(word.len()));
        match found.filter(|(head, _)| head.eq_ignore_ascii_case(word.as_bytes())) {
            Some((_, tail)) => rest = tail,
            None => return false,
        }
    }
    rest.is_empty()
}

impl Room {
    /// Whether somebody else holds this name, or one that looks like it.
    pub(crate) fn is_taken(&self, user: UserId, name: &str) -> bool {
        let wanted = key(name);
        self.members.iter().any(|(other, member)| *other != user && has_key(&member.profile.name, &wanted))
    }

    /// The name, or, where somebody else holds it, with the lowest free number behind it.
    pub(crate) fn free_name(&self, user: UserId, name: &str) -> String {
        if !self.is_taken(user, name) {
            return name.to_owned();
        }
        let others = self.members.iter().filter(|(other, _)| **other != user);
        let taken: BTreeSet<String> = others.map(|(_, member)| key(&member.profile.name)).collect();
        // More numbers than people are never needed.
        let mut numbered = (2..self.members.len() + 3).map(|number| {
            let suffix = format!(" ({number})");
            let kept = validate::NAME_MAX_CHARS - suffix.len();
            name.chars().take(kept).collect::<String>().trim_end().to_owned() + &suffix
        });
        numbered.find(|numbered| !taken.contains(&key(numbered))).unwrap_or_else(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_has_the_same_key() {
        for alike in ["ben", " BEN ", "B\u{435}n", "Be\u{200b}n", "\u{ff22}en", "Ben\u{a0}", "\u{feff}Ben"] {
            assert_eq!(key(alike), key("Ben"), "{alike:?}");
            assert!(has_key(alike, &key("Ben")), "{alike:?}");
        }
        assert_eq!(key("Ana  Maria"), key("ana\u{2003}maria"));
        assert!(has_key("ana \t MARIA", &key("Ana Maria")));
        for other in ["Benn", "Be", "B en", "Ben 2", ""] {
            assert_ne!(key(other), key("Ben"), "{other:?}");
            assert!(!has_key(other, &key("Ben")), "{other:?}");
        }
    }
}
