//! Exit codes. Scripts depend on them: they are listed in `--help` and never change.

use std::process::ExitCode;
use synx_node::{NetError, NodeError};

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// Some of several files failed.
    SomeFailed = 3,
    /// The room refused.
    Refused = 4,
    /// No connection could be made.
    NotConnected = 5,
    /// The log is damaged.
    LogDamaged = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&NodeError> for Exit {
    fn from(error: &NodeError) -> Self {
        match error {
            NodeError::Rejected(_) | NodeError::Refused { .. } => Self::Refused,
            NodeError::Net(error) => Self::from(error),
            error if error.code() == "cluster_unreachable" => Self::NotConnected,
            error if error.code() == "log_corrupt" => Self::LogDamaged,
            _ => Self::Failed,
        }
    }
}

impl From<&NetError> for Exit {
    fn from(error: &NetError) -> Self {
        match error {
            NetError::Unreachable { .. } | NetError::Lost(_) => Self::NotConnected,
            NetError::Refused { .. }
            | NetError::OtherProtocol { .. }
            | NetError::WrongCertificate { .. }
            | NetError::Token(_) => Self::Refused,
            _ => Self::Failed,
        }
    }
}
