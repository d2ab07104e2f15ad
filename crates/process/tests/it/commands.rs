//! The other commands, and what the private listener offers beside health.

use crate::child::{Service, command, free_address, run};

#[test]
fn version_and_help_go_to_stdout() {
    let ended = run(&mut command(&["--version"]));
    assert_eq!(ended.code, Some(0));
    assert_eq!(
        ended.output.trim(),
        format!("small-service {}", env!("CARGO_PKG_VERSION"))
    );
    let ended = run(&mut command(&["--help"]));
    assert_eq!(ended.code, Some(0));
    for name in ["serve", "migrate", "healthcheck", "config", "--config"] {
        assert!(ended.output.contains(name), "{}", ended.output);
    }
}

#[test]
fn config_check_starts_nothing() {
    let ended = run(&mut command(&["config", "check"]));
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.errors.trim(), "small-service: the settings are good");
}

#[test]
fn migrate_runs_to_its_end() {
    let ended = run(&mut command(&["migrate"]));
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.errors.contains("\"message\":\"migrated\""),
        "{}",
        ended.errors
    );
}

#[test]
fn healthcheck_asks_the_running_process() {
    let service = Service::started(&[("CARTWRIGHT__WORK_MS", "3000")]);
    let port = service.address.port();
    // As in a container: the listener is told to listen everywhere.
    for address in [service.address.to_string(), format!("0.0.0.0:{port}")] {
        let mut check = command(&["healthcheck"]);
        let ended = run(check.env("CARTWRIGHT__PRIVATE_LISTEN", address));
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
    }
    service.signal("TERM");
    service.wait_until("/health/ready", 503);
    let mut check = command(&["healthcheck"]);
    let ended = run(check.env("CARTWRIGHT__PRIVATE_LISTEN", service.address.to_string()));
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("draining"), "{}", ended.errors);
    let mut check = command(&["healthcheck"]);
    let ended = run(check.env("CARTWRIGHT__PRIVATE_LISTEN", free_address().to_string()));
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("nobody answers"), "{}", ended.errors);
}

#[test]
fn the_settings_file_may_come_from_the_command_line_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    std::fs::write(&file, "work_ms = 5\n[log]\nformat = \"pretty\"\n").unwrap();
    let name = file.display().to_string();
    let mut by_argument = command(&["migrate", "--config", &name]);
    let mut by_environment = command(&["migrate"]);
    by_environment.env("CARTWRIGHT_CONFIG", &name);
    for command in [&mut by_argument, &mut by_environment] {
        let ended = run(command.env_remove("CARTWRIGHT__WORK_MS"));
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        assert!(ended.errors.contains(" migrated"), "{}", ended.errors);
        assert!(!ended.errors.contains('{'), "{}", ended.errors);
    }
}

#[test]
fn the_log_level_is_changed_while_it_runs() {
    let service = Service::started(&[]);
    assert_eq!(
        service.ask("GET", "/log/level", ""),
        Some((200, "info".to_owned()))
    );
    let (code, says) = service.ask("PUT", "/log/level", "loud").unwrap();
    assert_eq!((code, says.starts_with("expected a level")), (400, true));
    let (code, says) = service.ask("PUT", "/log/level", "warn\n").unwrap();
    assert_eq!((code, says.as_str()), (200, "warn"));
    service.signal("TERM");
    let ended = service.ended();
    assert!(ended.errors.contains("\"started\""), "{}", ended.errors);
    assert!(!ended.errors.contains("\"stopping\""), "{}", ended.errors);
}

#[test]
fn that_callers_are_not_checked_is_said_aloud() {
    let service = Service::started(&[]);
    service.signal("TERM");
    let ended = service.ended();
    let line = ended
        .errors
        .lines()
        .find(|line| line.contains("auth.mode is `none`"));
    assert!(
        line.is_some_and(|line| line.contains("\"level\":\"WARN\"")),
        "{}",
        ended.errors
    );
}
