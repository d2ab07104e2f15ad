//! The addresses in a peer's URL.

use std::{fmt::Display, sync::Arc};

use http::{
    Uri,
    uri::{Authority, Scheme},
};
use listener::tls::{Connector, Encrypted};

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const EXPECTED: &str = "expected http://HOST:PORT or https://HOST:PORT, more with commas between";

/// One address of a peer: a host that may stand for several endpoints.
#[derive(Debug)]
pub(crate) struct Place {
    /// Without the brackets that a URL has around IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    /// None: in the clear.
    pub(crate) tls: Option<Encrypted>,
}

/// Why a text names no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoPlace(pub(crate) String);

impl NoPlace {
    fn new(reason: impl Display) -> Self {
        Self(reason.to_string())
    }
}

impl Place {
    /// `http://a:1,b:2` is two places; the scheme may be said again, and is
    /// the same for all.
    pub(crate) fn all(
        urls: &str,
        server_name: Option<&str>,
        tls: Option<&Connector>,
    ) -> Result<Vec<Self>, NoPlace> {
        let Some((scheme, _)) = urls.split_once("://") else {
            return Err(NoPlace::new(EXPECTED));
        };
        let places = urls.split(',').map(str::trim);
        let places = places.map(|url| match url.split_once("://") {
            None => Self::parse(&format!("{scheme}://{url}"), server_name, tls),
            Some((own, _)) if own == scheme => Self::parse(url, server_name, tls),
            Some(_) => Err(NoPlace::new("expected one scheme for all addresses")),
        });
        places.collect()
    }

    fn parse(url: &str, name: Option<&str>, tls: Option<&Connector>) -> Result<Self, NoPlace> {
        let url: Uri = url.parse().map_err(NoPlace::new)?;
        let host = url.host().map(|host| host.trim_matches(['[', ']']));
        let (Some(scheme), Some(authority), Some(host)) = (
            url.scheme(),
            url.authority(),
            host.filter(|it| !it.is_empty()),
        ) else {
            return Err(NoPlace::new(EXPECTED));
        };
        let (default, tls) = match (scheme.as_str(), tls) {
            ("http", _) => (HTTP_PORT, None),
            ("https", Some(tls)) => {
                let name = name.unwrap_or(host);
                (HTTPS_PORT, Some(tls.to(name).map_err(NoPlace::new)?))
            }
            ("https", None) => {
                return Err(NoPlace::new("expected the section `tls` for https://"));
            }
            _ => return Err(NoPlace::new(EXPECTED)),
        };
        Ok(Self {
            host: host.to_owned(),
            port: url.port_u16().unwrap_or(default),
            scheme: scheme.clone(),
            authority: authority.clone(),
            tls,
        })
    }
}

/// A place, and what it resolves to.
pub(super) type Resolved = (std::net::SocketAddr, Arc<Place>);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_name_several_places() {
        let hosts = |urls: &str| -> Vec<String> {
            let places = Place::all(urls, None, None).unwrap();
            let places = places.iter();
            places
                .map(|place| format!("{} {} {}", place.host, place.port, place.authority))
                .collect()
        };
        assert_eq!(hosts("http://a"), ["a 80 a"]);
        assert_eq!(
            hosts("http://a:1,b:2, http://[::1]:3"),
            ["a 1 a:1", "b 2 b:2", "::1 3 [::1]:3"]
        );
    }

    #[test]
    fn all_places_have_one_scheme() {
        let refused = |urls: &str| Place::all(urls, None, None).unwrap_err().0;
        assert!(refused("http://a:1,https://b:2").contains("one scheme"));
        for urls in ["a:1,b:2", "http://a:1,", "http://a:1,,b:2", ""] {
            refused(urls);
        }
    }
}
