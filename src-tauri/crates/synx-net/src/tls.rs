//! The host's self-made certificate, and the peer's check that pins exactly that one.
//!
//! No authority vouches for a machine at home: the invite link carries the certificate's SHA-256 fingerprint instead, and
//! nothing else is accepted, neither another certificate nor a downgrade.

use crate::NetError;
use crate::identity::write_private;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The server's certificate and key.
#[derive(Clone)]
pub struct TlsIdentity {
    config: Arc<ServerConfig>,
    fingerprint: [u8; 32],
}

/// A certificate and its key as texts, to be kept elsewhere than in a folder. Secret: shown nowhere.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct TlsPem {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl TlsPem {
    /// A new self-made certificate.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn generate() -> Result<Self, NetError> {
        let made = rcgen::generate_simple_self_signed(vec!["synxsphere.invalid".to_owned()]).map_err(bad)?;
        Ok(Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
    }
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsIdentity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl TlsIdentity {
    /// Reads `cert.pem` and `key.pem` in `folder`, or makes them if the key does not exist.
    ///
    /// # Errors
    /// When the files cannot be read or written, or do not fit each other.
    pub fn load_or_create(folder: &Path) -> Result<Self, NetError> {
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        if !key.exists() {
            fs::create_dir_all(folder).map_err(NetError::file("make", folder))?;
            let made = TlsPem::generate()?;
            write_private(&certificate, made.certificate.as_bytes())?;
            // The key last: where it is, the certificate is.
            write_private(&key, made.key.as_bytes())?;
        }
        let certificate = CertificateDer::from_pem_file(&certificate).map_err(bad)?;
        Self::new(certificate, PrivateKeyDer::from_pem_file(&key).map_err(bad)?)
    }

    /// The certificate and key that these texts hold.
    ///
    /// # Errors
    /// When they hold none, or do not fit each other.
    pub fn from_pem(pem: &TlsPem) -> Result<Self, NetError> {
        let certificate = CertificateDer::from_pem_slice(pem.certificate.as_bytes()).map_err(bad)?;
        Self::new(certificate, PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).map_err(bad)?)
    }

    fn new(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<Self, NetError> {
        let fingerprint = sha256(&certificate);
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(bad)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(bad)?;
        Ok(Self { config: Arc::new(config), fingerprint })
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// A client side that accepts the certificate with this fingerprint and no other.
pub(crate) fn pinned(fingerprint: [u8; 32]) -> Result<Arc<ClientConfig>, NetError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(bad)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pin { fingerprint, provider: provider() }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A client side for proxies with an ordinary certificate: trusts the authorities that this system trusts.
pub(crate) fn ordinary() -> Result<Arc<ClientConfig>, NetError> {
    let mut roots = RootCertStore::empty();
    // What the system holds and cannot be read is left out; without any authority no certificate is accepted.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    trusting(roots)
}

pub(crate) fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, NetError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(bad)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn bad(error: impl std::fmt::Display) -> NetError {
    NetError::Certificate(error.to_string())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

#[derive(Debug)]
struct Pin {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if sha256(end_entity) == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
