//! Services that know each other by their certificates.

use std::{path::Path, process::Command, time::Duration};

use api::{
    common::v1::ListAuditEntriesRequest,
    contract::{self, Method},
    order::v1::OrderState,
};
use e2e::{SERVICES, Shop, Transport, raw};
use listener::{
    Tls,
    tls::{Connector, Files},
};
use prost_reflect::DynamicMessage;
use rpc::PeerSettings;

use super::{Answer, over_grpc};

const PEERS: [&str; 2] = ["inventory", "payment"];

fn connector(directory: &Path, name: &str, ca: &Path) -> Connector {
    let file = |ending: &str| directory.join(format!("{name}.{ending}"));
    let tls = Tls::of(file("pem"), file("key"), Some(ca.to_owned()));
    Files::start(&tls).unwrap().connector().unwrap()
}

async fn call(shop: &Shop, method: &Method, connector: &Connector) -> Answer {
    let service = method.path.split('.').nth(1).unwrap();
    let urls = [
        ("inventory", "CARTWRIGHT_INVENTORY_URL"),
        ("payment", "CARTWRIGHT_PAYMENT_URL"),
        ("order", "CARTWRIGHT_ORDER_URL"),
    ];
    let (_, variable) = urls.iter().find(|(name, _)| *name == service).unwrap();
    let peer = PeerSettings {
        server_name: Some(format!("{service}-service")),
        ..PeerSettings::at(shop.client_env[*variable].clone())
    };
    let channel = rpc::connect(&peer, Some(connector)).unwrap();
    let message = DynamicMessage::new(method.descriptor.input());
    let metadata = [("idempotency-key", "for-peers")];
    over_grpc::answer(raw::call(&channel, method, &message, &metadata).await)
}

fn is_denied(answer: &Answer) -> bool {
    answer.reason.as_deref() == Some("SCOPE_MISSING")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_opens_the_methods_that_name_it_and_no_other() {
    let shop = Shop::start_over(Transport::Tls, &[]).await;
    let ca = shop.directory().join("ca.pem");
    let order = connector(shop.directory(), "order-service", &ca);
    let payment = connector(shop.directory(), "payment-service", &ca);
    let nobody = Connector::trusting(&ca).unwrap();
    let (mut opened, mut closed) = (0, 0);
    for method in contract::methods(&SERVICES).unwrap() {
        let answer = call(&shop, &method, &order).await;
        let is_named = method.peers.iter().any(|peer| peer == "order-service");
        let reason = answer.reason.as_deref().unwrap_or("OK");
        let is_open = !["SCOPE_MISSING", "UNAUTHENTICATED"].contains(&reason);
        assert_eq!(is_open, is_named, "{}: {answer:?}", method.path);
        assert!(is_open || is_denied(&answer), "{}: {answer:?}", method.path);
        match is_open {
            true => opened += 1,
            false => closed += 1,
        }
        // A certificate of the same CA, which no method names.
        let answer = call(&shop, &method, &payment).await;
        assert!(is_denied(&answer), "{}: {answer:?}", method.path);
        let answer = call(&shop, &method, &nobody).await;
        assert_eq!(answer.reason.as_deref(), Some("UNAUTHENTICATED"));
    }
    assert!(opened > 10 && closed > 10, "{opened} and {closed}");
    another_authority_is_not_believed(&shop, &ca).await;
    a_customer_is_not_forwarded(&shop).await;
}

async fn another_authority_is_not_believed(shop: &Shop, ca: &Path) {
    let elsewhere = tempfile::tempdir().unwrap();
    let made = Command::new(e2e::checkout().join("scripts/certificates"))
        .arg(elsewhere.path())
        .arg("order-service")
        .status();
    assert!(made.unwrap().success());
    let forged = connector(elsewhere.path(), "order-service", ca);
    let methods = contract::methods(&SERVICES).unwrap();
    let reserve = methods
        .iter()
        .find(|method| method.path.ends_with("/Reserve"));
    let answer = call(shop, reserve.unwrap(), &forged).await;
    let reason = answer.reason.unwrap();
    // The handshake fails: nothing that a handler or the gate would say.
    assert!(
        reason.contains("Status") && !reason.contains("OK"),
        "{reason}"
    );
}

/// An order of a customer: what its peers hear is the service's own name.
async fn a_customer_is_not_forwarded(shop: &Shop) {
    let ada = shop.issuer.token("ada", ["orders:read", "orders:write"]);
    let ada = shop.calls.with_token(ada);
    shop.calls.stocked("mug", 10).await;
    let request = e2e::order_request(vec![e2e::line("mug", 1)]);
    let order = ada.create("by-ada", request).await.unwrap();
    shop.calls.reached(&order.id, OrderState::Confirmed).await;
    shop.calls.settled(Duration::from_secs(30)).await;
    let heard = [
        shop.calls
            .stock_admin
            .clone()
            .list_audit_entries(ListAuditEntriesRequest::default())
            .await
            .unwrap(),
        shop.calls
            .payment_admin
            .clone()
            .list_audit_entries(ListAuditEntriesRequest::default())
            .await
            .unwrap(),
    ];
    for (service, heard) in PEERS.iter().zip(heard) {
        let entries = heard.into_inner().entries;
        let by_service =
            |entry: &&api::common::v1::AuditEntry| entry.principal == "service:order-service";
        assert!(entries.iter().any(|entry| by_service(&entry)), "{service}");
        let strangers: Vec<_> = entries
            .iter()
            .filter(|entry| !by_service(entry) && entry.principal != "staff")
            .collect();
        assert!(strangers.is_empty(), "{service}: {strangers:?}");
    }
}
