//! Who may write to a folder that is let go of: nobody any more, once it is.
//!
//! Tasks that were begun may outlive what they were begun for; a disk that is written to by them then may be another instance's.
//! Each holds the gate while it writes. Must never be held over anything but the writing itself: letting go waits for it.

use std::io;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// The gate to a folder. Clones are the same gate; it is open at first.
#[derive(Debug, Clone, Default)]
pub struct WriteGate {
    closed: Arc<RwLock<bool>>,
}

/// Somebody who writes. The gate does not close before this ends.
#[derive(Debug)]
#[must_use]
pub struct Writing<'a> {
    _inside: RwLockReadGuard<'a, bool>,
}

impl WriteGate {
    /// Lets somebody in who is about to write.
    ///
    /// # Errors
    /// Once the gate is closed.
    pub fn enter(&self) -> io::Result<Writing<'_>> {
        let inside = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        if *inside {
            return Err(io::Error::other("this instance is closing and has let its folder go"));
        }
        Ok(Writing { _inside: inside })
    }

    /// Waits for those who write, and lets nobody in after them.
    pub fn close(&self) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn it_closes_behind_the_last_who_writes() {
        let gate = WriteGate::default();
        let other = gate.clone();
        let writing = gate.enter().unwrap();
        let (closed, is_closed) = mpsc::channel();
        let closing = thread::spawn(move || {
            other.close();
            closed.send(()).unwrap();
        });
        assert!(is_closed.try_recv().is_err());
        drop(writing);
        is_closed.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
        closing.join().unwrap();
        gate.enter().unwrap_err();
    }
}
