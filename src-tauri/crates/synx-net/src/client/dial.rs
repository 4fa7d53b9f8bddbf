//! From a link's addresses to a connection: all are tried, the next one shortly after the last, and the first that
//! shows the right certificate is taken.

use crate::link::{behind_https, is_address};
use crate::transport::{ByteStream, Dial};
use crate::{InviteLink, NetError, tls};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;

/// As in RFC 8305: an address that does not answer holds up the next one no longer than this.
const STAGGER: Duration = Duration::from_millis(250);
/// From the first packet to a complete TLS handshake.
const CONNECT: Duration = Duration::from_secs(8);
/// The name in a handshake with a host itself. Its certificate is pinned: no name is checked.
const SERVER_NAME: &str = "synxsphere.invalid";

/// A connection, and what the other side is called in requests.
pub(crate) struct Dialled {
    pub io: Box<dyn ByteStream>,
    pub authority: String,
}

/// Where a room's host may be, and how it must show itself.
pub(crate) struct Dialler {
    pub addresses: Vec<String>,
    network: Arc<dyn Dial>,
    pinned: Option<TlsConnector>,
    /// For addresses of proxies; there where the link or the user names one.
    ordinary: Option<TlsConnector>,
}

impl Dialler {
    pub fn new(
        link: &InviteLink,
        addresses: Option<Vec<String>>,
        network: Arc<dyn Dial>,
    ) -> Result<Self, NetError> {
        let addresses = addresses.unwrap_or_else(|| link.addresses.clone());
        if let Some(address) = addresses.iter().find(|address| !is_address(address)) {
            return Err(NetError::BadAddress(address.clone()));
        }
        let pinned = link.fingerprint.map(tls::pinned).transpose()?.map(TlsConnector::from);
        let proxied = addresses.iter().any(|address| behind_https(address).is_some());
        let ordinary = proxied.then(tls::ordinary).transpose()?.map(TlsConnector::from);
        Ok(Self { addresses, network, pinned, ordinary })
    }

    pub async fn dial(&self) -> Result<Dialled, NetError> {
        let start = |(index, address): (usize, &String)| {
            let address = address.clone();
            async move {
                tokio::time::sleep(STAGGER * u32::try_from(index).unwrap_or(u32::MAX)).await;
                let tried = tokio::time::timeout(CONNECT, self.connect(&address)).await;
                (address, tried.unwrap_or_else(|_| Err("no answer".to_owned())))
            }
        };
        let mut tries: FuturesUnordered<_> = self.addresses.iter().enumerate().map(start).collect();
        let mut attempts = Vec::new();
        while let Some((address, tried)) = tries.next().await {
            match tried {
                Ok(io) => {
                    let authority = behind_https(&address).unwrap_or(&address).to_owned();
                    return Ok(Dialled { io, authority });
                }
                Err(reason) if reason == WRONG_CERTIFICATE && self.addresses.len() == 1 => {
                    return Err(NetError::WrongCertificate { address });
                }
                Err(reason) => attempts.push(format!("{address}: {reason}")),
            }
        }
        if attempts.is_empty() {
            attempts.push("the link names no address".to_owned());
        }
        Err(NetError::Unreachable { attempts })
    }

    async fn connect(&self, address: &str) -> Result<Box<dyn ByteStream>, String> {
        let proxy = behind_https(address);
        let target = match proxy {
            Some(name) if !name.contains(':') => format!("{name}:443"),
            Some(authority) => authority.to_owned(),
            None => address.to_owned(),
        };
        let stream = self.network.connect(&target).await.map_err(|error| error.to_string())?;
        let (tls, name) = match proxy {
            Some(_) => (&self.ordinary, target.rsplit_once(':').map_or(target.as_str(), |(name, _)| name)),
            None => (&self.pinned, SERVER_NAME),
        };
        let Some(tls) = tls else { return Ok(stream) };
        let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
        tls.connect(name, stream)
            .await
            .map(|stream| Box::new(stream) as Box<dyn ByteStream>)
            .map_err(|error| tls_problem(&error))
    }
}

const WRONG_CERTIFICATE: &str = "shows another certificate than the link names";

fn tls_problem(error: &std::io::Error) -> String {
    use rustls::{CertificateError, Error};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            WRONG_CERTIFICATE.to_owned()
        }
        _ => format!("no TLS: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Tcp;
    use rustls::RootCertStore;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use synx_domain::RoomId;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// A proxy for `localhost` with a certificate of its own; where it is, and the certificate.
    async fn proxy() -> (String, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let certificate = made.cert.der().clone();
        let server =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.clone()], key)
                .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(server));
            while let Ok((stream, _)) = listener.accept().await {
                drop(acceptor.accept(stream).await);
            }
        });
        (address, certificate)
    }

    fn dialler(address: &str, trusted: Option<CertificateDer<'static>>) -> Dialler {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(trusted);
        let link = InviteLink {
            room: RoomId::from_bytes([1; 16]),
            name: String::new(),
            addresses: vec![address.to_owned()],
            fingerprint: None,
            invite: None,
        };
        let dialler = Dialler::new(&link, None, Arc::new(Tcp)).unwrap();
        assert!(dialler.ordinary.is_some());
        Dialler { ordinary: Some(TlsConnector::from(tls::trusting(roots).unwrap())), ..dialler }
    }

    #[tokio::test]
    async fn a_proxy_needs_an_ordinary_certificate_for_its_name() {
        let (address, certificate) = proxy().await;
        let dialled = dialler(&address, Some(certificate.clone())).dial().await.unwrap();
        assert_eq!(dialled.authority, address.trim_start_matches("https://"));

        let (other, _) = proxy().await;
        let by_number = address.replace("localhost", "127.0.0.1");
        for (address, trusted) in
            [(&address, None), (&other, Some(certificate.clone())), (&by_number, Some(certificate))]
        {
            let refused =
                dialler(address, trusted).dial().await.map(|dialled| dialled.authority).unwrap_err();
            assert_eq!(refused.code(), "unreachable", "{address}: {refused}");
        }
    }
}
