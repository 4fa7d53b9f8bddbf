//! A refused HTTP request: status, stable code, and words for a person.

use crate::TokenError;
use crate::server::backend::{CommandFailure, Unavailable};
use crate::server::meters;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub fn no_such_room() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no_such_room",
            "this room is not open here: ask its host for a new link",
        )
    }

    pub fn unavailable(error: &Unavailable) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, &error.code, error.message.clone())
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing under this address")
    }

    /// Too many refusals came before this.
    pub fn not_heard() -> Self {
        let message = "too many failed attempts came from this address: wait a minute, then try again";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", message)
    }

    /// Whether somebody tried what they have no right to.
    pub fn counts_as_failure(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
            && self.code != "token_expired"
            && self.code != "invite_missing"
    }

    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::warn!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "host_failed", "the host could not do this: try again")
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let status = match error {
            TokenError::CannotSign => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNAUTHORIZED,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<CommandFailure> for Refusal {
    fn from(failure: CommandFailure) -> Self {
        Self::new(StatusCode::FORBIDDEN, failure.code(), failure.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        meters::refused(&self.code);
        (self.status, Json(json!({"code": self.code, "message": self.message}))).into_response()
    }
}
