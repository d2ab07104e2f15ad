//! Plain values that every service shares: ids, money, quantities and names.
//!
//! A value that exists is valid: each type is made by parsing and has private
//! fields. There is no I/O here, no proto and no SQL. Errors say what was
//! expected and never name a field, because only the edge knows its name.

mod card_number;
mod content;
mod credential;
mod currency;
mod email_address;
mod id;
mod money;
mod quantity;
mod text;

pub use card_number::holds_card_number;
pub use content::{Forbidden, forbidden_content};
pub use currency::{Currency, ParseCurrencyError};
pub use id::{
    CaptureId, EventId, FulfillmentId, OrderId, ParseIdError, PaymentId, RefundId, ReturnId,
};
pub use money::{Money, MoneyError, ParseMoneyError};
pub use quantity::{Quantity, QuantityError};
pub use text::{CustomerId, IdempotencyKey, LocationId, ParseTextError, Sku};
