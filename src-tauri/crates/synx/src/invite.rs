//! `synx invite`: a link to a room of this data folder, also while its host is running.

use crate::args::{Invite, InviteRole};
use crate::exit::Exit;
use std::path::Path;
use std::time::Duration;
use synx_node::bridge::RoleView;
use synx_node::{InviteOptions, NodeError, make_invite};

/// Prints the link.
pub async fn run(args: Invite, data_dir: &Path) -> Result<Exit, NodeError> {
    let role = match args.role {
        InviteRole::Listener => RoleView::Listener,
        InviteRole::Dj => RoleView::Dj,
    };
    let expires_in = Duration::from_secs(args.expires);
    let options = InviteOptions { room: args.room, role, expires_in, addresses: args.address };
    println!("{}", make_invite(data_dir, options).await?);
    Ok(Exit::Done)
}
