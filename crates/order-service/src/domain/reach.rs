//! Whose orders one may see and touch.

use types::CustomerId;

/// How far a caller reaches. An order out of reach is as if it were not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// The orders of all customers.
    All,
    /// The orders of this one.
    Own(CustomerId),
}

impl Reach {
    /// For the `where` of a statement; none: no restriction.
    pub fn customer(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Own(customer) => Some(customer.as_str()),
        }
    }
}
