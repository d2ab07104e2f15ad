//! Which scopes there are, and who needs which, as the contract says.

use std::collections::BTreeSet;

use api::contract::{self, Audience, ContractError, Method};

use crate::failure::Failure;

/// Allows what no method alone asks for: to name the price of a line.
const PRICE: &str = "orders:price";

/// What staff holds: everything.
///
/// # Errors
/// When the contract cannot be read.
pub fn of_staff() -> Result<Vec<String>, Failure> {
    let methods = methods()?;
    let scopes = methods.into_iter().map(|method| method.scope);
    Ok(sorted(
        scopes.chain([PRICE, rpc::ANY_CUSTOMER].map(str::to_owned)),
    ))
}

/// What a customer holds: to see and change what is its own, and to see what
/// is everybody's.
///
/// # Errors
/// When the contract cannot be read.
pub fn of_a_customer() -> Result<Vec<String>, Failure> {
    let methods = methods()?.into_iter();
    let open = methods.filter(|method| method.audience != Audience::Staff);
    Ok(sorted(open.map(|method| method.scope)))
}

/// What a service holds at its peers: what they open to its certificate.
///
/// # Errors
/// When no method is open to a service of that name.
pub fn of_service(name: &str) -> Result<Vec<String>, Failure> {
    let methods = methods()?.into_iter();
    let open = methods.filter(|method| method.peers.iter().any(|peer| peer == name));
    let scopes = sorted(open.map(|method| method.scope));
    if scopes.is_empty() {
        let message = format!("{name} calls no other service: name its scopes by {name}=SCOPES");
        return Err(Failure::BadInput(message));
    }
    Ok(sorted(
        scopes.into_iter().chain([rpc::ANY_CUSTOMER.to_owned()]),
    ))
}

fn methods() -> Result<Vec<Method>, Failure> {
    let internal = |error: ContractError| Failure::Internal(error.to_string());
    let pool = contract::pool().map_err(internal)?;
    let services: Vec<String> = pool
        .services()
        .map(|service| service.full_name().to_owned())
        .filter(|name| name.starts_with("cartwright."))
        .collect();
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    contract::methods_of(&pool, &services).map_err(internal)
}

fn sorted(scopes: impl Iterator<Item = String>) -> Vec<String> {
    scopes.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn staff_holds_what_every_method_asks_for() {
        let staff = of_staff().unwrap();
        for scope in ["orders:admin", "payments:refund", PRICE, rpc::ANY_CUSTOMER] {
            assert!(staff.iter().any(|held| held == scope), "{scope}");
        }
    }

    #[test]
    fn a_customer_can_shop_and_do_nothing_that_is_for_staff() {
        let customer = of_a_customer().unwrap();
        assert_eq!(customer, ["inventory:read", "orders:read", "orders:write"]);
    }

    #[test]
    fn a_service_holds_what_its_peers_open_to_it() {
        let service = of_service("order-service").unwrap();
        for scope in ["inventory:reserve", "payments:write", rpc::ANY_CUSTOMER] {
            assert!(service.iter().any(|held| held == scope), "{scope}");
        }
        assert!(!service.iter().any(|held| held.ends_with(":admin")));
        assert!(of_service("nobody").is_err());
    }
}
