//! The labelled files: a manifest (CSV), and beside it the beats that are known.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use synx_analysis::Key;

/// A file and what is known about it.
pub struct Case {
    pub file: String,
    pub path: PathBuf,
    /// The part of the group before the dash: what files of one origin have in common.
    pub family: String,
    pub bpm: Option<f64>,
    pub key: Option<Key>,
    /// Seconds of the beats.
    pub beats_s: Option<Vec<f64>>,
}

impl Case {
    /// Whether it has neither tempo nor key.
    pub fn is_negative(&self) -> bool {
        self.family == "negative"
    }
}

/// Reads `manifest.csv` of a folder.
pub fn read(folder: &Path) -> io::Result<Vec<Case>> {
    let text = fs::read_to_string(folder.join("manifest.csv"))?;
    let mut lines = text.lines().map(fields);
    let header = lines.next().unwrap_or_default();
    lines
        .map(|row| {
            let row: HashMap<&str, &str> =
                header.iter().map(String::as_str).zip(row.iter().map(String::as_str)).collect();
            let field = |name: &str| row.get(name).copied().unwrap_or_default();
            let beats_s = match field("beats") {
                "" => None,
                name => Some(read_beats(&folder.join("beats").join(name))?),
            };
            Ok(Case {
                file: field("file").to_owned(),
                path: folder.join(field("file")),
                family: field("group").split('-').next().unwrap_or_default().to_owned(),
                bpm: field("bpm").parse().ok().filter(|bpm| *bpm > 0.0),
                key: field("key").parse().ok(),
                beats_s,
            })
        })
        .collect()
}

fn read_beats(path: &Path) -> io::Result<Vec<f64>> {
    let text = fs::read_to_string(path)?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect())
}

/// The fields of a CSV line; a quoted field may hold commas and doubled quotes.
fn fields(line: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = found.len() - 1;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                found[field].push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => found.push(String::new()),
            other => found[field].push(other),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_hold_commas_and_quotes() {
        assert_eq!(fields(r#"a,,"b, ""c""",d"#), ["a", "", r#"b, "c""#, "d"]);
    }
}
