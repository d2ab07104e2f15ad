//! Where the keys of the issuer come from: a file or a URL.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use reqwest::{Certificate, Client, Response, Url, redirect::Policy};
use tokio::{fs::File, io::AsyncReadExt};

use crate::{
    keys::Keys,
    settings::{Invalid, Settings},
};

const BYTES_MAX: usize = 256 * 1024;

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Settings(#[from] Invalid),
    #[error("auth.mode is `none`: there are no tokens to verify")]
    NoTokens,
    #[error("the keys of the issuer at {place}: {reason}")]
    Keys { place: String, reason: String },
}

/// What `jwks_url` says.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Url(Url),
}

impl Source {
    pub(crate) fn of(settings: &Settings) -> Result<Self, Invalid> {
        let text = settings.jwks_url()?;
        let wrong = |message: &str| Invalid::new("jwks_url", message);
        if let Some(path) = text.strip_prefix("file:") {
            let path = file(path).ok_or_else(|| wrong("must be file:///PATH or file:PATH"))?;
            return Ok(Self::File(path));
        }
        let expected = "must be https://…, file:///PATH or file:PATH";
        let url = Url::parse(text).map_err(|_| wrong(expected))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(wrong("must be https:// where it leaves this host")),
            _ => return Err(wrong(expected)),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("must hold no user and no password"));
        }
        Ok(Self::Url(url))
    }
}

/// `///absolute`, `//localhost/absolute`, `/absolute` or `relative`.
fn file(rest: &str) -> Option<PathBuf> {
    let path = match rest.strip_prefix("//") {
        Some(path) => path.strip_prefix("localhost").unwrap_or(path),
        None => rest,
    };
    let names_a_host = rest.starts_with("//") && !path.starts_with('/');
    (!path.is_empty() && !names_a_host).then(|| PathBuf::from(path))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Reads the source, again and again.
#[derive(Debug)]
pub(crate) enum Reader {
    File(PathBuf),
    Url { url: Url, client: Client },
}

impl Reader {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        match Source::of(settings)? {
            Source::File(path) => Ok(Self::File(path)),
            Source::Url(url) => Ok(Self::Url {
                client: client(settings)?,
                url,
            }),
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    pub(crate) async fn read(&self) -> Result<Keys, Error> {
        let bytes = match self {
            Self::File(path) => read(path).await.map_err(|error| error.to_string()),
            Self::Url { url, client } => fetch(client, url).await,
        };
        let keys = bytes.and_then(|bytes| Keys::parse(&bytes));
        keys.map_err(|reason| Error::Keys {
            place: self.place(),
            reason,
        })
    }

    fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url { url, .. } => url.to_string(),
        }
    }
}

async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).await?;
    let limit = BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Follows no redirect: the keys are where the settings say, or nowhere.
fn client(settings: &Settings) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .timeout(settings.fetch_timeout())
        .redirect(Policy::none());
    if let Some(path) = &settings.jwks_ca {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    builder
        .build()
        .map_err(|error| Invalid::new("jwks_url", chain(&error)).into())
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Invalid> {
    let wrong = |reason: String| Invalid::new("jwks_ca", format!("{}: {reason}", path.display()));
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(chain(&error)))?;
    match certificates.is_empty() {
        true => Err(wrong("expected certificates in PEM".to_owned())),
        false => Ok(certificates),
    }
}

async fn fetch(client: &Client, url: &Url) -> Result<Vec<u8>, String> {
    let answer = client.get(url.clone()).send().await;
    let answer = answer.map_err(|error| chain(&error.without_url()))?;
    if !answer.status().is_success() {
        return Err(format!("answered {}", answer.status()));
    }
    body(answer).await
}

async fn body(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        let chunk = answer.chunk().await;
        match chunk.map_err(|error| chain(&error.without_url()))? {
            Some(chunk) if bytes.len() + chunk.len() <= BYTES_MAX => bytes.extend(chunk),
            Some(_) => return Err(too_long()),
            None => return Ok(bytes),
        }
    }
}

pub(crate) fn check_length(bytes: &[u8]) -> Result<(), String> {
    match bytes.len() <= BYTES_MAX {
        true => Ok(()),
        false => Err(too_long()),
    }
}

fn too_long() -> String {
    format!("longer than {BYTES_MAX} bytes")
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    fn source(url: &str) -> Result<Source, Invalid> {
        Source::of(&Settings::jwt("issuer", url))
    }

    #[test]
    fn files_are_absolute_or_below_the_working_directory() {
        for (url, path) in [
            ("file:///etc/jwks.json", "/etc/jwks.json"),
            ("file://localhost/etc/jwks.json", "/etc/jwks.json"),
            ("file:/etc/jwks.json", "/etc/jwks.json"),
            ("file:.run/keys/jwks.json", ".run/keys/jwks.json"),
        ] {
            match source(url).unwrap() {
                Source::File(found) => assert_eq!(found, Path::new(path), "{url}"),
                other => panic!("{url}: {other:?}"),
            }
        }
    }

    #[test]
    fn plain_http_is_for_the_loopback_only() {
        for url in [
            "https://id.example/jwks",
            "http://127.0.0.1:1/jwks",
            "http://[::1]:1/jwks",
            "http://localhost/jwks",
        ] {
            assert!(matches!(source(url), Ok(Source::Url(_))), "{url}");
        }
        for url in [
            "http://id.example/jwks",
            "http://localhost.example/jwks",
            "http://10.0.0.1/jwks",
            "https://user:word@id.example/jwks",
            "ftp://127.0.0.1/jwks",
            "file://elsewhere/jwks.json",
            "file:",
            "file://",
            ".run/keys/jwks.json",
            "",
        ] {
            assert_eq!(source(url).unwrap_err().key, "jwks_url", "{url}");
        }
    }
}
