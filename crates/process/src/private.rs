//! The private listener: health, and the level of the log.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use health::Health;
use telemetry::{Level, LevelHandle};

pub(crate) fn router(health: Health, level: LevelHandle) -> Router {
    let log = Router::new()
        .route("/log/level", get(read).put(write))
        .with_state(level);
    health::router(health).merge(log)
}

async fn read(State(level): State<LevelHandle>) -> String {
    level.get()
}

/// The body is what `log.level` may be.
async fn write(State(level): State<LevelHandle>, body: String) -> (StatusCode, String) {
    match body.trim().parse::<Level>() {
        Ok(wanted) => {
            let before = level.get();
            tracing::warn!(before, after = %wanted, "the log level is changed");
            level.set(wanted);
            (StatusCode::OK, level.get())
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    }
}
