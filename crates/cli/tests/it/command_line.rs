//! The program itself: what it says, where, and with which exit code.

use std::{
    net::TcpListener,
    process::{Command, Output},
};

use clap::CommandFactory;

fn cartwright(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cartwright"))
        .args(args)
        .env_remove("CARTWRIGHT_ORDER_URL")
        .env_remove("CARTWRIGHT_TIMEOUT")
        .env_remove("CARTWRIGHT_TOKEN")
        .env("CARTWRIGHT_CREDENTIALS", "")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn the_command_line_is_consistent() {
    cli::args::Cli::command().debug_assert();
}

#[test]
fn help_documents_every_exit_code() {
    let output = cartwright(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = stdout(&output);
    for code in [
        "  0  ", "  1  ", "  2  ", "  64 ", "  69 ", "  70 ", "  77 ",
    ] {
        assert!(help.contains(code), "{code} in {help}");
    }
}

#[test]
fn a_wrong_command_line_is_code_64_and_says_what_was_expected() {
    let output = cartwright(&["order", "create", "--customer", "a", "--line", "mug=0"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).contains("must be from 1 to 1000000, got 0"));
    assert_eq!(stdout(&output), "");
    let output = cartwright(&["order", "get", "not-an-id"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).contains("must be a UUID"));
    assert_eq!(cartwright(&["payment", "get"]).status.code(), Some(64));
    assert_eq!(cartwright(&["saga", "resolve"]).status.code(), Some(64));
}

#[test]
fn a_service_that_is_not_there_is_one_clear_line_and_code_69() {
    let url = nobody();
    let output = cartwright(&["--order-url", &url, "order", "list"]);
    assert_eq!(output.status.code(), Some(69));
    assert_eq!(
        stderr(&output),
        format!("error: order-service at {url} cannot be reached: is it running? (make up)\n")
    );
}

#[test]
fn a_change_that_may_not_have_arrived_tells_the_key_to_repeat_it_with() {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let url = nobody();
    let args = [
        "--order-url",
        &url,
        "order",
        "cancel",
        id,
        "--idempotency-key",
        "k-1",
    ];
    let output = cartwright(&args);
    assert_eq!(output.status.code(), Some(69));
    assert!(
        stderr(&output).contains("--idempotency-key k-1"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_file_that_is_wrong_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stock.csv");
    std::fs::write(
        &file,
        "sku,title,price,currency,on_hand\nmug,Mug,1.005,GBP,x\n",
    )
    .unwrap();
    let path = file.to_str().unwrap();
    let output = cartwright(&["--inventory-url", &nobody(), "stock", "import", path]);
    assert_eq!(output.status.code(), Some(64));
    let told = stderr(&output);
    assert!(
        told.contains("wrong in 2 places, nothing was sent"),
        "{told}"
    );
    assert!(told.contains("line 2, column price"), "{told}");
    assert!(told.contains("line 2, column on_hand"), "{told}");
    let output = cartwright(&["replay", path]);
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).contains("InvoiceNo,StockCode"));
    let output = cartwright(&["replay", "/nowhere.csv"]);
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn an_address_that_is_none_is_refused() {
    let output = cartwright(&["--order-url", "localhost", "order", "list"]);
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = cartwright(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = stdout(&output);
        assert!(
            script.contains("timeline") && script.contains("idempotency-key"),
            "{shell}"
        );
    }
}
