//! Who calls, and what that one may do.

use std::{collections::BTreeSet, sync::Arc};

use types::CustomerId;

/// Lifts a caller out of its own objects: staff and back ends hold it.
pub const ANY_CUSTOMER: &str = "customers:any";

/// The subjects that only services have.
const SERVICE: &str = "service:";

/// Who calls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Caller {
    principal: Arc<str>,
    client: Option<Arc<str>>,
    customer: Option<CustomerId>,
    rights: Rights,
}

#[derive(Debug, Clone)]
enum Rights {
    /// Callers are not checked, or the method is open to this peer.
    All,
    Scopes(Arc<BTreeSet<String>>),
}

/// A token's subject that cannot be a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCaller {
    #[error("the subject of a customer's token must be 1 to 64 printable ASCII characters")]
    Subject,
    #[error("subjects that begin with `service:` need the scope `customers:any`")]
    Service,
}

impl Caller {
    /// Everybody, where callers are not checked.
    pub fn local() -> Self {
        Self {
            principal: Arc::from("local"),
            client: None,
            customer: None,
            rights: Rights::All,
        }
    }

    /// A service that showed its certificate. It may call the methods that
    /// name it, and there it may do everything.
    pub fn peer(name: &str) -> Self {
        Self {
            principal: format!("{SERVICE}{name}").into(),
            ..Self::local()
        }
    }

    /// Whom a token speaks of. Without the scope `customers:any` that is the
    /// customer whose id is the subject.
    ///
    /// # Errors
    /// [`NoCaller`] when a customer's subject is no customer id.
    pub fn token(
        subject: &str,
        scopes: BTreeSet<String>,
        client: Option<&str>,
    ) -> Result<Self, NoCaller> {
        let customer = if scopes.contains(ANY_CUSTOMER) {
            None
        } else if subject.starts_with(SERVICE) {
            return Err(NoCaller::Service);
        } else {
            Some(CustomerId::parse(subject).map_err(|_| NoCaller::Subject)?)
        };
        Ok(Self {
            principal: subject.into(),
            client: client.map(Arc::from),
            customer,
            rights: Rights::Scopes(Arc::new(scopes)),
        })
    }

    /// The subject of the token, `service:NAME` for a peer, or `local`.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The client that the token was issued to, if it says so.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The one customer whose objects this caller sees and touches; none for
    /// staff and services, which see all.
    pub fn customer(&self) -> Option<&CustomerId> {
        self.customer.as_ref()
    }

    /// Whether the caller may do what `scope` names.
    pub fn holds(&self, scope: &str) -> bool {
        match &self.rights {
            Rights::All => true,
            Rights::Scopes(scopes) => scopes.contains(scope),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn scopes(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_token_speaks_of_one_customer_unless_it_says_otherwise() {
        let ada = Caller::token("ada", scopes(&["orders:read"]), Some("web")).unwrap();
        assert_eq!(ada.customer(), Some(&CustomerId::parse("ada").unwrap()));
        assert_eq!(ada.client(), Some("web"));
        assert!(ada.holds("orders:read") && !ada.holds("orders:write"));
        let staff = Caller::token("bob", scopes(&["orders:read", ANY_CUSTOMER]), None).unwrap();
        assert_eq!(staff.customer(), None);
        assert!(!staff.holds("orders:write"));
    }

    #[test]
    fn a_customer_cannot_pass_for_a_service() {
        let customer = Caller::token("service:order-service", scopes(&[]), None);
        assert_eq!(customer.unwrap_err(), NoCaller::Service);
        let service = scopes(&[ANY_CUSTOMER]);
        assert!(Caller::token("service:order-service", service, None).is_ok());
        let long = "x".repeat(65);
        let unnamed = Caller::token(&long, scopes(&[]), None);
        assert_eq!(unnamed.unwrap_err(), NoCaller::Subject);
    }

    #[test]
    fn a_peer_may_do_everything_where_it_is_let_in() {
        let peer = Caller::peer("order-service");
        assert_eq!(peer.principal(), "service:order-service");
        assert!(peer.holds("payments:write") && peer.customer().is_none());
    }
}
