//! Who did what to the stock, and what no field may hold.

use api::common::v1 as common;
use api::inventory::v1::{
    self as pb, inventory_admin_service_client::InventoryAdminServiceClient as Admin,
};
use rpc::Reason;
use tonic::Status;

use crate::world::{World, call, fresh_key, item, order, reason, refused, wish};

const SET: &str = "cartwright.inventory.v1.InventoryService/SetStock";

async fn list(
    world: &World,
    request: common::ListAuditEntriesRequest,
) -> Result<common::ListAuditEntriesResponse, Status> {
    let peer = rpc::PeerSettings::at(format!("http://{}", world.addresses[0]));
    let mut admin = Admin::new(rpc::connect(&peer, None).unwrap());
    Ok(admin.list_audit_entries(request).await?.into_inner())
}

#[tokio::test]
async fn every_act_is_in_the_log_once_with_what_became_of_it() {
    let world = World::new().await;
    world.stocked("MUG", 3).await;
    let (first, second) = (order(), order());
    let key = fresh_key();
    for _ in 0..2 {
        call!(world.client(), reserve, &key, wish(&first, &[("MUG", 2)])).unwrap();
    }
    let short = world.reserve(&second, &[("MUG", 2)]).await;
    assert_eq!(refused(short), Reason::OutOfStock);

    let all = list(&world, common::ListAuditEntriesRequest::default()).await;
    let all = all.unwrap().entries;
    let told: Vec<_> = all
        .iter()
        .map(|entry| {
            let method = entry.method.rsplit('/').next().unwrap();
            (method, entry.resource.as_str(), entry.outcome.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Reserve", second.as_str(), "OUT_OF_STOCK"),
            ("Reserve", first.as_str(), "OK"),
            ("SetStock", "MUG", "OK"),
            ("UpsertItem", "MUG", "OK"),
        ]
    );
    assert_eq!(all[1].idempotency_key, key);
    assert_eq!(all[1].principal, "local");
    assert!(all[1].time.is_some());
}

#[tokio::test]
async fn the_log_is_listed_in_pages_and_by_method_and_principal() {
    let world = World::new().await;
    world.item(item("MUG")).await;
    for count in 1..=5 {
        world.set("main", "MUG", count).await;
    }
    let mut request = common::ListAuditEntriesRequest {
        method: SET.to_owned(),
        principal: "local".to_owned(),
        page_size: 2,
        page_token: String::new(),
    };
    let mut ids = Vec::new();
    loop {
        let page = list(&world, request.clone()).await.unwrap();
        ids.extend(page.entries.iter().map(|entry| entry.id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(ids.len(), 5);
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    let nobody = common::ListAuditEntriesRequest {
        principal: "somebody".to_owned(),
        ..Default::default()
    };
    assert!(list(&world, nobody).await.unwrap().entries.is_empty());
    let foreign = common::ListAuditEntriesRequest {
        page_token: "bm90IG91cnM".to_owned(),
        ..Default::default()
    };
    let refused = list(&world, foreign).await.unwrap_err();
    assert_eq!(reason(&refused), Reason::PageTokenInvalid);
}

const FORBIDDEN: [&str; 3] = [
    "4242 4242 4242 4242",
    "anna@example.com",
    "sk_live_51H8xNotARealKey0",
];

#[track_caller]
fn kept_out<T: std::fmt::Debug>(result: Result<T, Status>, text: &str) {
    let status = result.expect_err("a refusal");
    assert_eq!(reason(&status), Reason::InvalidField);
    let told = format!("{status:?}");
    assert!(told.contains("must not hold"), "{told}");
    assert!(!told.contains(text), "{told}");
}

#[tokio::test]
async fn no_field_takes_what_must_not_be_stored() {
    let world = World::new().await;
    world.stocked("MUG", 3).await;
    for text in FORBIDDEN {
        let titled = pb::UpsertItemRequest {
            item: Some(pb::Item {
                title: format!("for {text}"),
                ..item("MUG")
            }),
        };
        kept_out(
            call!(world.client(), upsert_item, &fresh_key(), titled),
            text,
        );
        let named = pb::UpsertItemRequest {
            item: Some(item(text)),
        };
        kept_out(
            call!(world.client(), upsert_item, &fresh_key(), named),
            text,
        );
        kept_out(
            world.reserve(&order(), &[("MUG", 1), (text, 1)]).await,
            text,
        );
        let place = pb::UpsertLocationRequest {
            location: Some(pb::Location {
                id: text.to_owned(),
                ..Default::default()
            }),
        };
        kept_out(
            call!(world.client(), upsert_location, &fresh_key(), place),
            text,
        );
        let read = pb::GetStockRequest {
            sku: text.to_owned(),
        };
        kept_out(world.client().get_stock(read).await, text);
        let prefix = pb::ListStockRequest {
            sku_prefix: text.to_owned(),
            ..Default::default()
        };
        kept_out(world.client().list_stock(prefix).await, text);
        let keyed = call!(world.client(), reserve, text, wish(&order(), &[("MUG", 1)]));
        let status = keyed.unwrap_err();
        assert_eq!(reason(&status), Reason::IdempotencyKeyInvalid);
        assert!(!format!("{status:?}").contains(text), "{status:?}");
    }
    assert_eq!(world.count("select count(*) from audit_log").await, 2);
}

#[tokio::test]
async fn an_item_of_a_batch_with_a_forbidden_text_is_refused_alone() {
    let world = World::new().await;
    world.stocked("MUG", 3).await;
    let entry = |sku: &str| pb::BatchReserveItem {
        idempotency_key: fresh_key(),
        request: Some(wish(&order(), &[(sku, 1)])),
        ..Default::default()
    };
    let batch = pb::BatchReserveRequest {
        items: vec![entry("MUG"), entry("anna@example.com"), entry("MUG")],
    };
    let answered = call!(world.client(), batch_reserve, "", batch).unwrap();
    let results = answered.into_inner().results;
    let refused: Vec<bool> = results
        .iter()
        .map(|result| {
            use pb::batch_reservation_result::Outcome;
            matches!(&result.outcome, Some(Outcome::Error(_)))
        })
        .collect();
    assert_eq!(refused, [false, true, false]);
    let told = format!("{results:?}");
    assert!(!told.contains("anna"), "{told}");
}
