//! The way to a collector: plain HTTP, on this program's own runtime.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use std::time::Duration;

/// A collector that takes longer gets no more of this batch.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends what is asked from another thread on the runtime.
#[derive(Debug)]
pub struct Client {
    runtime: tokio::runtime::Handle,
    client: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    pub fn new(runtime: tokio::runtime::Handle) -> Self {
        Self {
            runtime,
            client: hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http(),
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let send = async move {
            let answer = client.request(request.map(Full::new)).await?;
            let (head, body) = answer.into_parts();
            Ok::<_, HttpError>(Response::from_parts(head, body.collect().await?.to_bytes()))
        };
        self.runtime.spawn(async { tokio::time::timeout(PATIENCE, send).await }).await??
    }
}
