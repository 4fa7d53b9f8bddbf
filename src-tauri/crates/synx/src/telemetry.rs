//! Where the program's own words go: lines on standard error, as text or as JSON, and traces to a collector if one is named.
//!
//! Must never hold up the program: what a collector does not take is dropped.

use crate::args::{LogFormat, Telemetry as Options};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

mod collector;

/// What is traced: the work of this program, not that of its libraries.
const TRACED: &str = "off,synx=info,synx_cluster=info,synx_log=info,synx_net=info,synx_node=info";
/// How long the last traces may take to be handed over.
const LAST_TRACES: Duration = Duration::from_secs(2);

/// Why there is nowhere to write to.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent to {endpoint}: {detail}")]
pub struct TelemetryError {
    endpoint: String,
    detail: String,
}

/// What was started. [`Telemetry::end`] hands over what is left.
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Starts writing. `runtime` carries the traces.
pub fn start(options: &Options, runtime: &tokio::runtime::Handle) -> Result<Telemetry, TelemetryError> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match options.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let lines = lines.with_filter(EnvFilter::new(&options.log));
    let traces = options.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, runtime)).transpose()?;
    let spans = traces.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("synx"))
            .with_filter(EnvFilter::new(TRACED))
    });
    tracing_subscriber::registry().with(lines).with(spans).init();
    Ok(Telemetry { traces })
}

fn provider(endpoint: &str, runtime: &tokio::runtime::Handle) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector::Client::new(runtime.clone()))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| TelemetryError { endpoint: endpoint.to_owned(), detail: error.to_string() })?;
    let name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "synx".to_owned());
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name(name).with_attribute(version).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Telemetry {
    /// Hands over what is left.
    pub fn end(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown_with_timeout(LAST_TRACES)) {
            tracing::warn!(%error, "the last traces were not handed over");
        }
    }
}
