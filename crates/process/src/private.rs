//! The private listener: health, metrics, the level of the log, the share of
//! traces that are kept.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use health::Health;
use telemetry::{
    Level, LevelHandle, Ratio, SampleHandle,
    metrics::{self, Format},
};

pub(crate) fn router(health: Health, level: LevelHandle, sampling: SampleHandle) -> Router {
    let log = Router::new()
        .route("/log/level", get(read_level).put(write_level))
        .with_state(level);
    let traces = Router::new()
        .route("/trace/ratio", get(read_ratio).put(write_ratio))
        .with_state(sampling);
    health::router(health)
        .route("/metrics", get(scrape))
        .merge(log)
        .merge(traces)
}

async fn scrape(headers: HeaderMap) -> impl IntoResponse {
    let accepts = headers.get_all(header::ACCEPT).iter();
    let accepts: Vec<&str> = accepts.filter_map(|value| value.to_str().ok()).collect();
    let format = Format::accepted(&accepts.join(","));
    let content_type = [(header::CONTENT_TYPE, format.content_type())];
    (content_type, metrics::text(format))
}

async fn read_level(State(level): State<LevelHandle>) -> String {
    level.get()
}

/// The body is what `log.level` may be.
async fn write_level(State(level): State<LevelHandle>, body: String) -> (StatusCode, String) {
    match body.trim().parse::<Level>() {
        Ok(wanted) => {
            let before = level.get();
            tracing::warn!(old = before, new = %wanted, "the log level is changed");
            level.set(wanted);
            (StatusCode::OK, level.get())
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    }
}

async fn read_ratio(State(sampling): State<SampleHandle>) -> String {
    sampling.get().to_string()
}

/// The body is what `telemetry.sample_ratio` may be.
async fn write_ratio(State(sampling): State<SampleHandle>, body: String) -> (StatusCode, String) {
    let wanted = body.trim().parse::<f64>().ok();
    match wanted.and_then(|ratio| Ratio::try_from(ratio).ok()) {
        Some(wanted) => {
            let (before, after) = (sampling.get(), wanted.get());
            tracing::warn!(old = before, new = after, "the share of traces is changed");
            sampling.set(after);
            (StatusCode::OK, sampling.get().to_string())
        }
        None => {
            let expected = "expected a number from 0 to 1";
            (StatusCode::BAD_REQUEST, expected.to_owned())
        }
    }
}
