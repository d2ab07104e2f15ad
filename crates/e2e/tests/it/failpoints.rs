//! Nothing that is built as usual can be made to fail.

use std::process::Command;

use e2e::{checkout, program};

fn passes(file: &std::path::Path) -> bool {
    let script = checkout().join("scripts/no-failpoints");
    let status = Command::new(script).arg(file).status();
    status.expect("the script runs").success()
}

#[test]
fn plain_programs_have_nothing_of_failpoints_and_planted_bugs() {
    for name in ["order-service", "payment-service", "inventory-service"] {
        assert!(passes(&program(name)), "{name}");
    }
}

#[test]
fn a_program_with_a_failpoint_or_a_planted_bug_is_found() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("program");
    let has = |text: &str| {
        std::fs::write(&file, format!("\u{0}\u{1}{text}\u{0}")).expect("a file");
        !passes(&file)
    };
    assert!(!has("order.saga"));
    assert!(has("order.saga.before_claim"));
    assert!(has("skip-fencing"));
    assert!(has("FAILPOINTS"));
}
