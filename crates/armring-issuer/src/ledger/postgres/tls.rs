//! TLS to the database, by rustls.

use std::sync::Arc;

use postgres::Config;
use postgres::config::SslMode;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{PostgresLedger, PostgresOptions};
use crate::error::MachineError;

impl PostgresLedger {
    /// Opens the ledger that a connection string names, over TLS 1.2 or 1.3, or not at all: whatever `sslmode` says, nothing is sent to a server
    /// whose certificate does not name the host and come from one of `authorities` (certificates, PEM).
    ///
    /// `host=ledger.example hostaddr=192.0.2.7 user=issuer dbname=ledger`: `host` is the name, `hostaddr` where it is, if no name server is to
    /// be asked.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`MachineError::Storage`] as well where `authorities` has no certificate, or something else than certificates.
    pub fn open_tls(parameters: &str, authorities: &[u8], options: PostgresOptions) -> Result<Self, MachineError> {
        let mut config: Config = parameters.parse()?;
        config.ssl_mode(SslMode::Require);
        let client = client(authorities).map_err(MachineError::Storage)?;
        Self::open_with(config, MakeRustlsConnect::new(client), options)
    }
}

fn client(authorities: &[u8]) -> Result<ClientConfig, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err("there is no certificate among the authorities".into());
    }
    // Named here, since a program may have several providers compiled in, and rustls then takes none by itself.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
