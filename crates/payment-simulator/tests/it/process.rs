//! The real process: it dies in the middle of work and the next one knows all
//! that was answered; its settings are checked before anything starts.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Client;
use tempfile::TempDir;

use crate::shop::{API_KEY, automatic, eventually, read};

const BINARY: &str = env!("CARGO_BIN_EXE_payment-simulator");

struct Running {
    child: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(books: &Path) -> Command {
    command_of(BINARY, books)
}

fn command_of(program: &str, books: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("CARTWRIGHT__DEPLOYMENT__ENVIRONMENT", "local")
        .env("CARTWRIGHT__AUTH__MODE", "none")
        .env("CARTWRIGHT__API__API_KEY", API_KEY)
        .env("CARTWRIGHT__BOOKS__DIRECTORY", books)
        .stderr(Stdio::null());
    command
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

async fn start(books: &Path) -> Running {
    start_by(command(books)).await
}

async fn start_by(mut command: Command) -> Running {
    let (api, private) = (free_port(), free_port());
    let child = command
        .env("CARTWRIGHT__API__LISTEN", api.to_string())
        .env("CARTWRIGHT__PRIVATE_LISTEN", private.to_string())
        .spawn()
        .unwrap();
    let running = Running {
        child,
        url: format!("http://{api}"),
    };
    let ready = format!("http://{private}/health/ready");
    eventually("the process is ready", async || {
        let answer = reqwest::get(&ready).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    running
}

async fn pay(client: &Client, url: &str) -> Option<String> {
    let request = client.post(format!("{url}/v1/payment_intents"));
    let request = request
        .bearer_auth(API_KEY)
        .form(&automatic("pm_card_visa"));
    let answer = request.send().await.ok()?;
    answer.status().is_success().then_some(())?;
    let body: serde_json::Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
    Some(body["id"].as_str()?.to_owned())
}

#[tokio::test]
async fn killed_in_the_middle_of_work_it_has_lost_nothing_that_was_answered() {
    let books = TempDir::new().unwrap();
    let client = Client::new();
    let answered = Arc::new(Mutex::new(Vec::new()));
    for round in 1..=3 {
        let mut running = start(books.path()).await;
        let payers: Vec<_> = (0..16)
            .map(|_| {
                let (client, url) = (client.clone(), running.url.clone());
                let answered = Arc::clone(&answered);
                tokio::spawn(async move {
                    while let Some(id) = pay(&client, &url).await {
                        answered.lock().unwrap().push(id);
                    }
                })
            })
            .collect();
        let enough = round * 200;
        eventually("work is under way", async || {
            answered.lock().unwrap().len() >= enough
        })
        .await;
        running.child.kill().unwrap();
        for payer in payers {
            payer.await.unwrap();
        }
    }
    let running = start(books.path()).await;
    let ids = answered.lock().unwrap().clone();
    expect_paid(&client, &running.url, &ids).await;
}

async fn expect_paid(client: &Client, url: &str, intents: &[String]) {
    for id in intents {
        let url = format!("{url}/v1/payment_intents/{id}");
        let found = client.get(url).bearer_auth(API_KEY).send().await.unwrap();
        let found = read(found).await.expect(200).json();
        assert_eq!(found["status"], "succeeded");
    }
}

#[tokio::test]
async fn a_full_disk_ends_it_with_one_and_nothing_that_was_answered_is_lost() {
    let books = TempDir::new().unwrap();
    let client = Client::new();
    // Writes past the limit fail, as on a full disk.
    let limited = format!("trap '' XFSZ; ulimit -f 64; exec {BINARY}");
    let mut command = command_of("sh", books.path());
    command.args(["-c", &limited]);
    let mut running = start_by(command).await;
    let mut answered = Vec::new();
    while let Some(id) = pay(&client, &running.url).await {
        answered.push(id);
    }
    assert!(!answered.is_empty());
    let mut code = None;
    eventually("the process ends", async || {
        code = running.child.try_wait().unwrap();
        code.is_some()
    })
    .await;
    assert_eq!(code.unwrap().code(), Some(1));
    let running = start(books.path()).await;
    expect_paid(&client, &running.url, &answered).await;
}

#[tokio::test]
async fn sigterm_ends_it_with_zero_though_a_connection_hangs() {
    let books = TempDir::new().unwrap();
    let mut running = start(books.path()).await;
    let client = Client::new();
    let request = client.post(format!("{}/v1/payment_intents", running.url));
    let form = automatic("pm_sim_timeout_but_succeeded");
    let request = request.bearer_auth(API_KEY).form(&form);
    let hanging = tokio::spawn(request.send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let pid = running.child.id().to_string();
    let kill = format!("kill -TERM {pid}");
    Command::new("sh").args(["-c", &kill]).status().unwrap();
    let mut code = None;
    eventually("the process ends", async || {
        code = running.child.try_wait().unwrap();
        code.is_some()
    })
    .await;
    assert_eq!(code.unwrap().code(), Some(0));
    assert!(hanging.await.unwrap().is_err());
}

fn check(command: &mut Command) -> Output {
    command
        .stderr(Stdio::piped())
        .args(["config", "check"])
        .output()
        .unwrap()
}

#[test]
fn the_settings_for_a_laptop_are_good() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/local/payment-simulator.toml"
    );
    let output = check(Command::new(BINARY).args(["--config", file]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn bad_settings_end_it_with_64_and_name_the_key() {
    let books = TempDir::new().unwrap();
    for (variable, value, key) in [
        (
            "CARTWRIGHT__WEBHOOKS__URL",
            "ftp://shop.example",
            "webhooks.url",
        ),
        ("CARTWRIGHT__API__LISTEN", "8090", "api.listen"),
        ("CARTWRIGHT__BOOKS__DIR", "/tmp", "books.dir"),
    ] {
        let output = check(command(books.path()).env(variable, value));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(key), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
