//! Certificates for a server on this machine: an authority of its own, and a certificate for `localhost`.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::account;
use crate::fault::{Fault, Trying};

/// The host name that the certificate is for.
pub(crate) const HOST: &str = "localhost";

/// Of a server on this machine, whose certificate the client is to verify.
pub(crate) fn url(role: &str, port: u16, database: &str, authority: &Path) -> String {
    format!("postgres://{role}@{HOST}:{port}/{database}?sslmode=verify-full&sslrootcert={}", authority.display())
}

/// The files of a server's certificate.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificates {
    /// Those in the folder; made where there are none.
    pub(crate) fn of(folder: &Path) -> Result<Self, Fault> {
        let [authority, certificate, key] = ["ca.crt", "server.crt", "server.key"].map(|name| folder.join(name));
        let files = Self { authority, certificate, key };
        // The key is written last.
        if !files.key.exists() {
            let [authority, certificate, key] = made().map_err(|fault| Fault::program("make a certificate", fault))?;
            write(&files.authority, &authority, 0o644)?;
            write(&files.certificate, &certificate, 0o644)?;
            write(&files.key, &key, 0o600)?;
        }
        Ok(files)
    }
}

/// The authority's certificate, the server's, and the server's key, in PEM.
fn made() -> Result<[String; 3], rcgen::Error> {
    let mut authority = params(Vec::new(), "leadledger testbed authority")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let mut server = params(vec![HOST.to_owned(), "127.0.0.1".to_owned()], HOST)?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &Issuer::new(authority, authority_key))?;
    Ok([authority_certificate.pem(), certificate.pem(), key.serialize_pem()])
}

fn params(names: Vec<String>, common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    Ok(params)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Fault> {
    let file = std::fs::File::options().write(true).create(true).truncate(true).mode(mode).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.trying(path.display())?;
    account::hand_over(path)
}
