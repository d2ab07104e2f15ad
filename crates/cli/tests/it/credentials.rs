//! Who the client says it is: what it saves, mints and shows.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use auth::{Authenticator, Identity, Settings, developer};
use tempfile::TempDir;
use tonic::{Status, body::Body};

/// A place of its own to run in, without anybody's credentials.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// As `make up` leaves it.
    fn with_keys() -> Self {
        let place = Self::new();
        let made = place.run(&["keys", "init", ".run/keys", "--service", "order-service"]);
        assert!(made.status.success(), "{made:?}");
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartwright"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.path().join("home"))
            .current_dir(self.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn token(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{output:?}");
        stdout(&output).trim().to_owned()
    }

    fn mode(&self, file: &str) -> u32 {
        let metadata = fs::metadata(self.path().join(file)).unwrap();
        metadata.permissions().mode() & 0o777
    }

    async fn identity(&self, token: &str) -> Identity {
        let jwks = self.path().join(".run/keys/jwks.json");
        let url = format!("file:{}", jwks.display());
        let settings = Settings::jwt(developer::ISSUER, url);
        let auth = Authenticator::start(&settings).await.unwrap();
        auth.verify(token).await.unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Knows nobody, and remembers what it was shown.
async fn stranger() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shown: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&shown);
    let routes = axum::Router::new().fallback(move |request: http::Request<axum::body::Body>| {
        let header = request.headers().get("authorization");
        let text = header.map_or("", |header| header.to_str().unwrap());
        seen.lock().unwrap().push(text.to_owned());
        async { Status::unauthenticated("who are you?").into_http::<Body>() }
    });
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let server = tonic::transport::Server::builder()
        .add_routes(tonic::service::Routes::from(routes))
        .serve_with_incoming(incoming);
    tokio::spawn(server);
    (url, shown)
}

#[test]
fn keys_are_made_once_and_kept_from_others() {
    let place = Place::with_keys();
    let files = ["developer.pem", "jwks.json", "order-service.token"];
    let read = || files.map(|file| fs::read(place.path().join(".run/keys").join(file)).unwrap());
    let first = read();
    assert_eq!(place.mode(".run/keys/developer.pem"), 0o600);
    assert_eq!(place.mode(".run/keys/jwks.json"), 0o644);
    assert_eq!(place.mode(".run/keys/order-service.token"), 0o600);
    let again = place.run(&["keys", "init", ".run/keys", "--service", "order-service"]);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(read(), first);
    let other = [
        "keys",
        "init",
        ".run/keys",
        "--service",
        "order-service=a:b",
    ];
    assert!(place.run(&other).status.success());
    let now = read();
    assert_eq!(now[..2], first[..2]);
    assert_ne!(now[2], first[2], "other scopes are another token");
}

#[test]
fn what_is_no_service_or_has_no_peers_gets_no_token() {
    let place = Place::new();
    for (service, says) in [
        ("../evil", "small letters"),
        ("A", "small letters"),
        ("", "small letters"),
        ("order-service=a\"b", "is no scope"),
        ("nobody", "nobody calls no other service"),
    ] {
        let output = place.run(&["keys", "init", "keys", "--service", service]);
        assert_eq!(output.status.code(), Some(64), "{service}");
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn keys_that_do_not_belong_together_are_not_taken_for_good() {
    let place = Place::with_keys();
    fs::remove_file(place.path().join(".run/keys/developer.pem")).unwrap();
    let output = place.run(&["keys", "init", ".run/keys"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(
        stderr(&output).contains("does not list the key"),
        "{output:?}"
    );
}

#[tokio::test]
async fn a_service_gets_what_its_peers_open_to_it() {
    let place = Place::with_keys();
    let token = fs::read_to_string(place.path().join(".run/keys/order-service.token")).unwrap();
    let service = place.identity(&token).await;
    assert_eq!(&*service.subject, "service:order-service");
    for scope in ["inventory:reserve", "payments:write", "customers:any"] {
        assert!(service.holds(scope), "{scope}");
    }
    assert!(
        !service.holds("orders:write"),
        "it is no customer of itself"
    );
}

#[tokio::test]
async fn who_logs_in_is_staff_and_stays_it() {
    let place = Place::with_keys();
    let output = place.run(&["login"]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        stdout(&output).contains(".run/credentials.json"),
        "{output:?}"
    );
    assert_eq!(place.mode(".run/credentials.json"), 0o600);
    let saved = fs::read_to_string(place.path().join(".run/credentials.json")).unwrap();
    assert!(
        saved.contains(r#""keys/developer.pem""#),
        "may be moved: {saved}"
    );
    let staff = place.identity(&place.token(&["token"])).await;
    assert_eq!(&*staff.subject, "local-staff");
    assert!(staff.holds("orders:admin") && staff.holds("customers:any"));
    let login = ["login", "--subject", "bob", "--scope", "orders:read"];
    assert!(place.run(&login).status.success());
    let bob = place.identity(&place.token(&["token"])).await;
    assert_eq!(
        (&*bob.subject, &*bob.scopes),
        ("bob", ["orders:read".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn a_token_for_a_customer_reaches_nobody_else() {
    let place = Place::with_keys();
    let ada = place
        .identity(&place.token(&["token", "--subject", "ada"]))
        .await;
    assert_eq!(&*ada.subject, "ada");
    assert!(ada.holds("orders:write"));
    assert!(!ada.holds("customers:any") && !ada.holds("orders:refund"));
    let args = [
        "token",
        "--subject",
        "eve",
        "--scope",
        "a:b c:d",
        "--ttl",
        "90s",
    ];
    let eve = place.identity(&place.token(&args)).await;
    assert_eq!(*eve.scopes, ["a:b", "c:d"].map(str::to_owned));
    let left = eve.expires_at.duration_since(std::time::SystemTime::now());
    assert!(left.unwrap().as_secs() <= 90);
}

#[test]
fn what_cannot_be_minted_says_what_is_missing() {
    let place = Place::new();
    for (args, says) in [
        (["token"].as_slice(), "run `make up` here first"),
        (&["login"], "run `make up` here first"),
        (&["login", "--key", "none.pem"], "none.pem: No such file"),
        (&["token", "--ttl", "500ms"], "must be at least 1s"),
        (&["token", "--ttl", "61m"], "to 60m"),
        (&["token", "--subject", "a\nb"], "printable ASCII"),
        (&["login", "--subject", ""], "printable ASCII"),
    ] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(64), "{args:?}");
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_show_the_token_that_is_nearest() {
    let place = Place::with_keys();
    let (url, shown) = stranger().await;
    let last = || shown.lock().unwrap().last().cloned().unwrap();
    let list = ["--order-url", url.as_str(), "order", "list"];
    let output = place.run(&list);
    assert_eq!(output.status.code(), Some(77), "{output:?}");
    assert!(
        stderr(&output).contains("Run `cartwright login`"),
        "{output:?}"
    );
    assert_eq!(last(), "", "without credentials nothing is shown");

    place.run(&["login"]);
    place.run(&list);
    let minted = last();
    let staff = place
        .identity(minted.strip_prefix("Bearer ").unwrap())
        .await;
    assert_eq!(&*staff.subject, "local-staff");

    place
        .command(&list)
        .env("CARTWRIGHT_TOKEN", "from-variable")
        .output()
        .unwrap();
    assert_eq!(last(), "Bearer from-variable");

    fs::write(place.path().join("my.token"), "from-file\n").unwrap();
    let with_file = [list.as_slice(), &["--token-file", "my.token"]].concat();
    place
        .command(&with_file)
        .env("CARTWRIGHT_TOKEN", "from-variable")
        .output()
        .unwrap();
    assert_eq!(last(), "Bearer from-file");

    let output = place.run(&[list.as_slice(), &["--token-file", "none"]].concat());
    assert_eq!(output.status.code(), Some(64));
    let output = place
        .command(&list)
        .env("CARTWRIGHT_TOKEN", "two\nlines")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert!(!stderr(&output).contains("two"), "a token is never printed");
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_looked_for_by_name_then_here_then_at_home() {
    let place = Place::with_keys();
    let (url, shown) = stranger().await;
    let list = ["--order-url", url.as_str(), "order", "list"];
    let key = place.path().join(".run/keys/developer.pem");
    let key = key.to_str().unwrap();
    let elsewhere = place.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let save = |subject: &str, args: &[&str], named: Option<&str>, directory: &Path| {
        let args = [&["login", "--key", key, "--subject", subject], args].concat();
        let mut login = place.command(&args);
        login.current_dir(directory);
        if let Some(named) = named {
            login.env("CARTWRIGHT_CREDENTIALS", named);
        }
        assert!(login.output().unwrap().status.success());
    };
    save("home", &[], None, &elsewhere);
    assert_eq!(
        place.mode("home/.config/cartwright/credentials.json"),
        0o600
    );
    save("named", &[], Some("named.json"), place.path());
    let who = async |command: &mut Command| {
        command.output().unwrap();
        let header = shown.lock().unwrap().last().cloned().unwrap();
        let token = header.strip_prefix("Bearer ").unwrap().to_owned();
        place.identity(&token).await.subject.to_string()
    };
    assert_eq!(who(&mut place.command(&list)).await, "home");
    save("here", &[], None, place.path());
    assert_eq!(who(&mut place.command(&list)).await, "here");
    let mut named = place.command(&list);
    named.env("CARTWRIGHT_CREDENTIALS", "named.json");
    assert_eq!(who(&mut named).await, "named");
    let mut gone = place.command(&list);
    let gone = gone
        .env("CARTWRIGHT_CREDENTIALS", "gone.json")
        .output()
        .unwrap();
    assert_eq!(gone.status.code(), Some(64));
    assert!(stderr(&gone).contains("gone.json"), "{gone:?}");
}

#[test]
fn an_encrypted_address_needs_certificates_to_believe() {
    let place = Place::new();
    let list = ["--order-url", "https://127.0.0.1:1", "order", "list"];
    let output = place.run(&list);
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).contains("needs --ca FILE"), "{output:?}");
    let output = place.run(&[list.as_slice(), &["--ca", "none.pem"]].concat());
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).contains("none.pem"), "{output:?}");
}
