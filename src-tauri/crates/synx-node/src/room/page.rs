//! A room's history as a page to read: one HTML file that needs nothing else, and asks nobody for anything.
//!
//! Must never let what people wrote be anything but text.

use crate::bridge::{LanguageView, LogKindView};
use crate::history::utc;
use crate::past::kind_of;
use crate::room::summary::summary;
use std::io::{self, Write};
use synx_domain::{Envelope, Room};

/// What comes after the page's language.
const HEAD: &str = "\"><head><meta charset=\"utf-8\">\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\n\
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.7rem;margin:0}h2{font-size:1rem;border-bottom:1px solid #8886;margin:2rem 0 .5rem}\
p,li{overflow-wrap:anywhere}ol{list-style:none;padding:0}li{display:flex;gap:1rem;white-space:pre-wrap}\
time{color:#777;font-variant-numeric:tabular-nums;flex:none}.quiet{color:#777}</style>\n";

/// Writes pages of one room's events, in log order.
pub struct HistoryPage<W> {
    to: W,
    day: String,
    language: LanguageView,
}

impl<W: Write> HistoryPage<W> {
    /// Begins with what the room is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(mut to: W, room: &Room, language: LanguageView) -> io::Result<Self> {
        let name = room.settings.as_ref().map_or("", |settings| settings.name.as_str());
        let people: Vec<String> = room.members.values().map(|member| escaped(&member.profile.name)).collect();
        let name = escaped(name);
        let (seq, people) = (room.seq, people.join(", "));
        let (tag, about) = match language {
            LanguageView::En => ("en", format!("{seq} events. With {people}. Times are UTC.")),
            LanguageView::De => ("de", format!("{seq} Ereignisse. Mit {people}. Zeiten in UTC.")),
        };
        writeln!(to, "<!doctype html>\n<html lang=\"{tag}{HEAD}<title>{name}</title></head><body>")?;
        writeln!(to, "<h1>{name}</h1>\n<p class=\"quiet\">{about}</p>")?;
        Ok(Self { to, day: String::new(), language })
    }

    /// One event more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, room: &Room, envelope: &Envelope) -> io::Result<()> {
        let at = utc(envelope.occurred_at_ms);
        let (day, time) = at.split_once('T').unwrap_or((&at, ""));
        if day != self.day {
            if !self.day.is_empty() {
                writeln!(self.to, "</ol>")?;
            }
            writeln!(self.to, "<h2>{day}</h2>\n<ol>")?;
            day.clone_into(&mut self.day);
        }
        let loud = matches!(kind_of(&envelope.event), LogKindView::Chat | LogKindView::Notes);
        let class = if loud { "" } else { " class=\"quiet\"" };
        let (time, words) = (time.trim_end_matches('Z'), escaped(&summary(room, envelope, self.language)));
        writeln!(self.to, "<li{class}><time datetime=\"{at}\">{time}</time><span>{words}</span></li>")
    }

    /// Ends the page.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> io::Result<()> {
        let list = if self.day.is_empty() { "" } else { "</ol>" };
        writeln!(self.to, "{list}</body></html>")?;
        self.to.flush()
    }
}

/// Text that is nothing but text in a page. What turns the direction of reading around is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_testkit::events::{ADA, BEN, RoomLog};

    #[test]
    fn what_people_wrote_is_text_and_nothing_else() {
        let mean = "<script>alert(\"1\")</script>&amp; '\u{202e}x";
        let say = synx_domain::Command::PostChatMessage { text: mean.to_owned() };
        let log = RoomLog::with_people().did(BEN, say);
        let mut text = Vec::new();
        let mut page = HistoryPage::begin(&mut text, log.room(), LanguageView::En).unwrap();
        log.envelopes().iter().for_each(|envelope| page.add(log.room(), envelope).unwrap());
        page.end().unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("Ben: &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp; &#39;x</span>")
        );
        assert!(!text.contains("<script") && !text.contains("http://") && !text.contains("https://"));
        assert_eq!(text.matches("<li").count() as u64, log.room().seq);
        assert_eq!((text.matches("<ol>").count(), text.matches("</ol>").count()), (1, 1));
        assert!(log.room().members.contains_key(&ADA));
    }
}
