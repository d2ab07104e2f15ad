//! How far a caller reaches: a customer to its own orders, all others to all.

use rpc::{ANY_CUSTOMER, Caller, Problem, Reason};

use crate::domain::Reach;

pub(super) fn reach(caller: &Caller) -> Reach {
    match caller.customer() {
        Some(customer) => Reach::Own(customer.clone()),
        None => Reach::All,
    }
}

/// The customer that a request is about: a customer's own id may be left out,
/// and another one's may not be named.
pub(super) fn customer<'a>(named: &'a str, caller: &'a Caller) -> Result<&'a str, Problem> {
    match caller.customer() {
        Some(own) if named.is_empty() || named == own.as_str() => Ok(own.as_str()),
        Some(_) => {
            let message = format!("customer_id: another customer needs the scope {ANY_CUSTOMER}");
            let problem = Problem::new(Reason::ScopeMissing, message);
            Err(problem.with_metadata("scope", ANY_CUSTOMER))
        }
        None => Ok(named),
    }
}
