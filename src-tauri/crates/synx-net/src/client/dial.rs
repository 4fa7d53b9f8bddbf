//! From a link's addresses to a connection: all are tried, the next one shortly after the last, and the first that
//! shows the right certificate is taken.

use crate::{InviteLink, NetError, tls};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// As in RFC 8305: an address that does not answer holds up the next one no longer than this.
const STAGGER: Duration = Duration::from_millis(250);
/// From the first packet to a complete TLS handshake.
const CONNECT: Duration = Duration::from_secs(8);
/// The name in the handshake. The certificate is pinned: no name is checked.
const SERVER_NAME: &str = "synxsphere.invalid";

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection and the address that gave it.
pub(crate) struct Dialled {
    pub io: Box<dyn Io>,
    pub address: String,
}

/// Where a room's host may be, and how it must show itself.
pub(crate) struct Dialler {
    pub addresses: Vec<String>,
    tls: Option<TlsConnector>,
}

impl Dialler {
    pub fn new(link: &InviteLink, addresses: Option<Vec<String>>) -> Result<Self, NetError> {
        let addresses = addresses.unwrap_or_else(|| link.addresses.clone());
        if let Some(address) = addresses.iter().find(|address| !crate::link::is_address(address)) {
            return Err(NetError::BadAddress(address.clone()));
        }
        let tls = link.fingerprint.map(tls::pinned).transpose()?.map(TlsConnector::from);
        Ok(Self { addresses, tls })
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
                Ok(io) => return Ok(Dialled { io, address }),
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

    async fn connect(&self, address: &str) -> Result<Box<dyn Io>, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(SERVER_NAME).map_err(|error| error.to_string())?;
        tls.connect(name, stream)
            .await
            .map(|stream| Box::new(stream) as Box<dyn Io>)
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
