//! Reads for metrics what stands in the database.

use std::convert::Infallible;

use tokio_util::sync::CancellationToken;

use crate::app::{App, AppError};
use crate::metrics;

/// Runs until `stop`, and then ends at once. The provider's books are not
/// compared here: to read them all takes long.
pub async fn gauges(
    app: App,
    settings: gauges::Settings,
    stop: CancellationToken,
) -> Result<(), Infallible> {
    metrics::announce();
    let measure = || outbox::measure(app.database(), &[]);
    let audit = || async {
        let findings = app.run_audit(true).await?;
        let counts = findings.iter();
        gauges::audited(counts.map(|finding| (finding.invariant, finding.violations)));
        Ok::<_, AppError>(())
    };
    let interval = settings.interval();
    tokio::join!(
        gauges::keep("gauges", interval, stop.clone(), measure),
        gauges::keep("audit", settings.audit_interval(), stop, audit),
    );
    Ok(())
}
