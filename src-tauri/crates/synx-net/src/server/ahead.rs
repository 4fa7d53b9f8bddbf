//! Reading ahead in memory that all connections of a thread share.
//!
//! A connection that is idle needs next to no memory of its own, and a busy one is read in few calls to the system. Must never
//! keep more for a connection than what it has sent and nobody has taken yet.

use bytes::{Buf, Bytes};
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that one call to the system takes: what some hundred commands have.
const AHEAD_BYTES: usize = 32 * 1024;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; AHEAD_BYTES]);
}

/// A stream of which more is read at once than is asked for.
pub(super) struct Ahead<S> {
    inner: S,
    /// What was read and not taken.
    rest: Bytes,
}

impl<S> Ahead<S> {
    pub fn of(inner: S) -> Self {
        Self { inner, rest: Bytes::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Ahead<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, rest } = self.get_mut();
        if rest.is_empty() {
            return SHARED.with_borrow_mut(|shared| {
                let mut read = ReadBuf::new(shared);
                ready!(Pin::new(inner).poll_read(context, &mut read))?;
                let (now, later) = read.filled().split_at(read.filled().len().min(into.remaining()));
                into.put_slice(now);
                *rest = Bytes::copy_from_slice(later);
                Poll::Ready(Ok(()))
            });
        }
        let length = rest.len().min(into.remaining());
        into.put_slice(&rest[..length]);
        rest.advance(length);
        if rest.is_empty() {
            // Gives its memory back.
            *rest = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ahead<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    proptest! {
        #[test]
        fn every_byte_comes_once_and_in_order(
            pieces in (0..3 * AHEAD_BYTES, 0..3 * AHEAD_BYTES),
            asked in proptest::collection::vec(1..2 * AHEAD_BYTES, 1..5),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let sent: Vec<u8> = (0..pieces.0 + pieces.1).map(|index| (index % 251) as u8).collect();
                let mut ahead = Ahead::of(AsyncReadExt::chain(&sent[..pieces.0], &sent[pieces.0..]));
                let mut taken = Vec::new();
                for length in asked.iter().cycle() {
                    let mut some = vec![0; *length];
                    let read = ahead.read(&mut some).await.unwrap();
                    if read == 0 {
                        break;
                    }
                    taken.extend_from_slice(&some[..read]);
                }
                assert_eq!(taken, sent);
            });
        }
    }
}
