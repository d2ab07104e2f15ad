use std::io::Write as _;

use limits::{ForwardedBy, Quota, Settings};

use crate::world::*;

fn read(text: &str) -> Result<Settings, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_is_not_set_has_its_default() {
    let settings = read(r#"{"customer": {"per_second": 7}}"#).unwrap();
    assert_eq!(settings.customer, Quota::new(7, 0));
    assert_eq!(settings.credential, Settings::default().credential);
    assert_eq!(settings.forwarded_by, ForwardedBy::XForwardedFor);
    assert_eq!(read("{}").unwrap(), Settings::default());
}

#[test]
fn everything_can_be_set() {
    let settings = read(
        r#"{
            "idempotency_key": {"per_second": 0},
            "trusted_proxies": ["10.0.0.0/8", "::1", "2001:db8::/32"],
            "forwarded_by": "forwarded"
        }"#,
    )
    .unwrap();
    assert_eq!(settings.idempotency_key, Quota::OFF);
    assert_eq!(settings.forwarded_by, ForwardedBy::Forwarded);
    let again = serde_json::to_string(&settings).unwrap();
    assert_eq!(read(&again).unwrap(), settings);
}

#[test]
fn an_operator_writes_them_in_a_file() {
    #[derive(serde::Deserialize)]
    struct Service {
        limits: Settings,
    }
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(
        b"[limits]\n\
          address = { per_second = 50, burst = 75 }\n\
          trusted_proxies = ['10.0.0.0/8']\n\
          forwarded_by = 'forwarded'\n",
    )
    .unwrap();
    let service: Service = settings::load(Some(file.path()), "LIMITS_TEST").unwrap();
    assert_eq!(service.limits.address, Quota::new(50, 75));
    assert_eq!(service.limits.customer, Settings::default().customer);
    assert_eq!(
        service.limits.trusted_proxies,
        ["10.0.0.0/8".parse().unwrap()]
    );
    assert_eq!(service.limits.forwarded_by, ForwardedBy::Forwarded);
}

#[test]
fn a_mistake_is_told() {
    let wrong = [
        (
            r#"{"customers": {"per_second": 1}}"#,
            "unknown field `customers`",
        ),
        (
            r#"{"customer": {"burst": 1}}"#,
            "missing field `per_second`",
        ),
        (r#"{"customer": {"per_second": -1}}"#, "invalid value"),
        (
            r#"{"trusted_proxies": ["10.0.0.0/33"]}"#,
            "expected a network such as 10.0.0.0/8",
        ),
        (
            r#"{"trusted_proxies": ["ingress"]}"#,
            "expected a network such as 10.0.0.0/8",
        ),
        (
            r#"{"forwarded_by": "via"}"#,
            "expected `x-forwarded-for` or `forwarded`",
        ),
    ];
    for (text, expected) in wrong {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[tokio::test]
async fn without_a_burst_it_is_that_of_ten_seconds() {
    let redis = testkit::redis().await;
    let limits = replica(&redis, per_customer(2, 0)).await;
    let sum = admitted(&limits, &[(Customer, "c")], 100).await;
    assert!((20..=22).contains(&sum), "{sum}");
}
