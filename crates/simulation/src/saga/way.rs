//! The ways that an order can go when nothing goes wrong.

use order_service::domain::{CaptureMethod, NewLine, NewOrder, State};
use types::{Currency, CustomerId, Money, OrderId, Quantity, Sku};
use uuid::Uuid;

use crate::provider::Manners;

/// What is asked for, one after the other, each when the order rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Cancel,
    /// So many units of the first line; `None`: all that is left.
    Ship(Option<i64>),
    /// One unit of the first line comes back, onto the shelf or not.
    Return {
        restock: bool,
    },
    /// So much; `None`: all that is left.
    Refund(Option<i64>),
}

/// What the customer does when the payment waits for him.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Customer {
    Acts,
    NeverActs,
}

#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub name: &'static str,
    pub capture: CaptureMethod,
    pub manners: Manners,
    pub customer: Customer,
    /// Of each unit.
    pub price_minor: i64,
    pub expects_minor: Option<i64>,
    /// Units of the first line that there are, at two places.
    pub on_hand: [i64; 2],
    pub asks: &'static [Ask],
    pub end: State,
}

const PLAIN: Way = Way {
    name: "captured",
    capture: CaptureMethod::Automatic,
    manners: Manners {
        declines: false,
        wants_action: false,
        refuses_captures: 0,
        refuses_refunds: 0,
        slow_refunds: false,
    },
    customer: Customer::Acts,
    price_minor: 250,
    expects_minor: None,
    // The two units that are wanted lie apart.
    on_hand: [1, 4],
    asks: &[],
    end: State::Confirmed,
};

const MANUAL: Way = Way {
    name: "authorized",
    capture: CaptureMethod::Manual,
    ..PLAIN
};

const IN_PARTS: &[Ask] = &[Ask::Ship(Some(1)), Ask::Ship(None)];
const RETURNED: &[Ask] = &[
    Ask::Ship(None),
    Ask::Return { restock: true },
    Ask::Refund(None),
];

pub const WAYS: [Way; 17] = [
    PLAIN,
    MANUAL,
    Way {
        name: "declined",
        manners: Manners {
            declines: true,
            ..PLAIN.manners
        },
        end: State::Rejected,
        ..PLAIN
    },
    Way {
        name: "out-of-stock",
        on_hand: [1, 0],
        end: State::Rejected,
        ..PLAIN
    },
    Way {
        name: "wrong-total",
        expects_minor: Some(1),
        end: State::Rejected,
        ..PLAIN
    },
    Way {
        name: "free",
        price_minor: 0,
        ..PLAIN
    },
    Way {
        name: "customer-acts",
        manners: WANTS_ACTION,
        ..PLAIN
    },
    Way {
        name: "customer-never-acts",
        manners: WANTS_ACTION,
        customer: Customer::NeverActs,
        end: State::Rejected,
        ..PLAIN
    },
    Way {
        name: "authorized-anew",
        manners: Manners {
            refuses_captures: 1,
            ..PLAIN.manners
        },
        ..PLAIN
    },
    Way {
        name: "never-captured",
        manners: Manners {
            refuses_captures: 2,
            ..PLAIN.manners
        },
        end: State::Cancelled,
        ..PLAIN
    },
    Way {
        name: "cancelled-after-capture",
        asks: &[Ask::Cancel],
        end: State::Cancelled,
        ..PLAIN
    },
    Way {
        name: "cancelled-before-capture",
        asks: &[Ask::Cancel],
        end: State::Cancelled,
        ..MANUAL
    },
    Way {
        name: "refunded-and-cancelled",
        asks: &[Ask::Refund(Some(300)), Ask::Cancel],
        end: State::Cancelled,
        ..PLAIN
    },
    Way {
        name: "shipped",
        asks: &[Ask::Ship(None)],
        end: State::Fulfilled,
        ..PLAIN
    },
    Way {
        name: "captured-when-shipped",
        asks: IN_PARTS,
        end: State::Fulfilled,
        ..MANUAL
    },
    Way {
        name: "returned",
        asks: RETURNED,
        end: State::Fulfilled,
        ..PLAIN
    },
    Way {
        name: "kept-out-of-the-shelf",
        asks: &[Ask::Ship(Some(1)), Ask::Return { restock: false }],
        end: State::PartiallyFulfilled,
        ..PLAIN
    },
];

const WANTS_ACTION: Manners = Manners {
    wants_action: true,
    ..PLAIN.manners
};

pub fn pen() -> Sku {
    Sku::parse("pen").expect("a name")
}

pub fn ink() -> Sku {
    Sku::parse("ink").expect("a name")
}

pub const INK_ON_HAND: i64 = 3;

impl Way {
    pub fn named(name: &str) -> Option<&'static Way> {
        WAYS.iter().find(|way| way.name == name)
    }

    pub fn order(&self) -> NewOrder {
        let currency = currency();
        let line = |sku, units: i64| NewLine {
            sku,
            quantity: Quantity::try_from(units).expect("some"),
            unit_price: None,
        };
        NewOrder {
            id: OrderId::from_uuid(Uuid::from_u128(1)),
            customer_id: CustomerId::parse("anna").expect("a name"),
            reference: String::new(),
            currency,
            lines: vec![line(pen(), 2), line(ink(), 1)],
            payment_method: "pm_card_visa".to_owned(),
            capture_method: self.capture,
            expected_total: self.expects_minor.map(|minor| Money::new(minor, currency)),
        }
    }

    pub fn goods(&self) -> [(Sku, Option<Money>, [i64; 2]); 2] {
        let price = Some(Money::new(self.price_minor, currency()));
        [
            (pen(), price, self.on_hand),
            (ink(), price, [INK_ON_HAND, 0]),
        ]
    }
}

fn currency() -> Currency {
    Currency::parse("GBP").expect("a currency")
}
