//! Why there is no result.

use synx_media::MediaError;

/// Why a file could not be analysed.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The file could not be decoded.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// It decodes to more audio than anybody records in one go: a few bytes can stand for years.
    #[error(
        "the file decodes to more than {hours:.1} hours of audio, which is not analysed. Cut it into parts"
    )]
    TooLong {
        /// The longest that is analysed.
        hours: f64,
    },
    /// The caller asked to stop.
    #[error("the analysis was cancelled. Start it again to get a result")]
    Cancelled,
}

impl AnalysisError {
    /// A stable code for the user interface and for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Media(error) => error.code(),
            Self::TooLong { .. } => "analysis_too_long",
            Self::Cancelled => "analysis_cancelled",
        }
    }
}
