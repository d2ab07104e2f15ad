//! Secrets come from files and are never printed.

use secrecy::ExposeSecret;

use crate::{DATABASE, Files};

const URL_FILE: &str = "CARTWRIGHT__DATABASE__URL_FILE";

#[test]
fn a_secret_file_gives_the_value_without_its_last_newline() {
    for (written, read) in [
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        ("s3cret", "s3cret"),
        ("two\nlines\n\n", "two\nlines\n"),
    ] {
        let files = Files::toml("");
        let name = files.add("url", written);
        let shop = files.load(&[(URL_FILE, &name)]).unwrap();
        assert_eq!(shop.database.url.expose_secret(), read, "{written:?}");
    }
}

#[test]
fn the_settings_file_may_name_a_secret_file() {
    let files = Files::toml("");
    let name = files.add("url", "from-secret");
    std::fs::write(
        &files.settings,
        format!("[database]\nurl_file = {name:?}\n"),
    )
    .unwrap();
    let shop = files.load(&[]).unwrap();
    assert_eq!(shop.database.url.expose_secret(), "from-secret");
    // A variable wins over it, also in its plain form.
    let shop = files
        .load(&[("CARTWRIGHT__DATABASE__URL", "plain")])
        .unwrap();
    assert_eq!(shop.database.url.expose_secret(), "plain");
}

#[test]
fn a_secret_file_named_by_a_variable_wins_over_a_value_in_the_file() {
    let files = Files::toml(DATABASE);
    let name = files.add("url", "from-secret");
    let shop = files.load(&[(URL_FILE, &name)]).unwrap();
    assert_eq!(shop.database.url.expose_secret(), "from-secret");
}

#[test]
fn a_value_and_a_secret_file_in_one_place_contradict() {
    let files = Files::toml("[database]\nurl = \"a\"\nurl_file = \"b\"\n");
    let error = files.load(&[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "key `database.url` and `database.url_file` are both set; keep one"
    );
}

#[test]
fn a_secret_file_that_is_not_there_is_named() {
    let error = Files::toml("")
        .load(&[(URL_FILE, "/nowhere/url")])
        .unwrap_err();
    assert_eq!(error.key().as_deref(), Some("database.url_file"));
    assert!(
        error.to_string().contains("/nowhere/url: No such file"),
        "{error}"
    );
}

#[test]
fn a_number_in_a_secret_file_is_parsed_and_a_bad_one_is_not_shown() {
    let files = Files::toml(DATABASE);
    let name = files.add("n", "12\n");
    let key = "CARTWRIGHT__DATABASE__MAX_CONNECTIONS_FILE";
    assert_eq!(
        files
            .load(&[(key, &name)])
            .unwrap()
            .database
            .max_connections,
        Some(12)
    );
    let name = files.add("bad", "hunter2");
    let error = files.load(&[(key, &name)]).unwrap_err().to_string();
    assert!(error.contains("key `database.max_connections`"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_file_that_cannot_be_parsed_does_not_show_its_lines() {
    for (name, text) in [
        ("shop.toml", "[database]\nurl = \"hunter2\n"),
        ("shop.yaml", "database:\n  url: \"hunter2\n"),
    ] {
        let error = Files::new(name, text).load(&[]).unwrap_err().to_string();
        assert!(
            error.contains(name) && !error.contains("hunter2"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn the_value_of_a_key_that_sounds_secret_is_not_shown() {
    #[derive(Debug, serde::Deserialize)]
    struct Service {
        #[allow(dead_code)] // Read by its type only.
        signing_key: u64,
    }
    let env = [("CARTWRIGHT__SIGNING_KEY", "hunter2")];
    let error = crate::from_env::<Service>(&env).unwrap_err().to_string();
    assert_eq!(
        error,
        "key `signing_key`: expected an integer that is not negative, \
         got a text (not shown) (from CARTWRIGHT__SIGNING_KEY)"
    );
}
