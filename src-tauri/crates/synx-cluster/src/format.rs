//! Which format the messages of a stream are in: a mark in the stream's metadata.
//!
//! A stream without a mark is of the first format, in which streams were written before there were marks. Who changes what a
//! message is, or what it means, counts the format up, and marks the stream before the first such message is written. Must never
//! take a mark that is not understood for one of a format that is known.

use crate::ClusterError;
use async_nats::jetstream::stream::Config;
use std::collections::HashMap;

/// The format that is written: lines of an export, of one room or of several that were committed together.
const FORMAT: u32 = 1;
/// Where a stream's metadata has it.
const MARK: &str = "synx_format";

/// What a stream is marked with that is made now.
pub(crate) fn mark() -> HashMap<String, String> {
    HashMap::from([(MARK.to_owned(), FORMAT.to_string())])
}

/// Refuses a stream that a later version of this program has written.
pub(crate) fn check(stream: &Config) -> Result<(), ClusterError> {
    let Some(found) = stream.metadata.get(MARK) else { return Ok(()) };
    if found.parse::<u32>().is_ok_and(|format| (1..=FORMAT).contains(&format)) {
        return Ok(());
    }
    Err(ClusterError::NewerFormat { stream: stream.name.clone(), found: found.clone(), known: FORMAT })
}
