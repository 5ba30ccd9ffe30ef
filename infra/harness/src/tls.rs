//! What a service of AWS shows of itself: a chain of certificates of the same length and the same kind of keys, and a
//! bundle of roots as large as the one of Lambda's image.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RsaKeySize,
};
use tempfile::NamedTempFile;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer, version},
};

/// A server's proof of who it is, and what a client needs to check it.
pub struct Identity {
    acceptor: TlsAcceptor,
    bundle: NamedTempFile,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("bundle", &self.bundle.path()).finish_non_exhaustive()
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// RSA keys of 2,048 bits: a root, an authority under it, and a server at 127.0.0.1.
    #[must_use]
    pub fn new() -> Self {
        let (root_params, root_key) = (authority("Bench Root"), key());
        let root = root_params.self_signed(&root_key).expect("a root");
        let root_issuer = Issuer::new(root_params, root_key);
        let (params, key_of_authority) = (authority("Bench Authority"), key());
        let intermediate = params.signed_by(&key_of_authority, &root_issuer).expect("an authority");
        let issuer = Issuer::new(params, key_of_authority);
        let server_key = key();
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
        let server = server.signed_by(&server_key, &issuer).expect("a certificate");
        let chain = vec![server.der().clone(), intermediate.der().clone()];
        let key = PrivateKeyDer::Pkcs8(server_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_protocol_versions(&[&version::TLS13])
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a chain and its key");
        Self { acceptor: TlsAcceptor::from(std::sync::Arc::new(config)), bundle: bundle(&root) }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// How many roots the bundle has.
    #[must_use]
    pub fn roots(&self) -> usize {
        webpki_root_certs::TLS_SERVER_ROOT_CERTS.len() + 1
    }

    /// For `SSL_CERT_FILE`.
    #[must_use]
    pub fn bundle(&self) -> String {
        self.bundle.path().to_str().expect("a path that is text").to_owned()
    }
}

fn key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// Mozilla's roots, which are those of Amazon Linux, and this one.
fn bundle(root: &Certificate) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref);
    for der in roots.chain([root.der().as_ref()]) {
        let lines = STANDARD.encode(der);
        writeln!(file, "-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----")
            .expect("a file that takes it");
    }
    file
}
