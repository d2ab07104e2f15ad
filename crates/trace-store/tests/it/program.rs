//! The binary.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Command, Stdio},
};

use crate::sender::{span, spans, traces_at};

fn start(args: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trace-store"))
        .args(args)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    (child, log)
}

#[tokio::test]
async fn the_program_says_where_it_listens_and_ends_by_sigterm() {
    let (mut child, mut log) = start(&["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("the trace store listens"), "{line}");
    let endpoint = line.split("grpc=").nth(1).unwrap();
    let endpoint = endpoint.split_whitespace().next().unwrap();
    let mut client = traces_at(endpoint).await;
    client
        .export(spans("a", vec![span(1, 1, "a")]))
        .await
        .unwrap();
    // With the connection still open.
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-s", "TERM", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (mut child, mut log) = start(&["--grpc", &address, "--http", "127.0.0.1:0"]);
    let mut told = String::new();
    log.read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(told.contains(&address), "{told}");
}
