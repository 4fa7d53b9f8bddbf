//! `synx rooms`: what the local network offers.

use crate::args::Rooms;
use crate::exit::Exit;
use std::time::Duration;
use synx_node::NodeError;

/// Listens for a moment and prints what was found.
pub async fn run(args: Rooms) -> Result<Exit, NodeError> {
    let wait = Duration::from_secs_f64(args.wait.clamp(0.1, 60.0));
    let rooms = synx_node::find_lan_rooms(wait).await?;
    if rooms.is_empty() && !args.json {
        eprintln!("no public rooms on this network; where multicast is blocked, join by link instead");
    }
    for room in rooms {
        if args.json {
            println!("{}", serde_json::to_string(&room).unwrap_or_default());
        } else {
            let host = room.host_name.as_deref().unwrap_or("somebody");
            let people = room.participants.map_or(String::new(), |count| format!(", {count} listening"));
            println!("{} (by {host}{people})\n  synx join '{}'", room.name, room.link);
        }
    }
    Ok(Exit::Done)
}
