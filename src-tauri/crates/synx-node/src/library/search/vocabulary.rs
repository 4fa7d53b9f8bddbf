//! Every word that a track is called, and which of them a typed word may have meant.

use std::cmp::Ordering;

/// A typed word stands for at most this many others: more would find everything.
const OTHERS_MAX: usize = 200;
/// And a mistyped one for at most this many.
const GUESSES_MAX: usize = 8;
/// Shorter words are contained in too many others to mean them.
const INSIDE_FROM_CHARS: usize = 3;
/// From so many letters on one may be wrong, and from so many on two.
const ONE_WRONG_FROM_CHARS: usize = 4;
const TWO_WRONG_FROM_CHARS: usize = 7;

/// All words, in order.
#[derive(Debug, Default)]
pub struct Vocabulary {
    words: Vec<Box<str>>,
    /// The same, one a line, to look inside them all in one go.
    joined: String,
}

/// What a typed word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Words that begin with it, and these, which have it inside.
    AsTyped(Vec<String>),
    /// Nothing is called so; these are.
    Instead(Vec<String>),
    /// Nothing is called so, nor anything like it.
    Nothing,
}

impl Vocabulary {
    /// A vocabulary of words that come in any order.
    pub fn new(mut words: Vec<Box<str>>) -> Self {
        words.sort_unstable();
        let mut joined = String::with_capacity(words.iter().map(|word| word.len() + 1).sum());
        for word in &words {
            joined.push_str(word);
            joined.push('\n');
        }
        Self { words, joined }
    }

    /// What a word, plain, may have meant. Its last letters may be missing, as while typing.
    pub fn meaning(&self, typed: &str) -> Meaning {
        let chars: Vec<char> = typed.chars().collect();
        let inside = if chars.len() >= INSIDE_FROM_CHARS { self.inside(typed) } else { Vec::new() };
        if !inside.is_empty() || self.begins_with(typed) {
            return Meaning::AsTyped(inside);
        }
        let guesses = self.guesses(&chars);
        if guesses.is_empty() { Meaning::Nothing } else { Meaning::Instead(guesses) }
    }

    fn begins_with(&self, typed: &str) -> bool {
        let at = self.words.partition_point(|word| (**word).cmp(typed) == Ordering::Less);
        self.words.get(at).is_some_and(|word| word.starts_with(typed))
    }

    /// Words with `typed` inside of them, not at their beginning.
    fn inside(&self, typed: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (at, _) in self.joined.match_indices(typed) {
            let begin = self.joined[..at].rfind('\n').map_or(0, |line| line + 1);
            let end = self.joined[at..].find('\n').map_or(self.joined.len(), |line| at + line);
            let word = &self.joined[begin..end];
            if begin < at && found.last().is_none_or(|last| last != word) {
                found.push(word.to_owned());
            }
            if found.len() >= OTHERS_MAX {
                break;
            }
        }
        found
    }

    /// The words that are nearest to what was typed.
    fn guesses(&self, typed: &[char]) -> Vec<String> {
        let allowed = match typed.len() {
            TWO_WRONG_FROM_CHARS.. => 2,
            ONE_WRONG_FROM_CHARS.. => 1,
            _ => return Vec::new(),
        };
        let mut best = allowed;
        let mut found = Vec::new();
        let mut work = Work::default();
        for word in &self.words {
            let Some(wrong) = work.wrong(typed, word, best) else { continue };
            if wrong < best {
                best = wrong;
                found.clear();
            }
            if found.len() < GUESSES_MAX {
                found.push(word.to_string());
            }
        }
        found
    }
}

/// Three rows of the table of an optimal string alignment, used again from word to word.
#[derive(Default)]
struct Work {
    word: Vec<char>,
    before_last: Vec<usize>,
    last: Vec<usize>,
    this: Vec<usize>,
}

impl Work {
    /// How many letters are wrong, missing, too many or swapped between `typed` and the word or its beginning; none when
    /// more than `most`.
    fn wrong(&mut self, typed: &[char], word: &str, most: usize) -> Option<usize> {
        self.word.clear();
        // What is behind has no part in it: words are looked for from their beginning.
        self.word.extend(word.chars().take(typed.len() + most));
        if self.word.len() + most < typed.len() {
            return None;
        }
        let width = self.word.len() + 1;
        self.last.clear();
        self.last.extend(0..width);
        self.this.resize(width, 0);
        self.before_last.resize(width, 0);
        for (row, letter) in typed.iter().enumerate() {
            self.this[0] = row + 1;
            let mut least = row + 1;
            for column in 1..width {
                let same = usize::from(self.word[column - 1] != *letter);
                let mut wrong =
                    (self.last[column] + 1).min(self.this[column - 1] + 1).min(self.last[column - 1] + same);
                let swapped = row > 0
                    && column > 1
                    && self.word[column - 2] == *letter
                    && self.word[column - 1] == typed[row - 1];
                if swapped {
                    wrong = wrong.min(self.before_last[column - 2] + 1);
                }
                self.this[column] = wrong;
                least = least.min(wrong);
            }
            if least > most {
                return None;
            }
            std::mem::swap(&mut self.before_last, &mut self.last);
            std::mem::swap(&mut self.last, &mut self.this);
        }
        self.last[..width].iter().min().copied().filter(|wrong| *wrong <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(typed: &str) -> Meaning {
        let words =
            ["lantern", "lanterns", "northwater", "paper", "satellite", "tide", "line", "水曜日", "water"];
        Vocabulary::new(words.map(Into::into).to_vec()).meaning(typed)
    }

    fn instead(words: &[&str]) -> Meaning {
        Meaning::Instead(words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn words_are_found_by_their_beginning_and_from_inside() {
        assert_eq!(meaning("pap"), Meaning::AsTyped(vec![]));
        assert_eq!(meaning("water"), Meaning::AsTyped(vec!["northwater".to_owned()]));
        assert_eq!(meaning("曜日"), Meaning::Nothing);
        assert_eq!(meaning("水曜"), Meaning::AsTyped(vec![]));
    }

    #[test]
    fn typing_errors_are_forgiven_the_more_the_longer_the_word() {
        assert_eq!(meaning("nrothwater"), instead(&["northwater"]));
        assert_eq!(meaning("lantren"), instead(&["lantern", "lanterns"]));
        assert_eq!(meaning("sattelite"), instead(&["satellite"]));
        assert_eq!(meaning("papr"), instead(&["paper"]));
        assert_eq!(meaning("sattel"), instead(&["satellite"]));
        assert_eq!(meaning("tyd"), Meaning::Nothing);
        assert_eq!(meaning("xylophone"), Meaning::Nothing);
    }
}
