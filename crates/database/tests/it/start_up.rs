use database::{Database, Settings, durability_warnings};

#[tokio::test]
async fn settings_that_could_lose_acknowledged_writes_are_named() {
    // The private server of the tests is fast rather than durable.
    let fresh = testkit::database(&[]).await;
    let off = durability_warnings(&fresh.db).await.unwrap();
    assert_eq!(off, ["fsync", "full_page_writes"]);
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_refused_at_once() {
    let settings = Settings::new("mysql://127.0.0.1:nine");
    assert!(Database::connect(&settings, "test").await.is_err());
}

#[test]
fn settings_need_only_the_address_and_know_no_other_names() {
    let url = r#""url": "postgres://localhost/orders""#;
    let settings: Settings = serde_json::from_str(&format!("{{{url}}}")).unwrap();
    assert_eq!(settings.max_connections, 10);
    assert_eq!(settings.acquire_timeout_ms, 500);
    let misspelt = format!(r#"{{{url}, "max_conections": 5}}"#);
    let error = serde_json::from_str::<Settings>(&misspelt).unwrap_err();
    assert!(error.to_string().contains("max_conections"));
}

#[test]
fn the_password_is_not_shown() {
    let settings = Settings::new("postgres://shop:hunter2@localhost/orders");
    assert!(!format!("{settings:?}").contains("hunter2"));
}
