//! The stream that is the log: making it, and reading it in its order.
//!
//! Must never use a stream that could forget: one with limits, in memory, or from which messages can be deleted.

use crate::error::ClusterError;
use crate::message::{Topic, unpack};
use crate::{ClusterOptions, format};
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    ClusterInfo, Config, DiscardPolicy, Info, Republish, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{Context, Error, ErrorCode};
use async_nats::{Client, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::{Duration, Instant};
use synx_log::Record;

/// What the subject of messages about several rooms ends in, in the place of a room.
const ROOMS: &str = "rooms";
/// How long the server remembers message ids, to store none twice: as long as anybody sends the same again. What comes later is
/// found in the node's copy.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// Messages that are fetched at once, and their bytes. The subscription holds more than the first.
const FETCH_MESSAGES: usize = 256;
const FETCH_BYTES: usize = 8 << 20;
/// How long the next message of a fetch may take.
const FETCH_PATIENCE: Duration = Duration::from_secs(2);

/// Servers that have just started answer nothing, or that they are not ready, until they have a leader: a few seconds, more on
/// a busy machine.
const LEADER_PATIENCE: Duration = Duration::from_secs(20);
const LEADER_PAUSE: Duration = Duration::from_millis(100);
/// What the API answers meanwhile, as in HTTP.
const NOT_READY: usize = 503;

/// A message as it lies in the stream.
pub(crate) struct Stored {
    /// Its place in the stream.
    pub seq: u64,
    /// What it is about, by its subject.
    pub topic: Option<Topic>,
    pub payload: Bytes,
}

impl Stored {
    /// Its records, if it is a message of a node.
    pub(crate) fn unpacked(&self) -> Result<(Topic, Vec<Record>), String> {
        let topic = self.topic.ok_or("its subject is none of a log's")?;
        unpack(topic, &self.payload).map(|records| (topic, records))
    }
}

/// How a stream is.
pub(crate) struct State {
    /// The place of the last message.
    pub end: u64,
    /// Servers that have all of it.
    pub servers: usize,
    /// Servers that are to have it.
    pub replicas: usize,
}

/// A log's stream on its servers.
pub(crate) struct LogStream {
    pub client: Client,
    stream: Stream<()>,
    name: String,
    log_subjects: String,
    live_subjects: String,
}

impl LogStream {
    /// Finds the stream, or makes it if this node knows of no events in it, and all servers answer that are to keep it.
    pub(crate) async fn open(
        client: Client,
        options: &ClusterOptions,
        servers: usize,
        events_here: u64,
    ) -> Result<Self, ClusterError> {
        let context = async_nats::jetstream::new(client.clone());
        let (name, config) = (options.name.stream(), config(options));
        let found = patiently(|| context.get_stream(&name), |error| not_found_yet(&error.kind())).await;
        let info = match found {
            Ok(stream) => stream.cached_info().clone(),
            Err(error) if is_missing(&error.kind()) && events_here > 0 => {
                return Err(ClusterError::StreamLost {
                    stream: name,
                    events: events_here,
                    copy: options.copy.clone(),
                });
            }
            // It would be made, with what is missing to come: but the ones that answer could be all there ever are.
            Err(error) if is_missing(&error.kind()) && (1..options.replicas).contains(&servers) => {
                return Err(too_few_servers(&config, format!("{servers} of them answer")));
            }
            Err(error) if is_missing(&error.kind()) => create(&context, config.clone()).await?,
            Err(error) => return Err(ClusterError::server("find the stream", &error)),
        };
        format::check(&info.config)?;
        let problems = problems(&info, &config);
        if !problems.is_empty() {
            return Err(ClusterError::UnfitStream { stream: name, problems });
        }
        let stream = context.get_stream_no_info(&name).await;
        let stream = Self {
            client,
            stream: stream.map_err(|error| ClusterError::server("find the stream", &error))?,
            name,
            log_subjects: options.name.log_subjects(),
            live_subjects: options.name.live_subjects(),
        };
        // One that was just made has no leader yet.
        patiently(|| stream.state(), |error| matches!(error, ClusterError::Server { .. })).await?;
        Ok(stream)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The subject of a message.
    pub(crate) fn subject(&self, topic: Topic) -> String {
        match topic {
            Topic::Room(room) => format!("{}.{room}", self.log_subjects),
            Topic::Rooms => format!("{}.{ROOMS}", self.log_subjects),
        }
    }

    /// What is stored from now on. Messages may be lost on the way, but not be in another order.
    pub(crate) async fn live(&self) -> Result<Subscriber, ClusterError> {
        let subject = format!("{}.>", self.live_subjects);
        let live = self.client.subscribe(subject).await;
        let live = live.map_err(|error| ClusterError::server("follow the stream", &error))?;
        // Only once the server knows of it, what comes is heard.
        self.client.flush().await.map_err(|error| ClusterError::server("follow the stream", &error))?;
        Ok(live)
    }

    /// A message that was heard on the way.
    pub(crate) fn heard(&self, message: &Message) -> Option<Stored> {
        Some(Stored {
            seq: header(message, "Nats-Sequence")?.parse().ok()?,
            topic: topic(message.subject.strip_prefix(&self.live_subjects)?),
            payload: message.payload.clone(),
        })
    }

    /// How the stream is, as its leader knows it.
    ///
    /// # Errors
    /// When it does not answer, there is none, or a later version has taken the stream over.
    pub(crate) async fn state(&self) -> Result<State, ClusterError> {
        let failed =
            |error: &dyn std::fmt::Display| ClusterError::server("tell where the stream ends", error);
        let info = self.stream.get_info().await.map_err(|error| failed(&error))?;
        format::check(&info.config)?;
        let servers = current(info.cluster.as_ref()).ok_or_else(|| failed(&"there is no leader"))?;
        Ok(State { end: info.state.last_sequence, servers, replicas: info.config.num_replicas })
    }

    /// The message at a place.
    pub(crate) async fn get(&self, seq: u64) -> Result<Stored, ClusterError> {
        let message = self.stream.get_raw_message(seq).await;
        let message = message.map_err(|error| ClusterError::server("read the stream", &error))?;
        Ok(Stored { seq, topic: self.topic(&message.subject), payload: message.payload })
    }

    /// The messages after a place, in order. A replica that is behind may know of none yet.
    pub(crate) async fn fetch(&self, after: u64) -> Result<Vec<Stored>, ClusterError> {
        let failed = |error: &dyn std::fmt::Display| ClusterError::server("read the stream", error);
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.map_err(|error| failed(&error))?;
        let ask = serde_json::json!({ "seq": after + 1, "batch": FETCH_MESSAGES, "max_bytes": FETCH_BYTES });
        let to = format!("$JS.API.DIRECT.GET.{}", self.name);
        let asked = self.client.publish_with_reply(to, inbox, ask.to_string().into()).await;
        asked.map_err(|error| failed(&error))?;
        let mut messages: Vec<Stored> = Vec::new();
        loop {
            let answer = tokio::time::timeout(FETCH_PATIENCE, answers.next()).await;
            let answer = answer.map_err(|_| failed(&"it does not answer"))?;
            let answer = answer.ok_or_else(|| failed(&"the connection was closed"))?;
            match answer.status {
                // Asked for what is not there yet, or the end of what was asked for.
                Some(StatusCode::NOT_FOUND) => return Ok(messages),
                Some(status) if status.as_u16() == 204 => return Ok(messages),
                Some(status) => return Err(failed(&format!("it answers {status}"))),
                None => {}
            }
            let seq = header(&answer, "Nats-Sequence").and_then(|seq| seq.parse().ok());
            let seq: u64 = seq.ok_or_else(|| failed(&"it answers without a sequence"))?;
            let before = messages.last().map_or(after, |message| message.seq);
            if seq != before + 1 {
                return Err(failed(&format!("message {} is missing", before + 1)));
            }
            let topic = header(&answer, "Nats-Subject").and_then(|subject| self.topic(subject));
            messages.push(Stored { seq, topic, payload: answer.payload });
        }
    }

    fn topic(&self, subject: &str) -> Option<Topic> {
        topic(subject.strip_prefix(&self.log_subjects)?)
    }
}

/// What a message is about, by what its subject ends in.
fn topic(end: &str) -> Option<Topic> {
    match end.strip_prefix('.')? {
        ROOMS => Some(Topic::Rooms),
        room => room.parse().ok().map(Topic::Room),
    }
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    Some(message.headers.as_ref()?.get(name)?.as_str())
}

/// How many servers have all of the stream, as its leader says. None where it has none: then any server answers, which may know of
/// less, and counts itself among the others.
fn current(cluster: Option<&ClusterInfo>) -> Option<usize> {
    let Some(cluster) = cluster else { return Some(1) };
    cluster.leader.as_ref()?;
    Some(1 + cluster.replicas.iter().filter(|peer| peer.current && !peer.offline).count())
}

fn is_missing(error: &GetStreamErrorKind) -> bool {
    matches!(error, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn not_found_yet(error: &GetStreamErrorKind) -> bool {
    match error {
        GetStreamErrorKind::Request => true,
        GetStreamErrorKind::JetStream(error) => error.code() == NOT_READY,
        GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => false,
    }
}

fn not_made_yet(error: &CreateStreamErrorKind) -> bool {
    match error {
        CreateStreamErrorKind::TimedOut => true,
        CreateStreamErrorKind::JetStream(error) => error.code() == NOT_READY,
        _ => false,
    }
}

fn too_few_servers(config: &Config, detail: String) -> ClusterError {
    ClusterError::TooFewServers { stream: config.name.clone(), replicas: config.num_replicas, detail }
}

/// Of several servers too few can be found, or the one is not part of a NATS cluster.
fn lacks_servers(error: &Error) -> bool {
    [ErrorCode::CLUSTER_NO_PEERS, ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED].contains(&error.error_code())
}

/// Asks again while the answer says that it is too early, but not for ever.
pub(crate) async fn patiently<T, E, F>(ask: impl Fn() -> F, too_early: impl Fn(&E) -> bool) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    patiently_for(LEADER_PATIENCE, ask, too_early).await
}

pub(crate) async fn patiently_for<T, E, F>(
    patience: Duration,
    ask: impl Fn() -> F,
    too_early: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let end = Instant::now() + patience;
    loop {
        match ask().await {
            Err(error) if too_early(&error) && Instant::now() < end => tokio::time::sleep(LEADER_PAUSE).await,
            outcome => return outcome,
        }
    }
}

/// Two nodes that start together may both make it: then the second finds it made.
async fn create(context: &Context, config: Config) -> Result<Info, ClusterError> {
    tracing::info!(stream = config.name, replicas = config.num_replicas, "making the stream of the log");
    let make = || context.create_stream(config.clone());
    let made = patiently(make, |error| not_made_yet(&error.kind())).await;
    let made = made.map_err(|error| match error.kind() {
        CreateStreamErrorKind::JetStream(said) if lacks_servers(&said) => {
            too_few_servers(&config, said.to_string())
        }
        _ => ClusterError::server("make the stream", &error),
    });
    Ok(made?.cached_info().clone())
}

fn config(options: &ClusterOptions) -> Config {
    Config {
        name: options.name.stream(),
        description: Some("The event log of a SynxSphere cluster. Do not edit.".to_owned()),
        subjects: vec![format!("{}.*", options.name.log_subjects())],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: options.replicas,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_bytes: -1,
        max_message_size: -1,
        max_consumers: -1,
        // Full is full: nothing is dropped for what comes.
        discard: DiscardPolicy::New,
        duplicate_window: DUPLICATE_WINDOW,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        metadata: format::mark(),
        republish: Some(Republish {
            source: format!("{}.*", options.name.log_subjects()),
            destination: format!("{}.{{{{wildcard(1)}}}}", options.name.live_subjects()),
            headers_only: false,
        }),
        ..Config::default()
    }
}

/// What of a stream is not as a log needs it.
fn problems(info: &Info, wanted: &Config) -> Vec<String> {
    let found = &info.config;
    let checks = [
        (found.retention == RetentionPolicy::Limits, "it drops what was read"),
        (found.max_messages_per_subject <= 0, "it keeps only the latest of a room"),
        (found.deny_delete && found.deny_purge, "messages can be deleted from it"),
        (!found.allow_rollup, "messages can replace others in it"),
        (found.subjects == wanted.subjects, "it has other subjects"),
        (found.republish == wanted.republish, "it does not tell what it stores"),
        (found.allow_direct, "it cannot be read directly"),
        (found.persist_mode.is_none(), "it acknowledges before it stores"),
        (found.duplicate_window >= DUPLICATE_WINDOW, "it forgets message ids too soon"),
        (info.state.messages == info.state.last_sequence, "messages are missing from it"),
    ];
    let mut problems = forgets(found, wanted.num_replicas);
    problems.extend(complaints(checks));
    problems
}

/// Why a stream does not keep what it is given for ever, on so many servers.
pub(crate) fn forgets(found: &Config, replicas: usize) -> Vec<String> {
    let checks = [
        (found.storage == StorageType::File, "it is kept in memory"),
        (
            found.max_bytes <= 0 && found.max_messages <= 0 && found.max_age.is_zero(),
            "it has limits beyond which it forgets or refuses",
        ),
    ];
    let mut problems: Vec<String> = complaints(checks).collect();
    if found.num_replicas < replicas {
        problems.push(format!(
            "it is kept on {} of the servers, not {replicas}, which `nats stream edit {} --replicas {replicas}` mends",
            found.num_replicas, found.name
        ));
    }
    problems
}

fn complaints<const N: usize>(checks: [(bool, &str); N]) -> impl Iterator<Item = String> {
    checks.into_iter().filter(|(fine, _)| !fine).map(|(_, problem)| problem.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(cluster: &str) -> Option<usize> {
        current(Some(&serde_json::from_str(cluster).unwrap()))
    }

    /// As nats-server 2.15.1 tells of three servers of which two are gone.
    #[test]
    fn a_server_that_is_left_alone_is_no_second_one() {
        let gone = r#"{"name":"nats2","current":false,"offline":true,"active":0}"#;
        let leads = format!(r#"{{"leader":"nats1","replicas":[{gone},{gone}]}}"#);
        assert_eq!(told(&leads), Some(1));
        let itself = r#"{"name":"nats1","current":true,"active":756583781}"#;
        assert_eq!(told(&format!(r#"{{"replicas":[{gone},{gone},{itself}]}}"#)), None);
        assert_eq!(current(None), Some(1), "one that is no part of a NATS cluster");
    }
}
