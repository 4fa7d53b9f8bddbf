//! Which language people are spoken to in, where it is not the window that speaks.
//!
//! Must never reach the log: what is written there has no language.

use crate::bridge::{LanguageView, NodeEvent};
use crate::error::NodeError;
use crate::node::{Inner, Node};

impl Node {
    /// The language of the person: as chosen, else as their window speaks, else the system's.
    pub fn language(&self) -> LanguageView {
        self.inner().language()
    }
}

impl Inner {
    /// The language of the person: as chosen, else as their window speaks, else the system's.
    pub fn language(&self) -> LanguageView {
        let chosen = self.settings().values().language;
        chosen.or(*self.spoken.borrow()).unwrap_or_else(LanguageView::of_the_system)
    }

    /// A window speaks this where no language was chosen: it may go by another setting of the system than this process, and by
    /// that of another machine.
    pub fn speak(&self, language: LanguageView) {
        if self.spoken.send_replace(Some(language)) != Some(language) {
            let chosen = self.settings().values().language;
            self.tell(NodeEvent::LanguageChanged { language: chosen });
        }
    }

    /// Speaks another language from now on; none is the system's.
    ///
    /// # Errors
    /// When it cannot be kept for the next start.
    pub fn set_language(&self, language: Option<LanguageView>) -> Result<(), NodeError> {
        let kept = self.settings().change(|values| values.language = language);
        self.tell(NodeEvent::LanguageChanged { language });
        kept
    }
}

impl LanguageView {
    /// What the system is set to, English where that is not spoken here.
    pub fn of_the_system() -> Self {
        sys_locale::get_locale().map_or(Self::En, |tag| Self::nearest(&tag))
    }

    fn nearest(tag: &str) -> Self {
        match tag.split(['-', '_', '.', '@']).next() {
            Some("de") => Self::De,
            _ => Self::En,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_is_not_spoken_here_becomes_english() {
        let cases = [("de_AT.UTF-8", LanguageView::De), ("de", LanguageView::De), ("den", LanguageView::En)];
        for (tag, language) in
            cases.into_iter().chain(["en-GB", "C", "", "fr_FR"].map(|tag| (tag, LanguageView::En)))
        {
            assert_eq!(LanguageView::nearest(tag), language, "{tag}");
        }
    }
}
