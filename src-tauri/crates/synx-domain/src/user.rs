//! People: how they present themselves and what they like.

use crate::{Rejection, validate};
use serde::{Deserialize, Serialize};

/// How a person appears to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct UserProfile {
    /// Shown name, 1 to 40 characters.
    pub name: String,
    /// Colour of the person's mark as `#rrggbb`.
    pub color: Option<String>,
    /// A few words about oneself, at most 500 characters.
    pub bio: Option<String>,
}

/// What a person likes to hear and play. Bounds are inclusive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct MusicalPreferences {
    /// Genres in the person's words.
    #[serde(default)]
    pub genres: Vec<String>,
    /// Slowest and fastest tempo in beats per minute.
    #[serde(default)]
    pub tempo_range_bpm: Option<(f64, f64)>,
    /// Keys in musical names.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Instruments the person plays.
    #[serde(default)]
    pub instruments: Vec<String>,
}

impl UserProfile {
    /// Whether every field is within its bounds, as a room would demand it.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] names the field.
    pub fn check(&self) -> Result<(), Rejection> {
        validate::profile(self)
    }
}

impl MusicalPreferences {
    /// Whether every field is within its bounds, as a room would demand it.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] names the field.
    pub fn check(&self) -> Result<(), Rejection> {
        validate::preferences(self)
    }
}
