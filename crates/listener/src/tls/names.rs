//! Names in a certificate that was verified.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The subject alternative names that are DNS names or URIs. The common name
/// counts for nothing.
pub(crate) fn of(chain: Option<&[CertificateDer<'_>]>) -> Arc<[String]> {
    let Some(Ok(certificate)) = chain.and_then(<[_]>::first).map(EndEntityCert::try_from) else {
        return Arc::default();
    };
    let hosts = certificate.valid_dns_names().map(str::to_ascii_lowercase);
    let uris = certificate.valid_uri_names().map(str::to_owned);
    hosts.chain(uris).collect()
}
