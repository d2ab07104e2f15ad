//! Logs and traces as a reader of them sees them: lines, headers, and what a
//! collector gets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests.

mod collector;
mod export;
mod filtering;
mod http_collector;
mod lines;
mod panicking;
mod propagation;
mod scraping;
mod tls;
mod trouble;

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use telemetry::{Guard, LogFormat, Service, Settings, Variables};
use tracing::dispatcher::{DefaultGuard, Dispatch};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

const SERVICE: Service<'static> = Service {
    name: "order-service",
    version: "1.2.3",
    environment: "test",
};

/// Telemetry of this thread alone, whose log is kept for reading.
struct Installed {
    log: Sink,
    guard: Guard,
    _default: DefaultGuard,
}

fn install(settings: &Settings) -> Installed {
    install_with(settings, &Variables::of(&[]))
}

fn install_with(settings: &Settings, variables: &Variables) -> Installed {
    let log = Sink::default();
    let writer = log.clone();
    let writer = BoxMakeWriter::new(move || writer.clone());
    let (subscriber, guard) =
        telemetry::build_from(settings, &SERVICE, writer, false, variables).unwrap();
    let default = tracing::dispatcher::set_default(&Dispatch::new(subscriber));
    Installed {
        log,
        guard,
        _default: default,
    }
}

fn sink() -> BoxMakeWriter {
    BoxMakeWriter::new(std::io::sink)
}

fn settings(level: &str, format: LogFormat) -> Settings {
    let mut settings = Settings::default();
    settings.log.level = level.parse().unwrap();
    settings.log.format = format;
    settings
}

fn json(level: &str) -> Installed {
    install(&settings(level, LogFormat::Json))
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
