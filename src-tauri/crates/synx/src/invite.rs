//! `synx invite`: links to a room of this data folder, also while its host is running, or of a cluster; what was given out,
//! and taking it back.

use crate::args::{Invite, InviteRole};
use crate::exit::Exit;
use std::path::Path;
use std::time::Duration;
use synx_node::bridge::{InviteView, RoleView};
use synx_node::history::utc;
use synx_node::{InviteOptions, NodeError, cluster_invite, list_invites, make_invite, revoke_invite};

/// Prints the link, or the list.
pub async fn run(args: Invite, data_dir: &Path) -> Result<Exit, NodeError> {
    if (args.list || args.revoke.is_some()) && args.cluster.options().is_some() {
        let problem = "is for rooms of this machine: the invites of a cluster's room are in the room";
        return Err(NodeError::BadValue { what: "--list or --revoke", problem });
    }
    if args.list {
        for invite in list_invites(data_dir, args.room.as_deref()).await? {
            let json = || serde_json::to_string(&invite).unwrap_or_default();
            println!("{}", if args.json { json() } else { line(&invite) });
        }
        return Ok(Exit::Done);
    }
    if let Some(invite) = &args.revoke {
        revoke_invite(data_dir, args.room.as_deref(), invite).await?;
        return Ok(Exit::Done);
    }
    let role = match args.role {
        InviteRole::Listener => RoleView::Listener,
        InviteRole::Dj => RoleView::Dj,
    };
    let expires_in = Duration::from_secs(args.expires);
    let options = InviteOptions {
        room: args.room,
        role,
        expires_in,
        max_uses: args.uses,
        knock: args.knock,
        addresses: args.address,
    };
    let link = match args.cluster.options() {
        Some(cluster) => cluster_invite(&cluster, !args.no_tls, options).await?,
        None => make_invite(data_dir, options).await?,
    };
    println!("{link}");
    Ok(Exit::Done)
}

fn line(invite: &InviteView) -> String {
    let role = match invite.role {
        RoleView::Listener => "listener",
        RoleView::Dj => "dj",
        RoleView::Host => "host",
    };
    let uses =
        invite.max_uses.map_or_else(|| invite.uses.to_string(), |max| format!("{}/{max}", invite.uses));
    let state = match (invite.revoked, invite.usable) {
        (true, _) => "revoked",
        (false, true) => "good",
        (false, false) => "over",
    };
    let knock = if invite.knock { "  knock" } else { "" };
    format!(
        "{}  {role:<8}  {state:<7}  used {uses:<7}  until {}{knock}",
        invite.id,
        utc(invite.expires_at_ms)
    )
}
