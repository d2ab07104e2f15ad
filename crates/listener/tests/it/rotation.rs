//! Files that change while a process runs.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::symlink,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use listener::{Limits, Tls, tls};

use crate::{
    authority::{Authority, Folder, connect, tls as tls_in, write},
    clients::ask,
    served::{SOON, Served, serve_with},
};

/// Many times the interval at which the files are read.
const SEVERAL_LOOKS: Duration = Duration::from_millis(300);

async fn serve(settings: &Tls) -> Served {
    let files = tls::Files::start(settings).unwrap();
    serve_with(&Limits::default(), Some(&files), SOON).await
}

/// Whether a client that believes `ca` finds the server called `name`.
async fn finds(served: &Served, ca: &Authority, name: &str) -> bool {
    let client = ca.client(None);
    connect(served.address, name, client, "http/1.1")
        .await
        .is_ok()
}

async fn soon_finds(served: &Served, ca: &Authority, name: &str) {
    let found = async {
        while !finds(served, ca, name).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, found)
        .await
        .expect("the new certificate is shown");
}

#[tokio::test]
async fn new_handshakes_use_new_files_and_old_connections_live() {
    let ca = Authority::new();
    let folder = Folder::new(&ca.issue(&["first"]), &ca);
    let served = serve(&folder.tls()).await;
    let client = ca.client(None);
    let mut old = connect(served.address, "first", client, "http/1.1")
        .await
        .unwrap();
    assert_eq!(ask(&mut old, "/").await.0, 200);
    write(folder.path(), &ca.issue(&["second"]), &ca);
    soon_finds(&served, &ca, "second").await;
    assert!(!finds(&served, &ca, "first").await);
    assert_eq!(ask(&mut old, "/").await.0, 200);
}

#[tokio::test]
async fn another_ca_decides_from_then_on_who_is_who() {
    let (before, after) = (Authority::new(), Authority::new());
    let folder = Folder::new(&before.issue(&["shop"]), &before);
    let served = serve(&folder.tls()).await;
    write(folder.path(), &after.issue(&["shop"]), &after);
    soon_finds(&served, &after, "shop").await;
    let own = after.issue(&["order-service"]);
    let client = after.client(Some(&own));
    let mut stream = connect(served.address, "shop", client, "http/1.1")
        .await
        .unwrap();
    assert_eq!(ask(&mut stream, "/peer").await.1, "127.0.0.1 order-service");
}

/// `data/tls.crt` is `..data/tls.crt`, and `..data` is a link to a folder.
fn mount(volume: &Path, generation: &str) {
    let link = volume.join("..new");
    symlink(generation, &link).unwrap();
    fs::rename(&link, volume.join("..data")).unwrap();
}

#[tokio::test]
async fn a_swapped_link_is_noticed() {
    let ca = Authority::new();
    let volume = tempfile::tempdir().unwrap();
    for name in ["first", "second"] {
        let folder = volume.path().join(format!("..{name}"));
        fs::create_dir(&folder).unwrap();
        write(&folder, &ca.issue(&[name]), &ca);
    }
    mount(volume.path(), "..first");
    for file in ["tls.crt", "tls.key", "ca.crt"] {
        symlink(Path::new("..data").join(file), volume.path().join(file)).unwrap();
    }
    let served = serve(&tls_in(volume.path())).await;
    assert!(finds(&served, &ca, "first").await);
    mount(volume.path(), "..second");
    soon_finds(&served, &ca, "second").await;
}

#[tokio::test]
async fn broken_files_leave_the_last_good_ones_in_use() {
    let ca = Authority::new();
    let folder = Folder::new(&ca.issue(&["first"]), &ca);
    let served = serve(&folder.tls()).await;
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));

    fs::write(&certificate, "no certificate").unwrap();
    tokio::time::sleep(SEVERAL_LOOKS).await;
    assert!(finds(&served, &ca, "first").await, "a broken certificate");
    let second = ca.issue(&["second"]);
    fs::write(&certificate, &second.certificate).unwrap();
    tokio::time::sleep(SEVERAL_LOOKS).await;
    assert!(finds(&served, &ca, "first").await, "the key of another");
    fs::remove_file(&key).unwrap();
    tokio::time::sleep(SEVERAL_LOOKS).await;
    assert!(finds(&served, &ca, "first").await, "no key at all");
    fs::write(&key, &second.key).unwrap();
    soon_finds(&served, &ca, "second").await;
}

/// The start is refused with a line that names the key and the file.
#[tokio::test]
async fn files_that_are_broken_from_the_start_are_named() {
    let ca = Authority::new();
    let folder = Folder::new(&ca.issue(&["shop"]), &ca);
    let other = ca.issue(&["other"]);
    let refused = |file: &str, content: Option<&str>| {
        let path = folder.path().join(file);
        let before = fs::read(&path).unwrap();
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let text = tls::Files::start(&folder.tls()).unwrap_err().to_string();
        fs::write(&path, before).unwrap();
        text.replace(&folder.path().display().to_string(), "X")
    };
    assert_eq!(
        refused("tls.crt", None),
        "tls.certificate: X/tls.crt: No such file or directory (os error 2)"
    );
    assert_eq!(
        refused("tls.crt", Some("junk")),
        "tls.certificate: X/tls.crt: holds no certificate in PEM"
    );
    assert_eq!(
        refused("tls.key", Some("junk")),
        "tls.key: X/tls.key: holds no private key in PEM"
    );
    assert_eq!(
        refused("tls.key", Some(&other.key)),
        "tls.key: X/tls.key: is not the key of X/tls.crt"
    );
    assert_eq!(
        refused("ca.crt", Some("")),
        "tls.ca: X/ca.crt: holds no certificate in PEM"
    );
    let without_ca = Tls {
        ca: None,
        ..folder.tls()
    };
    let error = tls::Files::start(&without_ca).unwrap().connector().err();
    assert_eq!(error, Some(tls::Error::NoAuthority));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn warnings(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let warnings = text.lines().filter(|line| line.contains("WARN"));
        warnings.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn broken_files_are_told_of_once_and_by_name() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _here = tracing::subscriber::set_default(subscriber);
    let ca = Authority::new();
    let folder = Folder::new(&ca.issue(&["first"]), &ca);
    let _files = tls::Files::start(&folder.tls()).unwrap();
    let key = folder.path().join("tls.key");
    let good = fs::read(&key).unwrap();
    fs::write(&key, "junk").unwrap();
    tokio::time::sleep(SEVERAL_LOOKS).await;
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    let named = format!("tls.key: {}: holds no private key in PEM", key.display());
    assert!(warnings[0].contains(&named), "{}", warnings[0]);

    fs::write(&key, good).unwrap();
    tokio::time::sleep(SEVERAL_LOOKS).await;
    assert_eq!(log.warnings().len(), 1);
    fs::write(&key, "junk").unwrap();
    tokio::time::sleep(SEVERAL_LOOKS).await;
    assert_eq!(log.warnings().len(), 2, "broken anew");
}
