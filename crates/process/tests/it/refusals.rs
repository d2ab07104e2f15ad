//! What it does not start with: exit 64 and one line that names the key.

use crate::child::{command, free_address, run};

#[test]
fn bad_settings_exit_64_with_one_line_that_names_the_key() {
    let table = [
        (
            "CARTWRIGHT__WORK_MS",
            "soon",
            "small-service: key `work_ms`: expected an integer",
        ),
        (
            "CARTWRIGHT__WROK_MS",
            "1",
            "small-service: unknown key `wrok_ms`",
        ),
        (
            "CARTWRIGHT__LOG__LEVEL",
            "loud",
            "small-service: key `log.level`: expected a level",
        ),
        (
            "CARTWRIGHT__LOG__FORMAT",
            "xml",
            "key `log.format`: expected one of `json`, `pretty`",
        ),
        (
            "CARTWRIGHT__TELEMETRY__SAMPLE_RATIO",
            "2",
            "key `telemetry.sample_ratio`: expected a",
        ),
        (
            "CARTWRIGHT__PRIVATE_LISTEN",
            "here",
            "key `private_listen`: invalid socket address",
        ),
        (
            "CARTWRIGHT__AUTH__MODE",
            "basic",
            "key `auth.mode`: expected one of `none`, `jwt`",
        ),
        (
            "CARTWRIGHT__AUTH__MODE",
            "jwt",
            "key `auth.issuer`: must be set where auth.mode is `jwt`",
        ),
        (
            "CARTWRIGHT__AUTH__LEEWAY_S",
            "-1",
            "key `auth.leeway_s`: expected an integer",
        ),
        (
            "CARTWRIGHT__DRAIN__DEADLINE_MS",
            "-1",
            "key `drain.deadline_ms`: expected an integer",
        ),
    ];
    for (name, value, says) in table {
        for args in [["serve"].as_slice(), &["config", "check"], &["migrate"]] {
            let ended = run(command(args).env(name, value));
            assert_eq!(ended.code, Some(64), "{name}: {}", ended.errors);
            assert!(ended.errors.contains(says), "{}", ended.errors);
            assert_eq!(ended.errors.lines().count(), 1, "{}", ended.errors);
        }
    }
}

#[test]
fn a_missing_key_is_named_with_its_variable() {
    let ended = run(command(&[]).env_remove("CARTWRIGHT__WORK_MS"));
    assert_eq!(ended.code, Some(64));
    let says = "small-service: missing key `work_ms`: set it in the file or by CARTWRIGHT__WORK_MS";
    assert_eq!(ended.errors.trim(), says);
    let ended = run(command(&[]).env_remove("CARTWRIGHT__AUTH__MODE"));
    assert_eq!(ended.code, Some(64));
    assert!(
        ended.errors.contains("missing key `auth.mode`"),
        "{}",
        ended.errors
    );
}

#[test]
fn callers_are_believed_only_in_local_environments() {
    for environment in ["production", "staging", "test", "Local", ""] {
        let ended = run(command(&[]).env("CARTWRIGHT__DEPLOYMENT__ENVIRONMENT", environment));
        assert_eq!(ended.code, Some(64), "{environment}");
        assert!(
            ended.errors.contains("key `auth.mode`: `none` lets"),
            "{}",
            ended.errors
        );
    }
    let ended = run(command(&[]).env_remove("CARTWRIGHT__DEPLOYMENT__ENVIRONMENT"));
    assert_eq!(ended.code, Some(64), "the default is production");
    let ended =
        run(command(&["config", "check"]).env("CARTWRIGHT__DEPLOYMENT__ENVIRONMENT", "local"));
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
}

#[test]
fn a_bad_command_line_exits_64() {
    for args in [
        ["dance"].as_slice(),
        &["--loud"],
        &["config"],
        &["--config"],
    ] {
        assert_eq!(run(&mut command(args)).code, Some(64), "{args:?}");
    }
}

#[test]
fn a_settings_file_that_is_not_there_is_named() {
    let ended = run(&mut command(&["--config", "/nowhere/shop.toml"]));
    assert_eq!(ended.code, Some(64));
    assert!(
        ended.errors.contains("/nowhere/shop.toml: No such file"),
        "{}",
        ended.errors
    );
}

#[test]
fn a_taken_port_is_named() {
    let address = free_address();
    let _taken = std::net::TcpListener::bind(address).unwrap();
    let ended = run(command(&[]).env("CARTWRIGHT__PRIVATE_LISTEN", address.to_string()));
    assert_eq!(ended.code, Some(1));
    let says = format!("private_listen: cannot listen on {address}: Address already in use");
    assert!(ended.errors.contains(&says), "{}", ended.errors);
}
