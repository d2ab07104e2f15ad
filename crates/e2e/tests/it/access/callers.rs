//! Who calls a method, and what has to become of it.

use std::time::Duration;

use api::contract::{Audience, Method};
use auth::developer::{AUDIENCE, ISSUER, Key, Mint};
use e2e::Issuer;
use rpc::ANY_CUSTOMER;

/// What has to become of a call.
#[derive(Debug, Clone)]
pub enum Expected {
    /// With this `token_error`.
    Unauthenticated(&'static str),
    /// For want of this scope.
    Denied(String),
    NotFound,
    /// Whatever the answer, nothing of ada's order is in it.
    Nothing,
    /// Refused by nobody but the method itself.
    LetIn,
    Ok,
}

pub type Case = (&'static str, Option<String>, Expected);

/// Asks for ada's order, being somebody else.
pub const OTHER: &str = "another customer";
/// Asks for ada's order, being ada.
pub const OWNER: &str = "the owner";

pub struct Callers<'a> {
    issuer: &'a Issuer,
    stranger: Key,
    expired: String,
}

impl<'a> Callers<'a> {
    pub async fn new(issuer: &'a Issuer) -> Self {
        let this = Self {
            issuer,
            stranger: Key::generate().unwrap(),
            expired: issuer.mint(&Mint {
                lifetime: Duration::ZERO,
                ..mint("staff", &[])
            }),
        };
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        this
    }

    pub fn of(&self, method: &Method) -> Vec<Case> {
        let mut cases = self.nobody(method);
        cases.push(self.without_scope(method));
        let scope = method.scope.as_str();
        let customer = |name| Some(self.issuer.token(name, [scope]));
        let staff = Some(self.issuer.token("bob", [scope, ANY_CUSTOMER]));
        cases.push(("staff", staff, Expected::LetIn));
        match method.audience {
            Audience::Everybody => cases.push(("a customer", customer("eve"), Expected::LetIn)),
            Audience::Staff => {
                let denied = Expected::Denied(ANY_CUSTOMER.to_owned());
                cases.push(("a customer with the scope", customer("ada"), denied));
            }
            Audience::Owner => {
                let is_about_one = method
                    .descriptor
                    .input()
                    .get_field_by_name("order_id")
                    .is_some();
                let (other, own) = match is_about_one {
                    true if method.mutating => (Expected::NotFound, Expected::LetIn),
                    true => (Expected::NotFound, Expected::Ok),
                    false => (Expected::Nothing, Expected::LetIn),
                };
                cases.push((OTHER, customer("eve"), other));
                cases.push((OWNER, customer("ada"), own));
            }
        }
        cases
    }

    /// Who has no token, or one that proves nothing.
    fn nobody(&self, method: &Method) -> Vec<Case> {
        let scopes = [method.scope.clone(), ANY_CUSTOMER.to_owned()];
        let right = mint("bob", &scopes);
        let refused = Expected::Unauthenticated;
        let of = |mint: Mint<'_>| Some(self.issuer.mint(&mint));
        let other_issuer = Mint {
            issuer: "https://elsewhere.example",
            ..right.clone()
        };
        let other_audience = Mint {
            audience: "another-shop",
            ..right.clone()
        };
        vec![
            ("nobody", None, refused("missing")),
            (
                "an expired token",
                Some(self.expired.clone()),
                refused("expired"),
            ),
            ("another issuer's", of(other_issuer), refused("issuer")),
            (
                "for another audience",
                of(other_audience),
                refused("audience"),
            ),
            (
                "by an unknown key",
                Some(self.stranger.mint(&right)),
                refused("unknown_key"),
            ),
        ]
    }

    /// Holds everything but what the method asks for.
    fn without_scope(&self, method: &Method) -> Case {
        let mut scopes = self.issuer.scopes();
        scopes.remove(&method.scope);
        let token = self.issuer.token("bob", scopes.iter().map(String::as_str));
        let denied = Expected::Denied(method.scope.clone());
        ("staff without the scope", Some(token), denied)
    }
}

fn mint<'a>(subject: &'a str, scopes: &'a [String]) -> Mint<'a> {
    Mint {
        issuer: ISSUER,
        audience: AUDIENCE,
        subject,
        scopes,
        client: None,
        lifetime: Duration::from_secs(600),
    }
}
