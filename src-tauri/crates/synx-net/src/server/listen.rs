//! From a connection to requests: limits on number and handshake time, TLS, HTTP/1.1.

use crate::server::addresses::Place;
use crate::server::meters::Counted;
use crate::server::{Phase, Shared, until};
use crate::transport::{ByteStream, Listen};
use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

/// Bytes that a request's head may have; also hyper's read buffer.
const HEAD_BYTES: usize = 16 * 1024;
/// After accepting failed (out of file handles, say): not at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn accept(mut listener: impl Listen, shared: Arc<Shared>, router: Router) {
    let mut phase = shared.phase.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = until(&mut phase, Phase::Draining) => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        if shared.turns_away.load(Ordering::Relaxed) {
            continue;
        }
        // Beyond the limit a connection is closed at once: to wait would let the idle keep out the living.
        let seat = Arc::clone(&shared.seats).try_acquire_owned().ok();
        let place = shared.addresses.connect(&shared.config, peer.ip());
        let (Some(seat), Some(place)) = (seat, place) else {
            shared.meters.turned_away.increment(1);
            continue;
        };
        let counted = Counted::one(&shared.meters.connections);
        let (shared, router, mut stopping) = (Arc::clone(&shared), router.clone(), phase.clone());
        let seat = Seat { address: peer.ip(), _held: Arc::new((seat, place, counted)) };
        tokio::spawn(async move {
            tokio::select! {
                () = connection(stream, &shared, router, seat) => {}
                () = until(&mut stopping, Phase::Stopped) => {}
            }
        });
    }
}

/// One of the server's connections. A WebSocket goes on after its HTTP request, and takes this along.
#[derive(Clone)]
pub(crate) struct Seat {
    /// Who is at the other end.
    pub address: IpAddr,
    _held: Arc<(OwnedSemaphorePermit, Place, Counted)>,
}

async fn connection(stream: impl ByteStream, shared: &Shared, router: Router, seat: Seat) {
    let mut stream = TimeoutWriter::new(shared.meters.metered(stream));
    stream.set_timeout(Some(shared.config.limits.stalled));
    let stream = Box::pin(stream);
    let Some(tls) = &shared.config.tls else { return http(stream, shared, router, seat).await };
    let handshake = TlsAcceptor::from(tls.config()).accept(stream);
    match tokio::time::timeout(shared.config.limits.handshake, handshake).await {
        Ok(Ok(stream)) => http(stream, shared, router, seat).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn http(stream: impl ByteStream, shared: &Shared, router: Router, seat: Seat) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(seat.clone());
        router.clone().call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.config.limits.handshake)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(serving);
    let served = tokio::select! {
        served = &mut serving => served,
        () = shared.draining() => {
            // The request that is under way is the last.
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}
