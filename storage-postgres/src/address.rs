//! Where the server is, and how the way to it is protected: a `postgres://` URL with `sslmode` and `sslrootcert`, as
//! libpq has them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use leadledger::StoreError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::text;

/// A server, and how to reach it.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) tls: Option<MakeRustlsConnect>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The driver leaves the password out.
        f.debug_struct("Address").field("config", &self.config).field("tls", &self.tls.is_some()).finish()
    }
}

fn misconfigured(what: impl std::fmt::Display) -> StoreError {
    StoreError::Misconfigured(what.to_string())
}

impl Address {
    /// Understands a URL; says what is wrong with it without repeating its password.
    pub(crate) fn parse(url: &str, connect_timeout: Duration) -> Result<Self, StoreError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(misconfigured("the address must be a postgres:// URL"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(unescape(value)?),
                _ => rest.push(pair),
            }
        }
        let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config: tokio_postgres::Config =
            plain.parse().map_err(|fault| misconfigured(format!("the address is not understood: {}", text(&fault))))?;
        if config.get_hosts().is_empty() {
            return Err(misconfigured("the address names no host"));
        }
        if config.get_application_name().is_none() {
            config.application_name("leadledger");
        }
        config.connect_timeout(connect_timeout);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(30));
        let tls = match mode {
            None if config.get_hosts().iter().all(is_local) => None,
            Some("disable") => None,
            None | Some("require") => Some(unverified()?),
            Some("verify-full") => Some(verified(roots.as_deref())?),
            Some(other) => {
                return Err(misconfigured(format!("sslmode is disable, require or verify-full, not {other:?}")));
            }
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Self { config, tls: tls.map(MakeRustlsConnect::new) })
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Undoes the percent-encoding of a URL's parameter.
fn unescape(value: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        if *first == b'%' {
            bytes.push(escaped().ok_or_else(|| misconfigured("a % in the address is not followed by two digits"))?);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).map_err(|_| misconfigured("the address is not UTF-8"))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// TLS with whoever answers under the host's name and shows a certificate of a trusted authority.
fn verified(roots: Option<&str>) -> Result<ClientConfig, StoreError> {
    let mut store = RootCertStore::empty();
    match roots {
        None | Some("system") => {
            for certificate in rustls_native_certs::load_native_certs().certs {
                // One that is not understood is one authority less.
                let _ = store.add(certificate);
            }
            if store.is_empty() {
                return Err(misconfigured(
                    "this machine has no certificates of authorities; name a file: sslrootcert=",
                ));
            }
        }
        Some(file) => {
            let fault = |fault: &dyn std::error::Error| misconfigured(format!("sslrootcert {file:?}: {}", text(fault)));
            for certificate in CertificateDer::pem_file_iter(file).map_err(|unread| fault(&unread))? {
                let certificate = certificate.map_err(|unread| fault(&unread))?;
                store.add(certificate).map_err(|refused| fault(&refused))?;
            }
            if store.is_empty() {
                return Err(misconfigured(format!("sslrootcert {file:?} holds no certificate")));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    Ok(config.map_err(misconfigured)?.with_root_certificates(store).with_no_client_auth())
}

/// TLS with whoever answers.
fn unverified() -> Result<ClientConfig, StoreError> {
    let verifier = Arc::new(Anybody(provider()));
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.map_err(misconfigured)?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(config.with_no_client_auth())
}

/// `sslmode=require` asks for encryption only, as in libpq.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(url: &str) -> String {
        Address::parse(url, Duration::from_secs(1)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_address_says_so_and_keeps_the_password() {
        for (url, what) in [
            ("mysql://u:secret@h/d", "must be a postgres:// URL"),
            ("postgres://u:secret@h/d?sslmode=prefer", "not \"prefer\""),
            ("postgres://u:secret@h/d?sslmode=verify-full&sslrootcert=%2Fnowhere%2Fca.pem", "/nowhere/ca.pem"),
            ("postgres://u:secret@h/d?sslmode=verify-full&sslrootcert=%2", "two digits"),
            ("postgres://u:secret@h:port/d", "not understood"),
            ("postgres://u:secret@h/d?no_such=1", "not understood"),
            ("postgres:///d", "names no host"),
        ] {
            let fault = fault(url);
            assert!(fault.contains(what) && !fault.contains("secret"), "{url} gave {fault:?}");
        }
    }

    #[test]
    fn a_server_far_away_is_reached_by_tls_unless_told_otherwise() {
        for (url, tls) in [
            ("postgres://u@db.example.org/d", true),
            ("postgres://u@db.example.org/d?sslmode=disable", false),
            ("postgres://u@127.0.0.1/d", false),
            ("postgres://u@localhost:5433/d?application_name=x", false),
            ("postgresql://u@127.0.0.1/d?sslmode=require", true),
        ] {
            let address = Address::parse(url, Duration::from_secs(1)).unwrap();
            assert_eq!(address.tls.is_some(), tls, "{url}");
        }
    }
}
