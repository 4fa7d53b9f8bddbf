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
    /// A picture: [`UserProfile::PICTURE_PX`] pixels square, row by row from the top, each two bytes, the lower first, of five bits
    /// of red, six of green and five of blue; as base64 with padding. Bare pixels: nobody who shows them has anything to decode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
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
    /// Edge of a picture, in pixels: twice what a row of a list has room for.
    pub const PICTURE_PX: usize = 40;

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
