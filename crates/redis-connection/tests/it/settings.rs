use redis_connection::Settings;
use secrecy::ExposeSecret;
use serde_json::{from_value, json};

#[test]
fn the_address_of_redis_is_checked_where_it_is_read_and_not_shown() {
    let good: Settings = from_value(json!({"url": "redis://u:p@host:6379/1"})).unwrap();
    assert_eq!(good.url.expose_secret(), "redis://u:p@host:6379/1");
    assert!(!format!("{good:?}").contains("host"));

    let bad = from_value::<Settings>(json!({"url": "http://u:p4ss@host"})).unwrap_err();
    let text = bad.to_string();
    assert!(text.contains("redis://"), "{text}");
    assert!(!text.contains("p4ss"), "{text}");
}

#[test]
fn unknown_keys_are_refused() {
    let unknown = json!({"url": "redis://host", "uri": "redis://host"});
    assert!(from_value::<Settings>(unknown).is_err());
}
