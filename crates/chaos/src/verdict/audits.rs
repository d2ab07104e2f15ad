//! What the services say of themselves: `RunAudit` of each.

use std::time::Duration;

use api::common::v1::AuditFinding;
use api::{inventory::v1 as stock, order::v1 as order, payment::v1 as payment};
use load::Shop;

use super::check::Check;
use super::site::Site;

const ORDERS: [&str; 8] = ["O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8"];
const PAYMENTS: [&str; 8] = ["M1", "M2", "M3", "M4", "M5", "M6", "O6", "O8"];
const STOCK: [&str; 8] = ["S1", "S2", "S3", "S4", "S5", "S6", "O6", "O8"];

const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// An audit of everything may take a while.
const TIMEOUT: Duration = Duration::from_secs(120);

pub async fn checks(site: &Site) -> Vec<Check> {
    let names = [
        ("audit-of-orders", &ORDERS),
        ("audit-of-payments", &PAYMENTS),
        ("audit-of-stock", &STOCK),
    ];
    let says = "the service's own audit finds every invariant kept";
    let shop = match Shop::connect(&site.endpoints, &site.token) {
        Ok(shop) => shop,
        Err(error) => {
            let error = anyhow::Error::from(error);
            return names
                .map(|(name, _)| Check::failed(name, says, &error))
                .into();
        }
    };
    let mut checks = Vec::new();
    for (name, invariants) in names {
        checks.push(match run(&shop, name).await {
            Ok(findings) => judge(name, says, invariants, findings),
            Err(error) => Check::failed(name, says, &error),
        });
    }
    checks
}

fn judge(
    name: &'static str,
    says: &'static str,
    invariants: &[&str],
    findings: Vec<AuditFinding>,
) -> Check {
    let mut check = Check::new(name, says);
    for invariant in invariants {
        let there = findings.iter().any(|one| one.invariant == *invariant);
        check.expect(there, None, || format!("it does not look at {invariant}"));
    }
    for finding in findings {
        check.looked();
        let AuditFinding {
            invariant,
            description,
            violations,
            samples,
        } = finding;
        for _ in 0..violations {
            let sample = samples.first().map(String::as_str);
            let id = sample.filter(|sample| sample.len() == 36);
            check.broken(id, format!("{invariant}, {description}: {samples:?}"));
        }
    }
    check
}

/// Asked again while a service cannot answer: what it finds is judged, not how
/// soon it answers.
async fn run(shop: &Shop, name: &str) -> anyhow::Result<Vec<AuditFinding>> {
    let mut tries = 1;
    loop {
        let findings = match name {
            "audit-of-orders" => orders(shop).await,
            "audit-of-payments" => payments(shop).await,
            _ => of_stock(shop).await,
        };
        match findings {
            Err(status) if tries < TRIES && rpc::Remote::from(&status).is_transient() => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            findings => return Ok(findings?),
        }
    }
}

type Findings = Result<Vec<AuditFinding>, tonic::Status>;

async fn orders(shop: &Shop) -> Findings {
    let audit = rpc::call(order::RunAuditRequest {}, None, TIMEOUT, |request| {
        let mut client = shop.order_admin.clone();
        async move { client.run_audit(request).await }
    });
    Ok(audit.await?.findings)
}

async fn payments(shop: &Shop) -> Findings {
    let request = payment::RunAuditRequest::default();
    let audit = rpc::call(request, None, TIMEOUT, |request| {
        let mut client = shop.payment_admin.clone();
        async move { client.run_audit(request).await }
    });
    Ok(audit.await?.findings)
}

async fn of_stock(shop: &Shop) -> Findings {
    let audit = rpc::call(stock::RunAuditRequest {}, None, TIMEOUT, |request| {
        let mut client = shop.stock_admin.clone();
        async move { client.run_audit(request).await }
    });
    Ok(audit.await?.findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(invariant: &str, violations: i64) -> AuditFinding {
        AuditFinding {
            invariant: invariant.to_owned(),
            violations,
            ..AuditFinding::default()
        }
    }

    #[test]
    fn an_audit_that_leaves_an_invariant_out_fails() {
        let all = |violations| STOCK.map(|name| finding(name, violations)).to_vec();
        assert!(judge("a", "b", &STOCK, all(0)).passes());
        assert_eq!(judge("a", "b", &STOCK, all(2)).violations, 16);
        assert!(!judge("a", "b", &STOCK, all(0)[1..].to_vec()).passes());
        assert!(!judge("a", "b", &STOCK, Vec::new()).passes());
    }
}
