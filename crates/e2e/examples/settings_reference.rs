//! Writes `docs/settings.md` and `docs/settings.json`, the reference of all
//! settings: from the types that read them, so it cannot tell otherwise.

use std::{fs, io};

use e2e::checkout;
use process::reference::{PREFACE, common, schema, tables};
use schemars::JsonSchema;
use serde_json::{Map, Value};

fn main() -> io::Result<()> {
    let mut text = format!(
        "# Settings\n\n{PREFACE}\n`cartwright config reference` prints this page, \
         `<service> config reference` the keys of one process, and `<service> config check` \
         tells whether a file is good. `--output json` gives JSON schemas, which editors \
         understand, too; they are in [settings.json](settings.json). This page is generated \
         by `make generate`.\n\n## Every process\n{}",
        tables(&common())
    );
    let order = settings::keys::<order_service::Settings>();
    let payment = settings::keys::<payment_service::Settings>();
    let inventory = settings::keys::<inventory_service::Settings>();
    let simulator = settings::keys::<payment_simulator::Settings>();
    let mut shared = order.clone();
    shared.retain(|key| payment.contains(key) && inventory.contains(key));
    text.push_str(&format!("\n## Every service\n{}", tables(&shared)));
    for (name, mut keys) in [
        ("order-service", order),
        ("payment-service", payment),
        ("inventory-service", inventory),
        ("payment-simulator", simulator),
    ] {
        keys.retain(|key| !shared.contains(key));
        text.push_str(&format!("\n## {name}\n{}", tables(&keys)));
    }
    let mut schemas = Map::new();
    add::<order_service::Settings>("order-service", &mut schemas);
    add::<payment_service::Settings>("payment-service", &mut schemas);
    add::<inventory_service::Settings>("inventory-service", &mut schemas);
    add::<payment_simulator::Settings>("payment-simulator", &mut schemas);
    let docs = checkout().join("docs");
    fs::write(docs.join("settings.md"), text)?;
    fs::write(
        docs.join("settings.json"),
        format!("{:#}\n", Value::from(schemas)),
    )
}

fn add<S: JsonSchema>(name: &str, schemas: &mut Map<String, Value>) {
    schemas.insert(name.to_owned(), schema::<S>(name));
}
