//! Reads for metrics what stands in the database.

use database::Database;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Error},
    metrics,
};

/// Runs until cancelled, and then ends at once.
pub async fn gauges(app: App, db: Database, settings: gauges::Settings, stop: CancellationToken) {
    metrics::announce();
    let measure = || outbox::measure(&db, &[]);
    let audit = || async {
        let findings = app.run_audit().await?;
        let counts = findings.iter();
        gauges::audited(counts.map(|finding| (finding.invariant, finding.violations)));
        Ok::<_, Error>(())
    };
    let interval = settings.interval();
    tokio::join!(
        gauges::keep("gauges", interval, stop.clone(), measure),
        gauges::keep("audit", settings.audit_interval(), stop, audit),
    );
}
