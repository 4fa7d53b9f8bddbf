//! A room's way from this machine's log to a cluster's, and back. What `synx migrate` does.
//!
//! Must never take a room for moved before its history there is proven to be the same.

use crate::cluster::open_store;
use crate::cluster::seats::must_be_closed;
use crate::cluster::shelf::Shelf;
use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::history::room_of;
use crate::room::invites::invite_views;
use std::path::Path;
use std::sync::Arc;
use synx_cluster::{Backplane, ClusterOptions, Objects};
use synx_domain::Room;
use synx_log::{ChainReport, Log, LogOptions};
use synx_net::AudioStore;

/// Which way a room goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From this machine to the cluster.
    ToCluster,
    /// From the cluster to this machine.
    FromCluster,
}

/// A room that is now in both places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What is proven of both logs.
    pub report: ChainReport,
    /// Files of its audio that are in both places.
    pub audio: usize,
    /// Files that were not there to be taken.
    pub missing_audio: usize,
    /// Invites that were good where the room was. They name that place, whose key has signed them: none leads here.
    pub invites_left_behind: usize,
}

/// Copies a room with its audio from one place to the other and proves that both have the same events; the report is that of both. One that was
/// cut short is carried on. No instance may use the data folder meanwhile, and nobody may be in the room.
///
/// # Errors
/// When an instance has the data folder, or nodes of the cluster have the room open that is taken from there; when the cluster cannot
/// be used, or the room there has another history than here.
pub async fn migrate(
    data_dir: &Path,
    cluster: ClusterOptions,
    room: Option<&str>,
    direction: Direction,
) -> Result<Moved, NodeError> {
    let data = DataDir::open(data_dir)?;
    let local = data.paths().open_log(LogOptions::default())?;
    let options = ClusterOptions { copy: data.paths().cluster_copy(), ..cluster };
    let cluster = Log::over(Arc::new(open_store(options.clone()).await?), LogOptions::default())?;
    let (from, to) = match direction {
        Direction::ToCluster => (&local, &cluster),
        Direction::FromCluster => (&cluster, &local),
    };
    let moved = async {
        let room = room_of(from, room)?;
        if from.head(room)? == 0 {
            return Err(NodeError::NoSuchRoom);
        }
        let backplane = Backplane::connect(&options).await?;
        let is_free = async || match direction {
            Direction::FromCluster => must_be_closed(&backplane, room).await,
            Direction::ToCluster => Ok(()),
        };
        is_free().await?;
        let shelf = Shelf::new(AudioStore::open(&data.paths().audio())?, Objects::open(&backplane).await?);
        let state = from.fold(room, None).await?;
        // First, so that whoever finds an event finds its audio.
        let (audio, missing_audio) = move_audio(&shelf, &state, direction).await?;
        let report = to.take_over(room, from).await?;
        // Somebody may have come meanwhile; then it goes on there.
        is_free().await?;
        let invites_left_behind = invite_views(&state).iter().filter(|invite| invite.usable).count();
        Ok(Moved { report, audio, missing_audio, invites_left_behind })
    };
    let moved = moved.await;
    cluster.close();
    local.close();
    moved
}

/// Takes the room's files to the other place; how many are there then, and how many are in neither.
async fn move_audio(shelf: &Shelf, room: &Room, direction: Direction) -> Result<(usize, usize), NodeError> {
    let (mut moved, mut missing) = (0, 0);
    for hash in room.tracks.keys().copied().filter(|hash| room.playable(*hash).is_some()) {
        let is_there = match direction {
            Direction::FromCluster => shelf.fetch(hash).await?,
            Direction::ToCluster => match shelf.publish(hash).await {
                Ok(()) => true,
                Err(NodeError::NoSuchTrack) => false,
                Err(error) => return Err(error),
            },
        };
        if is_there { moved += 1 } else { missing += 1 }
    }
    Ok((moved, missing))
}
