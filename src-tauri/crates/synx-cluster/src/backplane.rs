//! What the nodes of a cluster share besides the log: the keys that every one of them signs with.
//!
//! Must never put a secret into an error or a log.

use crate::stream::patiently;
use crate::{ClusterError, ClusterName, ClusterOptions, bucket, connection};
use async_nats::jetstream::kv::{Config, CreateErrorKind};
use async_nats::{Client, Message, Request, Subject, Subscriber, jetstream};
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;

/// A key in the bucket of secrets.
const KEYS: &str = "node";

/// What is told or asked somewhere.
pub struct Listening(Subscriber);

impl Listening {
    /// The next one; none once the connection is closed for good.
    pub async fn next(&mut self) -> Option<Heard> {
        let Message { payload, reply, .. } = self.0.next().await?;
        Some(Heard { payload, reply })
    }
}

/// Something that was told or asked.
pub struct Heard {
    /// What.
    pub payload: Bytes,
    reply: Option<Subject>,
}

/// A connection to the cluster beside the log's, so that neither holds up the other.
#[derive(Clone)]
pub struct Backplane {
    client: Client,
    name: ClusterName,
    replicas: usize,
    patience: Duration,
}

impl Backplane {
    /// Connects.
    ///
    /// # Errors
    /// When no server is reached.
    pub async fn connect(options: &ClusterOptions) -> Result<Self, ClusterError> {
        Ok(Self::over(connection::connect(options).await?, options))
    }

    /// The same over a connection that there is.
    pub(crate) fn over(client: Client, options: &ClusterOptions) -> Self {
        let (replicas, patience) = (options.replicas, options.commit_timeout);
        Self { client, name: options.name.clone(), replicas, patience }
    }

    /// What the first node of the cluster made and all have: its own, if this is the first.
    ///
    /// # Errors
    /// When the servers do not answer or refuse.
    pub async fn shared_secret(&self, own: Vec<u8>) -> Result<Vec<u8>, ClusterError> {
        let failed = |error: &dyn std::fmt::Display| ClusterError::server("keep the cluster's keys", error);
        let config = Config {
            bucket: self.bucket_name("keys"),
            description: "The keys of a SynxSphere cluster. Secret.".to_owned(),
            ..Config::default()
        };
        let bucket = bucket::of_keys(self, config).await?;
        let agree = || async {
            match bucket.create(KEYS, own.clone().into()).await {
                Ok(_) => Ok(own.clone()),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {
                    let known = bucket.get(KEYS).await.map_err(|error| failed(&error))?;
                    known.map(Vec::from).ok_or_else(|| failed(&"they were removed meanwhile"))
                }
                Err(error) => Err(failed(&error)),
            }
        };
        // Servers of which one is gone answer for the bucket again once they have a leader.
        patiently(agree, |_| true).await
    }

    /// A subject of this cluster.
    pub(crate) fn subject(&self, what: &str) -> String {
        format!("{}.{what}", self.name)
    }

    /// A bucket of this cluster.
    pub(crate) fn bucket_name(&self, what: &str) -> String {
        self.name.bucket(what)
    }

    /// What is told there from now on.
    pub(crate) async fn subscribe(&self, subject: String) -> Result<Subscriber, ClusterError> {
        let failed = |error: &dyn std::fmt::Display| ClusterError::server("listen to other nodes", error);
        let subscriber = self.client.subscribe(subject).await.map_err(|error| failed(&error))?;
        // Only once the server knows of it, what comes is heard.
        self.client.flush().await.map_err(|error| failed(&error))?;
        Ok(subscriber)
    }

    /// Tells something. Who does not listen now does not hear it.
    pub(crate) async fn publish(&self, subject: String, payload: Bytes) -> Result<(), ClusterError> {
        let told = self.client.publish(subject, payload).await;
        told.map_err(|error| ClusterError::server("tell other nodes", &error))
    }

    /// Asks somebody who listens there; none if nobody answers in time.
    pub(crate) async fn request(&self, subject: String, patience: Duration) -> Option<Bytes> {
        let request = Request::new().timeout(Some(patience));
        self.client.send_request(subject, request).await.ok().map(|answer| answer.payload)
    }

    /// Tells whoever listens there now. What is lost on the way is lost.
    ///
    /// # Errors
    /// When the connection is closed for good.
    pub async fn tell(&self, subject: &str, payload: Vec<u8>) -> Result<(), ClusterError> {
        self.publish(self.subject(subject), payload.into()).await
    }

    /// Hears what is told and asked there from now on.
    ///
    /// # Errors
    /// When the servers do not answer.
    pub async fn listen(&self, subject: &str) -> Result<Listening, ClusterError> {
        Ok(Listening(self.subscribe(self.subject(subject)).await?))
    }

    /// Asks all who listen there: the first answer; none if nobody gives one in time.
    pub async fn ask(&self, subject: &str, payload: Vec<u8>, patience: Duration) -> Option<Bytes> {
        let request = Request::new().payload(payload.into()).timeout(Some(patience));
        let answer = self.client.send_request(self.subject(subject), request).await;
        answer.ok().map(|answer| answer.payload)
    }

    /// Asks all who listen there: the answers that come in time, `enough` of them at most.
    ///
    /// # Errors
    /// When the servers do not take the question.
    pub async fn ask_all(
        &self,
        subject: &str,
        payload: Vec<u8>,
        patience: Duration,
        enough: usize,
    ) -> Result<Vec<Bytes>, ClusterError> {
        Ok(self.ask_listeners(subject, payload, patience, enough).await?.unwrap_or_default())
    }

    /// The same; none where the servers say that nobody listens, who is connected to them. No answer of somebody who does is
    /// something else.
    ///
    /// # Errors
    /// When the servers do not take the question.
    pub async fn ask_listeners(
        &self,
        subject: &str,
        payload: Vec<u8>,
        patience: Duration,
        enough: usize,
    ) -> Result<Option<Vec<Bytes>>, ClusterError> {
        let failed = |error: &dyn std::fmt::Display| ClusterError::server("ask the nodes", error);
        let (inbox, mut answers) = (self.client.new_inbox(), Vec::new());
        let end = tokio::time::Instant::now() + patience;
        let ask = async {
            let coming = self.client.subscribe(inbox.clone()).await.map_err(|error| failed(&error))?;
            let asked = self.client.publish_with_reply(self.subject(subject), inbox, payload.into()).await;
            asked.map_err(|error| failed(&error))?;
            // Or it may only lie here.
            self.client.flush().await.map_err(|error| failed(&error))?;
            Ok(coming)
        };
        let asked = tokio::time::timeout_at(end, ask).await;
        let mut coming = asked.unwrap_or_else(|_| Err(failed(&"they do not answer")))?;
        while answers.len() < enough
            && let Ok(Some(answer)) = tokio::time::timeout_at(end, coming.next()).await
        {
            match answer.status {
                None => answers.push(answer.payload),
                Some(_) => return Ok(None),
            }
        }
        Ok(Some(answers))
    }

    /// Answers what was asked.
    pub async fn answer(&self, asked: &Heard, payload: Vec<u8>) {
        if let Some(reply) = &asked.reply {
            // Who asked does without it when it does not come.
            drop(self.client.publish(reply.clone(), payload.into()).await);
        }
    }

    /// How many servers each keep what is shared.
    pub(crate) fn replicas(&self) -> usize {
        self.replicas
    }

    /// How long servers are waited for that do not answer.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    pub(crate) fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.client.clone())
    }
}
