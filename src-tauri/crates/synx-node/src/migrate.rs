//! A room's way from this machine's log to a cluster's, and back. What `synx migrate` does.
//!
//! Must never take a room for moved before its history there is proven to be the same.

use crate::cluster::open_store;
use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::history::room_of;
use std::path::Path;
use std::sync::Arc;
use synx_cluster::ClusterOptions;
use synx_log::{ChainReport, Log, LogOptions};

/// Which way a room goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From this machine to the cluster.
    ToCluster,
    /// From the cluster to this machine.
    FromCluster,
}

/// Copies a room from one log to the other and proves that both have the same events; the report is that of both. One that was
/// cut short is carried on. No instance may use the data folder meanwhile, and nobody may be in the room.
///
/// # Errors
/// When an instance has the data folder, the cluster cannot be used, or the room there has another history than here.
pub async fn migrate(
    data_dir: &Path,
    cluster: ClusterOptions,
    room: Option<&str>,
    direction: Direction,
) -> Result<ChainReport, NodeError> {
    let data = DataDir::open(data_dir)?;
    let local = Log::open(&data.paths().log(), LogOptions::default())?;
    let store = open_store(ClusterOptions { copy: data.paths().cluster_copy(), ..cluster }).await?;
    let cluster = Log::over(Arc::new(store), LogOptions::default())?;
    let (from, to) = match direction {
        Direction::ToCluster => (&local, &cluster),
        Direction::FromCluster => (&cluster, &local),
    };
    let moved = match room_of(from, room) {
        Ok(room) if from.head(room)? == 0 => Err(NodeError::NoSuchRoom),
        Ok(room) => to.take_over(room, from).await.map_err(NodeError::from),
        Err(error) => Err(error),
    };
    cluster.close();
    local.close();
    moved
}
