//! The wire: protocol, server, client, invites, discovery and file transfer.
