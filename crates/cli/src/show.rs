//! How values of the contract look in tables.

use api::common::v1 as common;
use chrono::{DateTime, Utc};
use types::Money;

/// `12.34 GBP`, or nothing.
pub fn money(money: Option<&common::Money>) -> String {
    money.map_or_else(String::new, |money| match Money::try_from(money) {
        Ok(money) => money.to_string(),
        Err(_) => format!("{} {}", money.minor_units, money.currency_code),
    })
}

pub fn time(time: Option<&prost_types::Timestamp>) -> String {
    moment(time).map_or_else(String::new, |time| {
        time.format("%Y-%m-%d %H:%M:%S").to_string()
    })
}

pub fn moment(time: Option<&prost_types::Timestamp>) -> Option<DateTime<Utc>> {
    time.and_then(api::from_timestamp)
}

/// The name of an enum's value without the enum's own name.
pub fn short(full: &'static str, prefix: &str) -> &'static str {
    full.strip_prefix(prefix).unwrap_or(full)
}

macro_rules! short_names {
    ($($function:ident $kind:path, $prefix:literal;)+) => {
        $(
            pub fn $function(number: i32) -> &'static str {
                let kind = <$kind>::try_from(number).unwrap_or_default();
                short(kind.as_str_name(), $prefix)
            }
        )+
    };
}

short_names! {
    order_state api::order::v1::OrderState, "ORDER_STATE_";
    order_payment_state api::order::v1::OrderPaymentState, "ORDER_PAYMENT_STATE_";
    work_state api::order::v1::WorkState, "WORK_STATE_";
    order_difference api::order::v1::OrderDifference, "ORDER_DIFFERENCE_";
    book_difference_kind api::payment::v1::BookDifferenceKind, "BOOK_DIFFERENCE_KIND_";
    effect_state api::order::v1::EffectState, "EFFECT_STATE_";
    payment_state api::payment::v1::PaymentState, "PAYMENT_STATE_";
    transfer_state api::payment::v1::TransferState, "TRANSFER_STATE_";
    ledger_account api::payment::v1::LedgerAccount, "LEDGER_ACCOUNT_";
    movement_kind api::inventory::v1::MovementKind, "MOVEMENT_KIND_";
}
