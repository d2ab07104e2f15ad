//! `cartwright audit-log`

use std::num::NonZeroUsize;

use api::common::v1::{AuditEntry, ListAuditEntriesRequest, ListAuditEntriesResponse};
use clap::{Args, ValueEnum};

use crate::{
    failure::Failure,
    json,
    output::{Format, Output, table},
    shop::Shop,
    show,
};

const PAGE: usize = 100;

#[derive(Debug, Args)]
pub struct AuditLog {
    /// Only of this service [default: all three].
    #[arg(long, value_enum)]
    service: Option<Service>,
    /// Only what this one did: the subject of a token, or service:NAME.
    #[arg(long, default_value = "", hide_default_value = true)]
    principal: String,
    /// Only this method, such as cartwright.order.v1.OrderService/CancelOrder.
    #[arg(long, default_value = "", hide_default_value = true)]
    method: String,
    /// At most so many of each service.
    #[arg(long, default_value = "50")]
    limit: NonZeroUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Service {
    Order,
    Payment,
    Inventory,
}

impl Service {
    const ALL: [Self; 3] = [Self::Order, Self::Payment, Self::Inventory];

    fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Inventory => "inventory",
        }
    }
}

type Found = (&'static str, AuditEntry);

pub async fn run(args: &AuditLog, shop: &Shop, output: Output) -> Result<(), Failure> {
    let mut found = Vec::new();
    for service in Service::ALL {
        if args.service.is_none_or(|only| only == service) {
            let entries = of_service(service, args, shop).await?;
            found.extend(entries.into_iter().map(|entry| (service.name(), entry)));
        }
    }
    found.sort_by_key(|(_, entry)| std::cmp::Reverse(show::moment(entry.time.as_ref())));
    match output.format {
        Format::Json => output.json(&in_json(&found)?),
        Format::Table => output.text(&view(&found)),
    }
}

async fn of_service(
    service: Service,
    args: &AuditLog,
    shop: &Shop,
) -> Result<Vec<AuditEntry>, Failure> {
    let limit = args.limit.get();
    let (mut entries, mut page_token) = (Vec::new(), String::new());
    loop {
        let left = limit.saturating_sub(entries.len());
        let request = ListAuditEntriesRequest {
            principal: args.principal.clone(),
            method: args.method.clone(),
            page_size: i32::try_from(left.min(PAGE)).unwrap_or_default(),
            page_token,
        };
        let page = page_of(service, request, shop).await?;
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() || entries.len() >= limit {
            return Ok(entries);
        }
    }
}

async fn page_of(
    service: Service,
    request: ListAuditEntriesRequest,
    shop: &Shop,
) -> Result<ListAuditEntriesResponse, Failure> {
    match service {
        Service::Order => {
            let ask = shop
                .order_admin
                .ask(request, |mut client, request| async move {
                    client.list_audit_entries(request).await
                });
            ask.await
        }
        Service::Payment => {
            let ask = shop
                .payment_admin
                .ask(request, |mut client, request| async move {
                    client.list_audit_entries(request).await
                });
            ask.await
        }
        Service::Inventory => {
            let ask = shop
                .inventory_admin
                .ask(request, |mut client, request| async move {
                    client.list_audit_entries(request).await
                });
            ask.await
        }
    }
}

fn in_json(found: &[Found]) -> Result<serde_json::Value, Failure> {
    let entries = found.iter().map(|(service, entry)| {
        let mut entry = json::of(entry)?;
        if let Some(fields) = entry.as_object_mut() {
            fields.insert("service".to_owned(), (*service).into());
        }
        Ok(entry)
    });
    let entries = entries.collect::<Result<Vec<_>, Failure>>()?;
    Ok(serde_json::json!({ "entries": entries }))
}

fn view(found: &[Found]) -> String {
    if found.is_empty() {
        return "no entries".to_owned();
    }
    let rows = found.iter().map(|(service, entry)| {
        let method = entry.method.rsplit('/').next().unwrap_or_default();
        [
            show::time(entry.time.as_ref()),
            (*service).to_owned(),
            entry.principal.clone(),
            entry.client.clone(),
            method.to_owned(),
            entry.resource.clone(),
            entry.outcome.clone(),
            entry.trace_id.clone(),
        ]
    });
    let heads = [
        "TIME", "SERVICE", "WHO", "CLIENT", "DID", "TO WHAT", "OUTCOME", "TRACE",
    ];
    table(heads, rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn found() -> Found {
        let entry = AuditEntry {
            id: 7,
            principal: "anna".to_owned(),
            method: "cartwright.order.v1.OrderService/CancelOrder".to_owned(),
            resource: "o-1".to_owned(),
            outcome: "OK".to_owned(),
            ..AuditEntry::default()
        };
        ("order", entry)
    }

    #[test]
    fn a_table_tells_who_did_what_to_what() {
        let view = view(&[found()]);
        for part in ["order", "anna", "CancelOrder", "o-1", "OK"] {
            assert!(view.contains(part), "{view}");
        }
        assert_eq!(super::view(&[]), "no entries");
    }

    #[test]
    fn json_names_the_service_of_each_entry() {
        let json = in_json(&[found()]).unwrap();
        assert_eq!(json["entries"][0]["service"], "order");
        assert_eq!(json["entries"][0]["id"], 7);
        assert_eq!(json["entries"][0]["principal"], "anna");
    }
}
