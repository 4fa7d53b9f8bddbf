//! A room as a pure fold over its events.
