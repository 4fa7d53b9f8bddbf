//! From a TCP connection to requests: limits on number and handshake time, TLS, HTTP/1.1.

use crate::server::Shared;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// Bytes that a request's head may have; also hyper's read buffer.
const HEAD_BYTES: usize = 16 * 1024;
/// After accepting failed (out of file handles, say): not at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let seats = Arc::new(Semaphore::new(shared.config.limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Beyond the limit a connection is closed at once: to wait would let the idle keep out the living.
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else { continue };
        let (shared, router, mut stopping) = (Arc::clone(&shared), router.clone(), stopping.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = connection(stream, &shared, router) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
            drop(seat);
        });
    }
}

async fn connection(stream: TcpStream, shared: &Shared, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let Some(tls) = &shared.config.tls else { return http(stream, shared, router).await };
    let handshake = TlsAcceptor::from(tls.config()).accept(stream);
    match tokio::time::timeout(shared.config.limits.handshake, handshake).await {
        Ok(Ok(stream)) => http(stream, shared, router).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: &Shared, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.config.limits.handshake)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}
