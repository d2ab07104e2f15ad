//! Who is at the other end, also behind proxies.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

use crate::{ForwardedBy, Settings};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Each proxy adds whom it got the request from at the right end. What a
/// trusted one added is true, and what stands left of an untrusted one may be
/// anything: so the answer is the rightmost that is not trusted. Where a
/// trusted one added no address, it is that proxy's own.
pub fn client(peer: IpAddr, headers: &HeaderMap, settings: &Settings) -> IpAddr {
    let mut client = peer.to_canonical();
    let mut hops = hops(headers, settings.forwarded_by);
    while is_trusted(client, settings) {
        match hops.next() {
            Some(Some(hop)) => client = hop,
            Some(None) | None => break,
        }
    }
    client
}

pub(crate) fn is_trusted(address: IpAddr, settings: &Settings) -> bool {
    settings
        .trusted_proxies
        .iter()
        .any(|network| network.contains(address))
}

/// Does somebody claim to be a proxy here?
pub(crate) fn is_forwarded(headers: &HeaderMap, by: ForwardedBy) -> bool {
    headers.contains_key(name(by))
}

fn name(by: ForwardedBy) -> HeaderName {
    match by {
        ForwardedBy::XForwardedFor => X_FORWARDED_FOR,
        ForwardedBy::Forwarded => header::FORWARDED,
    }
}

/// From right to left; `None` is what cannot be read.
fn hops(headers: &HeaderMap, by: ForwardedBy) -> impl Iterator<Item = Option<IpAddr>> {
    let lines: Vec<_> = headers.get_all(name(by)).iter().collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .filter_map(move |hop| match std::str::from_utf8(hop).map(str::trim) {
            Ok("") => None,
            Ok(hop) => Some(hop_address(hop, by)),
            Err(_) => Some(None),
        })
}

fn hop_address(hop: &str, by: ForwardedBy) -> Option<IpAddr> {
    match by {
        ForwardedBy::XForwardedFor => address(hop),
        ForwardedBy::Forwarded => {
            let pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
            let mut nodes = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
            let (_, node) = nodes.next()?;
            address(node.trim().trim_matches('"'))
        }
    }
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]` or
/// `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = match text.parse::<SocketAddr>() {
        Ok(with_port) => with_port.ip(),
        Err(_) => bare.unwrap_or(text).parse().ok()?,
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(forwarded_by: ForwardedBy) -> Settings {
        let networks = ["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1"];
        Settings {
            trusted_proxies: networks.iter().map(|n| n.parse().unwrap()).collect(),
            forwarded_by,
            ..Settings::default()
        }
    }

    fn headers(of: &[(&'static str, &[u8])]) -> HeaderMap {
        of.iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.to_vec()))
            .map(|(name, value)| (name, http::HeaderValue::from_bytes(&value).unwrap()))
            .collect()
    }

    fn client_of(peer: &str, lines: &[&str]) -> String {
        let mut map = HeaderMap::new();
        for line in lines {
            map.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        let settings = settings(ForwardedBy::XForwardedFor);
        client(peer.parse().unwrap(), &map, &settings).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_that_it_is_somebody_else() {
        assert_eq!(client_of("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(client_of("203.0.113.7", &["10.0.0.1"]), "203.0.113.7");
    }

    #[test]
    fn what_the_client_itself_sent_lies_left_of_it_and_is_not_read() {
        for own in [
            "6.6.6.6",
            "10.0.0.9",
            "garbage",
            "",
            ",,,",
            "6.6.6.6, 10.0.0.9",
        ] {
            let line = format!("{own}, 203.0.113.7");
            assert_eq!(client_of("10.0.0.1", &[&line]), "203.0.113.7", "{own}");
            assert_eq!(client_of("10.0.0.1", &[own, "203.0.113.7"]), "203.0.113.7");
            let line = format!("{own}, 203.0.113.7, 10.1.1.1, 192.0.2.1");
            assert_eq!(client_of("10.0.0.1", &[&line]), "203.0.113.7", "{own}");
        }
    }

    #[test]
    fn the_last_trusted_one_counts_where_it_names_nobody() {
        assert_eq!(client_of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", &["6.6.6.6, unknown"]), "10.0.0.1");
        assert_eq!(
            client_of("10.0.0.1", &["6.6.6.6, 999.1.1.1, 10.0.0.2"]),
            "10.0.0.2"
        );
        assert_eq!(client_of("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn addresses_are_read_with_ports_and_in_both_families() {
        assert_eq!(client_of("10.0.0.1", &["203.0.113.7:4711"]), "203.0.113.7");
        assert_eq!(
            client_of("10.0.0.1", &["[2001:db8::7]:4711"]),
            "2001:db8::7"
        );
        assert_eq!(client_of("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(
            client_of("::ffff:10.0.0.1", &["2001:db8::7"]),
            "2001:db8::7"
        );
        assert_eq!(
            client_of("2001:db8:ffff::1", &["::ffff:203.0.113.7"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_read_as_nobody() {
        let map = headers(&[("x-forwarded-for", b"\xff\xfe, 203.0.113.7, \xff")]);
        let settings = settings(ForwardedBy::XForwardedFor);
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(client(peer, &map, &settings), peer);
    }

    #[test]
    fn the_standard_header_is_read_instead_when_set_and_the_other_never() {
        let map = headers(&[
            (
                "forwarded",
                br#"for=6.6.6.6, for="[2001:db8::7]:47";proto=https;by=10.0.0.1"#,
            ),
            ("x-forwarded-for", b"203.0.113.9"),
        ]);
        let peer = "10.0.0.1".parse().unwrap();
        let of = |by| client(peer, &map, &settings(by)).to_string();
        assert_eq!(of(ForwardedBy::Forwarded), "2001:db8::7");
        assert_eq!(of(ForwardedBy::XForwardedFor), "203.0.113.9");
    }

    #[test]
    fn a_quote_that_the_client_left_open_hides_nothing() {
        let of = |value: &[u8]| {
            let map = headers(&[("forwarded", value)]);
            let peer = "10.0.0.1".parse().unwrap();
            client(peer, &map, &settings(ForwardedBy::Forwarded)).to_string()
        };
        assert_eq!(of(b"for=\"6.6.6.6, For=203.0.113.7"), "203.0.113.7");
        assert_eq!(of(b"for=6.6.6.6, proto=https"), "10.0.0.1");
        assert_eq!(of(b"for=6.6.6.6, for=_hidden"), "10.0.0.1");
    }
}
