use audit::{Entry, Filter, Outcome};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{database, entry, list, record};

fn filter(principal: Option<&str>, method: Option<&str>) -> Filter {
    Filter {
        principal: principal.map(str::to_owned),
        method: method.map(str::to_owned),
    }
}

#[tokio::test]
async fn entries_are_listed_newest_first_page_by_page() {
    let test = database().await;
    let keys: Vec<String> = (0..7).map(|number| format!("k-{number}")).collect();
    let entries: Vec<Entry<'_>> = keys.iter().map(|key| entry("anna", key)).collect();
    record(&test, &entries).await;
    let (mut listed, mut before) = (Vec::new(), None);
    loop {
        let page = list(&test, &Filter::default(), before, 3).await;
        before = page.last().map(|last| last.id);
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|entry| entry.idempotency_key));
    }
    listed.reverse();
    assert_eq!(listed, keys);
}

#[tokio::test]
async fn a_list_can_be_of_one_principal_or_method() {
    let test = database().await;
    let other = Entry {
        method: "cartwright.order.v1.OrderService/CreateOrder",
        ..entry("anna", "k-2")
    };
    record(&test, &[entry("anna", "k-1"), other, entry("bert", "k-3")]).await;
    for (wanted, keys) in [
        (filter(Some("anna"), None), vec!["k-2", "k-1"]),
        (filter(Some("carl"), None), vec![]),
        (filter(None, Some(other.method)), vec!["k-2"]),
        (filter(Some("bert"), Some(other.method)), vec![]),
    ] {
        let listed = list(&test, &wanted, None, 10).await;
        let listed: Vec<_> = listed.iter().map(|e| e.idempotency_key.as_str()).collect();
        assert_eq!(listed, keys, "{wanted:?}");
    }
}

#[tokio::test]
async fn an_entry_tells_who_did_what_to_what_and_what_became_of_it() {
    let test = database().await;
    let details = ErrorDetails::with_error_info("OUT_OF_STOCK", "cartwright", []);
    let status = Status::with_error_details(Code::FailedPrecondition, "no", details);
    let refused = Entry {
        client: Some("checkout"),
        resource: Some("85123A"),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        outcome: Outcome::Refused {
            code: 9,
            status: status.details(),
        },
        ..entry("anna", "k-1")
    };
    let started = Entry {
        outcome: Outcome::Started,
        ..entry("anna", "k-2")
    };
    let unclear = Entry {
        outcome: Outcome::Refused {
            code: 5,
            status: b"",
        },
        ..entry("anna", "k-3")
    };
    record(&test, &[refused, started, unclear]).await;
    let listed = list(&test, &Filter::default(), None, 10).await;
    let outcomes: Vec<_> = listed
        .iter()
        .map(|e| (e.code, e.outcome.as_str()))
        .collect();
    assert_eq!(
        outcomes,
        [(5, "CODE_5"), (0, "STARTED"), (9, "OUT_OF_STOCK")]
    );
    let told = &listed[2];
    assert_eq!(told.client.as_deref(), Some("checkout"));
    assert_eq!(told.resource.as_deref(), Some("85123A"));
    assert_eq!(told.trace_id, refused.trace_id.map(str::to_owned));
    assert_eq!(listed[0].client, None);
    assert!(told.recorded_at <= listed[0].recorded_at);
}
