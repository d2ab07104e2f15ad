//! `trace-store`: for development. It listens on the loopback and keeps all in
//! memory; its end is the end of what it kept.

use std::{io::IsTerminal, net::SocketAddr, process::ExitCode};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use trace_store::{Bounds, Endpoints, TraceStore};

/// Keeps the newest spans, log records and metrics that processes send by OTLP,
/// in memory, for development: asks nobody who they are.
#[derive(Debug, Parser)]
#[command(name = "trace-store", version)]
struct Args {
    /// Where OTLP over gRPC is taken.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4317")]
    grpc: SocketAddr,
    /// Where OTLP over HTTP is taken, and questions are answered.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4318")]
    http: SocketAddr,
    /// How many spans are kept; past that the oldest trace goes.
    #[arg(long, value_name = "NUMBER", default_value = "200000",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    spans: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match serve(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let bound = trace_store::bind(args.grpc, args.http).await?;
    let Endpoints { grpc, http } = bound.endpoints();
    tracing::info!(%grpc, %http, spans = args.spans, "the trace store listens");
    let shutdown = CancellationToken::new();
    let store = TraceStore::new(Bounds::of_spans(usize::try_from(args.spans)?));
    let end = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        end.cancel();
    });
    bound.serve(&store, shutdown).await;
    tracing::info!("stopped");
    Ok(())
}
