//! Connecting to NATS.
//!
//! Must never put credentials into an error or a log.

use crate::options::redacted;
use crate::{ClusterError, ClusterOptions};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use std::io;
use std::time::Duration;

/// How long each server may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a request may take before it is sent again: a server on a busy disk takes tens of ms.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest pause between two attempts to come back to a server.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);
/// A server that does not answer this is given up after two: a connection that died silently is noticed in six seconds.
const PING_EVERY: Duration = Duration::from_secs(2);
/// Messages of the stream that wait for this node at most; what is lost beyond is fetched from the stream.
const WAITING_MESSAGES: usize = 1024;

pub(crate) async fn connect(options: &ClusterOptions) -> Result<Client, ClusterError> {
    let servers = options.servers.iter().map(|server| {
        server.parse::<ServerAddr>().map_err(|_| ClusterError::BadOption {
            option: "server",
            value: redacted(std::slice::from_ref(server)),
            expected: "use an address like nats://host:4222",
        })
    });
    let servers = servers.collect::<Result<Vec<_>, _>>()?;
    let unreachable =
        |detail: String| ClusterError::Unreachable { servers: redacted(&options.servers), detail };
    let mut connect = ConnectOptions::new()
        .name("synx")
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(PING_EVERY)
        .subscription_capacity(WAITING_MESSAGES)
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            RECONNECT_PAUSE
                .min(Duration::from_millis(10).saturating_mul(u32::try_from(attempts).unwrap_or(u32::MAX)))
        })
        .event_callback(async |event| match event {
            Event::Connected => tracing::info!("connected to a NATS server"),
            other => tracing::warn!(%other, "the connection to NATS"),
        });
    // The client does not take them from the addresses by itself. All servers of a system know the same ones.
    if let Some((user, password)) =
        servers.iter().find_map(|server| Some((server.username()?, server.password())))
    {
        connect = match password {
            Some(password) => connect.user_and_password(decoded(user), decoded(password)),
            None => connect.token(decoded(user)),
        };
    }
    if let Some(file) = &options.credentials {
        connect = connect.credentials_file(file).await.map_err(|error| unreachable(error.to_string()))?;
    }
    if let Some(file) = &options.root_certificate {
        connect = connect.add_root_certificates(file.clone());
    }
    // The client logs addresses as they are.
    let servers = servers.into_iter().map(bare).collect::<io::Result<Vec<_>>>();
    let servers = servers.map_err(|error| unreachable(error.to_string()))?;
    connect.connect(servers).await.map_err(|error| unreachable(error.to_string()))
}

/// An address without what stands before its `@`.
fn bare(server: ServerAddr) -> io::Result<ServerAddr> {
    let mut url = server.into_inner();
    // Refused only where there can be none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    ServerAddr::from_url(url)
}

/// A part of an address as it was before it was put there.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}
