//! The audits of all three services as one list.

pub mod deep;

use api::{
    common::v1::AuditFinding, inventory::v1 as inventory, order::v1 as order,
    payment::v1 as payment,
};
use serde::Serialize;

use crate::{failure::Failure, shop::Shop};

/// One invariant of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub service: &'static str,
    pub invariant: String,
    pub description: String,
    /// 0 is the only good number.
    pub violations: i64,
    pub samples: Vec<String>,
}

impl Finding {
    fn of(service: &'static str, finding: AuditFinding) -> Self {
        Self {
            service,
            invariant: finding.invariant,
            description: finding.description,
            violations: finding.violations,
            samples: finding.samples,
        }
    }
}

pub async fn run(shop: &Shop, skip_provider: bool) -> Result<Vec<Finding>, Failure> {
    let of_orders = order::RunAuditRequest {};
    let of_orders = shop
        .order_admin
        .ask(of_orders, |mut client, request| async move {
            client.run_audit(request).await
        });
    let of_payments = payment::RunAuditRequest { skip_provider };
    let of_payments = shop
        .payment_admin
        .ask(of_payments, |mut client, request| async move {
            client.run_audit(request).await
        });
    let of_stock = inventory::RunAuditRequest {};
    let of_stock = shop
        .inventory_admin
        .ask(of_stock, |mut client, request| async move {
            client.run_audit(request).await
        });
    let (of_orders, of_payments, of_stock) = tokio::join!(of_orders, of_payments, of_stock);
    let all = [
        ("order", of_orders?.findings),
        ("payment", of_payments?.findings),
        ("inventory", of_stock?.findings),
    ];
    let all = all.into_iter().flat_map(|(service, findings)| {
        let findings = findings.into_iter();
        findings.map(move |finding| Finding::of(service, finding))
    });
    Ok(all.collect())
}

pub fn violations(findings: &[Finding]) -> i64 {
    findings.iter().map(|finding| finding.violations).sum()
}
