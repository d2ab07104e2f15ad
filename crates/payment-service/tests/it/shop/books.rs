//! What stands in the books, ours and the provider's.

use std::collections::HashMap;

use api::payment::v1 as pb;
use uuid::Uuid;

use super::Shop;

impl Shop {
    /// Violations by invariant.
    pub async fn audit(&self) -> HashMap<String, (i64, Vec<String>)> {
        let request = pb::RunAuditRequest {
            skip_provider: false,
        };
        let response = self.admin.clone().run_audit(request).await.unwrap();
        let findings = response.into_inner().findings.into_iter();
        findings
            .map(|finding| (finding.invariant, (finding.violations, finding.samples)))
            .collect()
    }

    pub async fn assert_sound(&self) {
        let findings = self.audit().await;
        assert_eq!(findings.len(), 8);
        for (invariant, (violations, samples)) in findings {
            assert_eq!(violations, 0, "{invariant}: {samples:?}");
        }
    }

    pub async fn count(&self, statement: &'static str) -> i64 {
        let mut conn = self.database.db.acquire().await.unwrap();
        sqlx::query_scalar(statement)
            .fetch_one(&mut *conn)
            .await
            .unwrap()
    }

    pub async fn execute(&self, statement: &'static str) -> Result<u64, sqlx::Error> {
        let mut conn = self.database.db.acquire().await.unwrap();
        let done = sqlx::query(statement).execute(&mut *conn).await?;
        Ok(done.rows_affected())
    }

    /// The kinds of the events told about a payment, in order.
    pub async fn events_of(&self, payment: &str) -> Vec<String> {
        let mut conn = self.database.db.acquire().await.unwrap();
        let id = Uuid::parse_str(payment).unwrap();
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "select sequence, kind from outbox where aggregate = $1 order by position",
        )
        .bind(id)
        .fetch_all(&mut *conn)
        .await
        .unwrap();
        for (place, (sequence, _)) in rows.iter().enumerate() {
            assert_eq!(usize::try_from(*sequence).unwrap(), place + 1, "{rows:?}");
        }
        rows.into_iter().map(|(_, kind)| kind).collect()
    }

    /// Posts a webhook; gives the HTTP status.
    pub async fn post_webhook(&self, signature: &str, body: String) -> u16 {
        let request = self
            .http
            .post(&self.webhook_url)
            .header("Stripe-Signature", signature)
            .body(body);
        request.send().await.unwrap().status().as_u16()
    }
}
