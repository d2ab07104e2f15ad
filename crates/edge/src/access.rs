//! Whether a caller may call a method.

use api::contract::{Audience, Method};
use rpc::{ANY_CUSTOMER, Caller, Problem, Reason};

/// # Errors
/// `SCOPE_MISSING`, naming the scope.
pub(crate) fn check(method: &Method, caller: &Caller) -> Result<(), Problem> {
    if !caller.holds(&method.scope) {
        return Err(missing(&method.scope));
    }
    match method.audience {
        Audience::Everybody | Audience::Owner => Ok(()),
        Audience::Staff if caller.customer().is_none() => Ok(()),
        Audience::Staff => Err(missing(ANY_CUSTOMER)),
    }
}

/// For a peer whose certificate does not open the method.
pub(crate) fn closed_to_peer(method: &Method) -> Problem {
    let message = format!(
        "the client certificate does not open this method, which needs a token with the scope {}",
        method.scope
    );
    Problem::new(Reason::ScopeMissing, message).with_metadata("scope", &method.scope)
}

fn missing(scope: &str) -> Problem {
    let message = format!("the token does not hold the scope {scope}");
    Problem::new(Reason::ScopeMissing, message).with_metadata("scope", scope)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn method(name: &str) -> Method {
        let services = [
            "cartwright.order.v1.OrderService",
            "cartwright.order.v1.OrderAdminService",
        ];
        let methods = api::contract::methods(&services).unwrap();
        let found = methods.iter().find(|method| method.path.ends_with(name));
        found.unwrap().clone()
    }

    fn caller(scopes: &[&str]) -> Caller {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Caller::token("ada", scopes, None).unwrap()
    }

    #[test]
    fn the_missing_scope_is_named() {
        let refused = check(&method("/CreateOrder"), &caller(&["orders:read"])).unwrap_err();
        assert_eq!(refused.reason(), Reason::ScopeMissing);
        assert!(refused.message().ends_with("orders:write"), "{refused}");
        check(&method("/CreateOrder"), &caller(&["orders:write"])).unwrap();
    }

    #[test]
    fn what_is_for_staff_needs_the_reach_over_all_customers() {
        let audit = method("/RunAudit");
        let refused = check(&audit, &caller(&["orders:admin"])).unwrap_err();
        assert!(refused.message().ends_with(ANY_CUSTOMER), "{refused}");
        check(&audit, &caller(&["orders:admin", ANY_CUSTOMER])).unwrap();
    }
}
