//! What a process counts, as its tests see it.

use std::process::Command;

use telemetry::metrics::{Format, install, text};

const ALONE: &str = "TESTKIT_ALONE";

/// Runs the test that calls, whose path is `name`, in a process of its own:
/// counters belong to a process, and in this one other tests count at the same
/// time.
pub fn alone<F: Future<Output = ()>>(name: &str, test: impl FnOnce() -> F) {
    if std::env::var(ALONE).is_ok_and(|running| running == name) {
        install();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        return runtime.unwrap().block_on(test());
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.args(["--exact", name, "--nocapture"]);
    let ran = command.env(ALONE, name).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && told.contains("1 passed"),
        "{name}: {told}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The sum of all series of `name` that have these labels; 0 if there is none.
/// Names are those of Prometheus.
pub fn counted(name: &str, labels: &[(&str, &str)]) -> f64 {
    let series = text(Format::Prometheus);
    let lines = series.lines().filter(|line| !line.starts_with('#'));
    let values = lines.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (own, rest) = series.split_once('{').unwrap_or((series, ""));
        let has = |(label, value): &(&str, &str)| rest.contains(&format!("{label}=\"{value}\""));
        let is_one = own == name && labels.iter().all(has);
        is_one.then(|| value.parse::<f64>().unwrap())
    });
    values.sum()
}

/// Whether any series of `name` has these labels.
pub fn is_counted(name: &str, labels: &[(&str, &str)]) -> bool {
    let has =
        |line: &str, (label, value): &(&str, &str)| line.contains(&format!("{label}=\"{value}\""));
    text(Format::Prometheus).lines().any(|line| {
        let own = line.split(['{', ' ']).next();
        own == Some(name) && labels.iter().all(|label| has(line, label))
    })
}
