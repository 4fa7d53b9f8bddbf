//! Host and Origin of every request: no website may reach a room through its visitor's browser.

use crate::server::Shop;
use crate::server::refusal::Refusal;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use std::net::IpAddr;

pub(crate) async fn check(State(shop): Shop, request: Request, next: Next) -> Result<Response, Refusal> {
    let headers = request.headers();
    if !host_is_fine(headers, &shop.config.allowed_hosts) {
        let message =
            "this host name is not one of this server's: use its address, or have the host allow the name";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "host_not_allowed", message));
    }
    let allowed = |origin: &str| shop.config.allowed_origins.iter().any(|allowed| allowed == origin);
    let foreign = |origin: &http::HeaderValue| !origin.to_str().is_ok_and(allowed);
    if headers.get_all(header::ORIGIN).iter().any(foreign) {
        let message = "web pages may not connect to this server";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "origin_not_allowed", message));
    }
    Ok(next.run(request).await)
}

/// A rebound name is always a DNS name of the attacker: addresses and this network's own names are none.
fn host_is_fine(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".local")
        || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_names_of_this_network_are_hosts() {
        let fine = |host: &'static str| {
            let headers = HeaderMap::from_iter([(header::HOST, http::HeaderValue::from_static(host))]);
            host_is_fine(&headers, &["music.example.org".to_owned()])
        };
        for host in ["127.0.0.1:4000", "[::1]:4000", "localhost", "Studio.local:9", "MUSIC.example.org:443"] {
            assert!(fine(host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:80", "local", "", "[x", "localhost.evil.example"]
        {
            assert!(!fine(host), "{host}");
        }
        assert!(!host_is_fine(&HeaderMap::new(), &[]));
    }
}
