//! Text as it is compared: without case, accents and the width of letters. The same for sorting and for searching.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Digits in a run are compared as the number they are; runs longer than this are no number that anybody counts by.
const DIGITS: usize = 9;

/// Without case and accents.
pub fn plain(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// What a title is sorted by: plain, without leading signs, and with its numbers filled up, so that 9 comes before 10.
pub fn folded(text: &str) -> String {
    let plain = plain(text);
    let mut key = String::with_capacity(plain.len() + DIGITS);
    let mut digits = String::new();
    for c in plain.trim_start_matches(|c: char| !c.is_alphanumeric()).chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        (digits.len()..DIGITS).filter(|_| !digits.is_empty()).for_each(|_| key.push('0'));
        key.push_str(&digits);
        digits.clear();
        key.push(c);
    }
    key.pop();
    // What has no letter at all is still something, and comes after all that has.
    if key.is_empty() { format!("\u{10FFFF}{plain}") } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_width_do_not_matter() {
        assert_eq!(plain("CAFÉ del Mar"), plain("café DEL mar"));
        assert_eq!(plain("ＡＢＣ"), "abc");
        assert_eq!(plain("Ⅷ"), "viii");
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_signs_do_not_lead() {
        let mut titles = ["Part 10", "🎉", "“Part” 9", "part 2", "…And", "Zoë"];
        titles.sort_by_key(|title| folded(title));
        assert_eq!(titles, ["…And", "part 2", "Part 10", "“Part” 9", "Zoë", "🎉"]);
        assert!(folded("99999999999999999999") > folded("1"));
    }
}
