//! For those who run this program and not for its guests: whether it lives (`/healthz`), whether it takes work (`/readyz`), and
//! its counts for Prometheus (`/metrics`), on a port of their own.
//!
//! Must never be reachable where the rooms are, unless somebody asks for that address: the counts tell who is how busy.

use crate::error::NodeError;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics::{Unit, describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synx_log::LogError;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Bounds of the histograms, seconds: from an fsync of a fast disk to what nobody waits for.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How often what was measured is sorted into the histograms, so that it does not pile up where nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why work is not taken now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotReady {
    /// Stable code.
    pub code: &'static str,
    /// For a person.
    pub message: String,
}

impl NotReady {
    /// It has not begun yet.
    pub fn starting() -> Self {
        Self { code: "starting", message: "the program is starting".to_owned() }
    }

    /// It is about to end.
    pub fn draining() -> Self {
        Self { code: "draining", message: "the program stops: try another node".to_owned() }
    }
}

impl From<LogError> for NotReady {
    fn from(error: LogError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

/// Somebody who takes work.
type Ready = Arc<dyn Fn() -> Result<(), NotReady> + Send + Sync>;

/// The running port. Dropping it closes it.
pub struct Ops {
    address: SocketAddr,
    ready: Arc<Mutex<Ready>>,
    _tasks: JoinSet<()>,
}

impl Ops {
    /// Listens from now on, and says that work is not taken yet. What is counted by parts of the program that start later is
    /// found here.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(listen: SocketAddr) -> Result<Self, NodeError> {
        let failed = |source| NodeError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let counts = counts();
        let ready: Arc<Mutex<Ready>> = Arc::new(Mutex::new(Arc::new(|| Err(NotReady::starting()))));
        let mut tasks = JoinSet::new();
        let router = router(Desk { counts: counts.clone(), ready: Arc::clone(&ready) });
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "nobody can see how this program is any more");
            }
        });
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                counts.run_upkeep();
            }
        });
        Ok(Self { address, ready, _tasks: tasks })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// From now on this answers whether work is taken. It must not wait.
    pub fn ask(&self, ready: impl Fn() -> Result<(), NotReady> + Send + Sync + 'static) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(ready);
    }

    /// From now on no work is taken.
    pub fn draining(&self) {
        self.ask(|| Err(NotReady::draining()));
    }
}

/// The counts of this process: whoever counts finds them. Where others watch already, there are none here.
fn counts() -> PrometheusHandle {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS);
    let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("the counts of this process go elsewhere already: /metrics shows none");
    }
    describe_gauge!("synx_build_info", "Always 1; the version is in the label.");
    gauge!("synx_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    describe_gauge!("process_start_time_seconds", Unit::Seconds, "When the process started, since 1970 UTC.");
    gauge!("process_start_time_seconds").set(crate::wall_clock_ms() as f64 / 1000.0);
    handle
}

#[derive(Clone)]
struct Desk {
    counts: PrometheusHandle,
    ready: Arc<Mutex<Ready>>,
}

fn router(desk: Desk) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics_page))
        .with_state(desk)
}

async fn readiness(State(desk): State<Desk>) -> impl IntoResponse {
    let ready = Arc::clone(&desk.ready.lock().unwrap_or_else(PoisonError::into_inner));
    match ready() {
        Ok(()) => (StatusCode::OK, Json(json!({"status": "ready"}))),
        Err(NotReady { code, message }) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": code, "message": message})))
        }
    }
}

async fn metrics_page(State(desk): State<Desk>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], desk.counts.render())
}
