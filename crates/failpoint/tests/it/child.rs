//! A process of its own passes a point three times, twice one more within
//! `around!`, and ends.

use std::env;
use std::process::{Command, Output};

use failpoint::{FAILPOINTS, PLANTED_BUG};

const POINT: &str = "order.saga.before_claim";

/// What the process does; run by the tests below.
#[test]
#[ignore = "ends the process"]
fn child() {
    failpoint::arm!();
    for round in 1..=3 {
        eprintln!("round {round}");
        failpoint::reached!("order.saga.before_claim");
    }
    let sum = failpoint::around!("order.journal", "commit", 1 + 1);
    eprintln!("sum {sum}");
    if failpoint::planted!("skip-fencing") {
        eprintln!("wrong");
    }
}

fn run(points: &str, bug: &str) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child::child", "--ignored", "--nocapture"])
        .env(FAILPOINTS, points)
        .env(PLANTED_BUG, bug)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_process_that_nothing_is_armed_in_runs_to_its_end() {
    let output = run("", "");
    assert!(output.status.success(), "{output:?}");
    assert!(said(&output).contains("round 3\nsum 2\n"), "{output:?}");
    assert!(!said(&output).contains("wrong"), "{output:?}");
}

#[cfg(not(any(feature = "failpoints", feature = "planted-bugs")))]
#[test]
fn without_the_features_nothing_can_be_armed_or_planted() {
    let output = run(&format!("{POINT}=return"), "skip-fencing");
    assert!(output.status.success(), "{output:?}");
    assert!(said(&output).contains("sum 2"), "{output:?}");
    assert!(!said(&output).contains("wrong"), "{output:?}");
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const SIGABRT: i32 = 6;

    #[test]
    fn an_armed_point_is_passed_as_often_as_said_and_then_ends_the_process() {
        let output = run(&format!("{POINT}=2*off->return"), "");
        assert_eq!(output.status.signal(), Some(SIGABRT), "{output:?}");
        let said = said(&output);
        assert!(said.contains("armed: order.saga"), "{said}");
        assert!(
            said.contains("round 3\nfailpoint order.saga.before_claim\n"),
            "{said}"
        );
    }

    #[test]
    fn both_sides_of_what_is_done_are_points() {
        for side in ["before", "after"] {
            let point = format!("order.journal.{side}_commit");
            let output = run(&format!("{point}=return"), "");
            assert_eq!(output.status.signal(), Some(SIGABRT), "{output:?}");
            assert!(said(&output).contains(&format!("round 3\nfailpoint {point}\n")));
        }
    }

    #[test]
    fn what_cannot_be_obeyed_ends_the_process_at_once() {
        let wrong = [
            "order.saga.before_claimm=return",
            "order.saga.before_claim",
            "order.saga.before_claim=retrun",
        ];
        for points in wrong {
            let output = run(points, "");
            assert_eq!(output.status.code(), Some(64), "{points}: {output:?}");
            assert!(said(&output).contains("FAILPOINTS: "), "{output:?}");
            assert!(!said(&output).contains("round"), "{output:?}");
        }
    }
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use super::*;

    #[test]
    fn a_bug_is_there_when_it_is_planted() {
        let output = run("", "skip-fencing");
        assert!(output.status.success(), "{output:?}");
        assert!(
            said(&output).contains("planted: skip-fencing"),
            "{output:?}"
        );
        assert!(said(&output).contains("wrong"), "{output:?}");
    }

    #[test]
    fn another_bug_is_not_there() {
        let output = run("", "no-tombstone");
        assert!(output.status.success(), "{output:?}");
        assert!(!said(&output).contains("wrong"), "{output:?}");
    }

    #[test]
    fn a_bug_that_does_not_exist_ends_the_process_at_once() {
        let output = run("", "skip-fences");
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert!(!said(&output).contains("round"), "{output:?}");
    }
}
