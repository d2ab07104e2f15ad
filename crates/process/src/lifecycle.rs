//! The order of start and stop.
//!
//! Start: telemetry, private listener, the service. Stop: not ready, wait
//! until no balancer knows us, stop accepting, finish what is in flight, the
//! service's own clean-up, flush telemetry. The private listener answers to
//! the end.

use std::{
    future::Future,
    process::ExitCode,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use telemetry::Guard;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::{JoinError, JoinHandle},
};
use tokio_util::sync::CancellationToken;

use crate::{
    BoxError, FAILURE, Process, Settings, Spec,
    exit::chain,
    private,
    reload::{Handles, Watch},
    signals, vitals,
};

/// For what a service does between its last work and its end.
const CLEAN_UP: Duration = Duration::from_secs(3);

pub(crate) fn serve<S, R, F, E>(
    spec: Spec,
    settings: Settings,
    watch: Watch<S>,
    service: R,
) -> ExitCode
where
    S: DeserializeOwned + JsonSchema + Send + Sync + 'static,
    R: FnOnce(Process) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    on_runtime(spec, &settings.clone(), async move |guard: &Guard| {
        vitals::observe();
        let stop = CancellationToken::new();
        signals::listen(stop.clone())?;
        let process = Process::new(settings, stop);
        let address = process.settings.private_listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("private_listen: cannot listen on {address}: {error}"))?;
        let health = process.health.clone();
        let router = private::router(health, guard.level(), guard.sampling());
        let private = tokio::spawn(health::serve(listener, router));
        let watching = process.settings.reload.interval().map(|interval| {
            let handles = Handles {
                level: guard.level(),
                sampling: guard.sampling(),
            };
            tokio::spawn(watch.run(interval, handles))
        });
        announce(spec, &process);
        let service = service(process.clone());
        let service = tokio::spawn(async move { service.await.map_err(Into::into) });
        let result = until_end(&process, service).await;
        private.abort();
        watching.inspect(tokio::task::JoinHandle::abort);
        result
    })
}

pub(crate) fn migrate<M, F, E>(spec: Spec, settings: &Settings, migrate: M) -> ExitCode
where
    M: FnOnce() -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<BoxError>,
{
    on_runtime(spec, settings, async move |_: &Guard| {
        let stop = CancellationToken::new();
        // The first process of a container dies of no signal it has not asked for.
        signals::listen(stop.clone())?;
        tokio::select! {
            result = migrate() => result.map_err(Into::into),
            () = stop.cancelled() => Err("stopped by a signal".into()),
        }
    })
}

/// Two threads at least, also on one CPU: one that is held up must not hold up
/// health, deadlines and signals.
fn runtime() -> std::io::Result<Runtime> {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cpus.max(2))
        .enable_all()
        .build()
}

fn on_runtime<W>(spec: Spec, settings: &Settings, work: W) -> ExitCode
where
    W: AsyncFnOnce(&Guard) -> Result<(), BoxError>,
{
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(spec, &error),
    };
    let code = runtime.block_on(async {
        let service = telemetry::Service {
            name: spec.name,
            version: spec.version,
            environment: &settings.deployment.environment,
        };
        let guard = match telemetry::init(&settings.telemetry(), &service) {
            Ok(guard) => guard,
            Err(error) => return refuse(spec, &error),
        };
        let code = match work(&guard).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = chain(error.as_ref()), "failed");
                ExitCode::from(FAILURE)
            }
        };
        guard.flush().await;
        code
    });
    // A blocking call that hangs must not keep the process.
    runtime.shutdown_background();
    code
}

fn refuse(spec: Spec, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("{}: {}", spec.name, chain(error));
    ExitCode::from(FAILURE)
}

fn announce(spec: Spec, process: &Process) {
    let settings = &process.settings;
    tracing::info!(
        service.version = spec.version,
        deployment.environment.name = settings.deployment.environment,
        listen.private = %settings.private_listen,
        "starting"
    );
    match settings.auth.mode {
        auth::Mode::None => {
            tracing::warn!("auth.mode is `none`: every caller is believed to be whoever it says")
        }
        auth::Mode::Jwt => {
            let (issuer, audience) = (settings.auth.issuer.as_deref(), &settings.auth.audience);
            tracing::info!(issuer, audience, "callers are known by their tokens");
        }
    }
}

type Service = JoinHandle<Result<(), BoxError>>;

/// Until the service ends of itself, or is asked to and has drained.
async fn until_end(process: &Process, mut service: Service) -> Result<(), BoxError> {
    tokio::select! {
        result = &mut service => {
            flatten(result)?;
            Err("the service ended without being asked to".into())
        }
        () = process.stop.cancelled() => {
            let result = drain(process, service).await;
            if process.failed.load(Ordering::Relaxed) {
                return Err("a part of the process failed".into());
            }
            result
        }
    }
}

async fn drain(process: &Process, mut service: Service) -> Result<(), BoxError> {
    let began = Instant::now();
    let was_started = process.health.startup().ok;
    process.health.drain();
    // Nobody was sent here before the start was over.
    if was_started {
        tokio::time::sleep(process.settings.drain.endpoint_removal()).await;
    }
    process.health.close();
    process.shutdown.cancel();
    process.tracker.close();
    let end = tokio::time::timeout(process.drain_deadline + CLEAN_UP, &mut service).await;
    let Ok(result) = end else {
        service.abort();
        return Err("the service did not end within the drain deadline and its clean-up".into());
    };
    // For a service that did not wait for its own tracked work.
    process.drained().await;
    tracing::info!(duration_s = began.elapsed().as_secs_f64(), "drained");
    flatten(result)
}

fn flatten(result: Result<Result<(), BoxError>, JoinError>) -> Result<(), BoxError> {
    result.unwrap_or_else(|error| Err(error.into()))
}
