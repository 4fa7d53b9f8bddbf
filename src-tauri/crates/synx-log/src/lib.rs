//! The append-only event log on disk and in memory, and cursors over it.
