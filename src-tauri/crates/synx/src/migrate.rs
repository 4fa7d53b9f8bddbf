//! `synx migrate`: takes a room from this machine to a cluster, or back, and says what proves that it is the same.

use crate::args::{Migrate, MigrateDirection};
use crate::exit::Exit;
use std::path::Path;
use synx_node::NodeError;
use synx_node::migrate::{Direction, Moved, migrate};

/// Runs the command.
pub async fn run(args: Migrate, data_dir: &Path) -> Result<Exit, NodeError> {
    let (direction, place, args) = match args.direction {
        MigrateDirection::To(args) => (Direction::ToCluster, "in the cluster", args),
        MigrateDirection::From(args) => (Direction::FromCluster, "here", args),
    };
    let cluster = args.cluster.named()?;
    let Moved { report, audio, missing_audio, invites_left_behind } =
        migrate(data_dir, cluster, args.room.as_deref(), direction).await?;
    println!("{}  now {place}: {} events, head {}", report.room_id, report.events, report.hash);
    if direction == Direction::FromCluster {
        println!(
            "no node that the cluster's servers see has it open; stop those that are cut off from them: when they come back they would go on \
             with it in the cluster"
        );
    }
    if audio + missing_audio > 0 {
        println!("{audio} files of audio are {place}, {missing_audio} could not be found");
    }
    if invites_left_behind > 0 {
        let again = match direction {
            Direction::ToCluster => "synx invite --cluster … --room ID",
            Direction::FromCluster => "synx invite --room ID",
        };
        println!(
            "the invites made before ({invites_left_behind}) do not lead to it {place}: they name where the room was, whose key signed them. Make new \
             ones with `{again}`"
        );
    }
    Ok(Exit::Done)
}
