//! The keys that make several nodes one host: what signs invites and tokens, and the certificate in every link.
//!
//! Must never be shown or logged: who has them is the host of every room of the cluster.

use crate::error::NodeError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use synx_cluster::Backplane;
use synx_net::{HostKey, NetError, TlsIdentity, TlsPem};

/// Tells the challenges' key from everything else that comes of the host key.
const CHALLENGE_CONTEXT: &str = "synxsphere cluster challenges v1";

/// What all nodes have.
pub struct ClusterKeys {
    /// Signs invites and session tokens.
    pub host_key: Arc<HostKey>,
    /// The certificate that links name.
    pub tls: TlsIdentity,
    /// Seals challenges.
    pub challenge_key: [u8; 32],
}

/// As they are kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    host_key: [u8; 32],
    tls: TlsPem,
}

impl ClusterKeys {
    /// The cluster's keys; made, if this is its first node.
    ///
    /// # Errors
    /// When the servers do not answer, or hold something else.
    pub async fn of(backplane: &Backplane) -> Result<Self, NodeError> {
        let bad = |_| NetError::Certificate("the cluster's keys cannot be read".to_owned());
        let own = Kept { host_key: rand::random(), tls: TlsPem::generate()? };
        let own = serde_json::to_vec(&own).map_err(bad)?;
        let Kept { host_key, tls } =
            serde_json::from_slice(&backplane.shared_secret(own).await?).map_err(bad)?;
        Ok(Self {
            host_key: Arc::new(HostKey::from_secret(&host_key).map_err(NetError::from)?),
            tls: TlsIdentity::from_pem(&tls)?,
            challenge_key: blake3::derive_key(CHALLENGE_CONTEXT, &host_key),
        })
    }
}
