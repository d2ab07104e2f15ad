//! Nothing leaks: what must never be kept is sent through every method, in
//! every text of its request and in its headers, and is then looked for in all
//! that the shop wrote.

mod stores;

use std::collections::BTreeSet;

use api::contract::{self, Method};
use e2e::{Shop, raw};
use futures::{StreamExt, stream};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, Value};
use tonic::{Code, Status};
use trace_store::{Bounds, TraceStore};
use uuid::Uuid;

/// A card number as a test card of Visa has it, a mail address, and what only
/// a holder may know.
const CANARIES: [&str; 4] = [
    "4000056655665556",
    "canary.person@leak-check.example",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZS0wMTIz",
    "sk_live_canary0123456789abcdefghij",
];

/// Things that work, so that a request gets as far as it can.
fn good(field: &FieldDescriptor, path: &str) -> Option<Value> {
    let name = field.name();
    Some(match field.kind() {
        Kind::String if name.ends_with("etag") || name == "page_token" => return None,
        Kind::String if name == "location_id" || path == "location.id" => {
            Value::String("main".to_owned())
        }
        Kind::String if name == "customer_id" => Value::String("ada".to_owned()),
        Kind::String if name.ends_with("_id") || name == "order_ids" => {
            Value::String(Uuid::now_v7().to_string())
        }
        Kind::String if name.contains("sku") => Value::String("mug".to_owned()),
        Kind::String if name == "currency_code" => Value::String("GBP".to_owned()),
        Kind::String if name == "payment_method" => Value::String("pm_card_visa".to_owned()),
        Kind::String if name == "idempotency_key" => Value::String(Uuid::now_v7().to_string()),
        Kind::String if name == "traceparent" => return None,
        Kind::String => Value::String("plain".to_owned()),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 if name == "minor_units" => Value::I64(1000),
        Kind::Int64 => Value::I64(1),
        Kind::Bool => Value::Bool(false),
        Kind::Enum(_) => return None,
        _ => return None,
    })
}

/// The paths of all texts in a message.
fn texts(descriptor: &MessageDescriptor, above: &str, found: &mut BTreeSet<String>) {
    for field in descriptor.fields() {
        let path = format!("{above}{}", field.name());
        match field.kind() {
            Kind::String => _ = found.insert(path),
            Kind::Message(inner) => texts(&inner, &format!("{path}."), found),
            _ => {}
        }
    }
}

/// One call with one thing that must not be kept.
struct Probe<'a> {
    method: &'a Method,
    canary: &'static str,
    /// In which text of the request; none: in its headers.
    at: Option<String>,
}

impl Probe<'_> {
    async fn send(&self, shop: &Shop) -> Result<(), Status> {
        let message = raw::filled(&self.method.descriptor.input(), &|field, path| match self
            .at
            .as_deref()
        {
            Some(at) if at == path => Some(Value::String(self.canary.to_owned())),
            _ => good(field, path),
        });
        let key = Uuid::now_v7().to_string();
        let bearer = format!("Bearer {}", shop.calls.token());
        let baggage = format!("note={}", self.canary);
        let stolen = format!("Bearer {}", self.canary);
        let headers: &[&[(&str, &str)]] = match self.at {
            Some(_) => &[&[("authorization", &bearer), ("idempotency-key", &key)]],
            None => &[
                &[("authorization", &bearer), ("idempotency-key", self.canary)],
                &[("authorization", &stolen), ("idempotency-key", &key)],
                &[
                    ("authorization", &bearer),
                    ("idempotency-key", &key),
                    ("x-note", self.canary),
                    ("baggage", self.canary),
                    ("cookie", self.canary),
                    ("tracestate", self.canary),
                ],
                &[("authorization", &bearer), ("baggage", &baggage)],
            ],
        };
        let channel = shop.calls.channel(self.method);
        for headers in headers {
            if let Err(status) = raw::call(&channel, self.method, &message, headers).await {
                self.check(&status);
            }
        }
        Ok(())
    }

    fn check(&self, status: &Status) {
        let told = format!("{} {status:?}", status.message());
        let what = format!("{} {:?}: {told}", self.method.path, self.at);
        assert!(!told.contains(self.canary), "the answer repeats it: {what}");
        let ours = [Code::Internal, Code::Unknown, Code::DataLoss];
        assert!(!ours.contains(&status.code()), "blames the server: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_must_not_be_kept_is_found_anywhere() {
    // Nothing may be pushed out before it is looked at.
    let room = Bounds {
        spans_per_trace: 2_000_000,
        logs: 2_000_000,
        bytes: 4 << 30,
        value_bytes: 1 << 20,
        ..Bounds::of_spans(2_000_000)
    };
    let sent = TraceStore::new(room).serve_here().await;
    let (sent, endpoints) = sent.unwrap();
    let mut shop = Shop::start_with(&[
        ("CARTWRIGHT__TELEMETRY__OTLP_ENDPOINT", &endpoints.grpc),
        ("CARTWRIGHT__LOG__LEVEL", "debug"),
    ])
    .await;
    shop.calls.stocked("mug", 100_000).await;
    let methods = contract::methods(&e2e::SERVICES).unwrap();
    let mut probes = Vec::new();
    for method in &methods {
        let mut paths = BTreeSet::new();
        texts(&method.descriptor.input(), "", &mut paths);
        for canary in CANARIES {
            let places = paths.iter().cloned().map(Some).chain([None]);
            probes.extend(places.map(|at| Probe { method, canary, at }));
        }
    }
    assert!(probes.len() > 500, "only {} probes", probes.len());
    stream::iter(&probes)
        .for_each_concurrent(16, async |probe| {
            probe.send(&shop).await.unwrap();
        })
        .await;

    // At its end a process sends all that it still has.
    for part in [
        &mut shop.order,
        &mut shop.payment,
        &mut shop.inventory,
        &mut shop.simulator,
    ] {
        let ended = tokio::task::block_in_place(|| part.terminate());
        assert_eq!(ended, Some(0), "{}", part.log());
    }
    let mut found = Vec::new();
    let mut kept = stores::everything(&shop).await;
    let lost = sent.summary().lost;
    assert!(lost.is_none(), "not all can be searched: {lost:?}");
    assert!(!sent.spans().is_empty() && !sent.logs().is_empty() && !sent.metrics().is_empty());
    kept.push(("telemetry".to_owned(), sent.everything()));
    for part in [&shop.order, &shop.payment, &shop.inventory, &shop.simulator] {
        kept.push((format!("the log of {}", part.name()), part.whole_log()));
    }
    for (place, text) in &kept {
        for canary in CANARIES {
            let hex = canary.bytes().map(|byte| format!("{byte:02x}"));
            for form in [canary.to_owned(), hex.collect::<String>()] {
                if let Some(at) = text.find(&form) {
                    let from = text.floor_char_boundary(at.saturating_sub(200));
                    found.push(format!("{place}: …{}", &text[from..at + form.len()]));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    // A search that finds nothing anywhere would prove nothing.
    let all = kept.iter().map(|(_, text)| text.as_str());
    assert!(all.filter(|text| text.contains("mug")).count() > 2);
}
