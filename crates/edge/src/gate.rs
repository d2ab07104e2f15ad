//! What every call must pass, in the order of cost: what is cheap to refuse is
//! refused first.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use api::contract::Method;
use auth::Authenticator;
use http::HeaderMap;
use limits::{Dimension, Exceeded, Limits};
use listener::Peer;
use rpc::{Admitted, Caller, Deadline, Problem, Reason};

use crate::{
    Settings, access,
    admission::{Admission, Kind, Place, Stranger},
    caller::{self, Visitor},
    deadline,
    metrics::Name,
    security_log::{Denied, SecurityLog},
};

const KEY_HEADER: &str = "idempotency-key";

/// What a call that proves nothing costs its address beside the one that every
/// call costs.
const COST_OF_NO_PROOF: usize = 4;

/// One per service.
#[derive(Debug)]
pub(crate) struct Gate {
    methods: HashMap<String, Known>,
    /// None: callers are not checked.
    authenticator: Option<Authenticator>,
    limits: Limits,
    admission: Admission,
    default_deadline: Duration,
    max_deadline: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) log: SecurityLog,
}

/// What is known of a method from the start.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) method: Method,
    pub(crate) name: Name,
    /// Its calls are turned away when there are too many: they end by
    /// themselves, and do not help in need.
    kind: Option<Kind>,
}

impl Known {
    fn of(method: Method) -> Self {
        Self {
            name: Name::of(&method.path),
            kind: may_be_shed(&method).then(|| method.path.as_str().into()),
            method,
        }
    }
}

/// A call that may be carried out.
pub(crate) struct Pass {
    pub(crate) admitted: Admitted,
    /// The same that is in `admitted`.
    pub(crate) place: Arc<Place>,
    /// For how long the proof of who calls holds.
    pub(crate) valid_for: Option<Duration>,
}

/// The parts of a request that the gate looks at.
pub(crate) struct Asked<'a> {
    pub(crate) known: &'a Known,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: &'a Peer,
    pub(crate) address: IpAddr,
}

impl Gate {
    pub(crate) fn new(
        settings: &Settings,
        methods: Vec<Method>,
        authenticator: Option<Authenticator>,
        limits: Limits,
    ) -> Self {
        let server = &settings.server;
        let by_path = |method: Method| (method.path.clone(), Known::of(method));
        Self {
            methods: methods.into_iter().map(by_path).collect(),
            authenticator,
            limits,
            admission: Admission::new(server),
            default_deadline: server.default_deadline(),
            max_deadline: server.max_deadline(),
            body_timeout: server.body_timeout(),
            log: SecurityLog::default(),
        }
    }

    pub(crate) fn known(&self, path: &str) -> Option<&Known> {
        self.methods.get(path)
    }

    pub(crate) fn address(&self, peer: &Peer, headers: &HeaderMap) -> IpAddr {
        self.limits.client_address(peer.address.ip(), headers)
    }

    /// How long the caller is kept waiting at most.
    pub(crate) fn patience(&self, headers: &HeaderMap) -> Duration {
        let asked = deadline::asked(headers).unwrap_or(self.max_deadline);
        asked.min(self.max_deadline)
    }

    /// # Errors
    /// Why the call is refused; calls that were denied are in the log.
    pub(crate) async fn pass(&self, asked: &Asked<'_>) -> Result<Pass, Problem> {
        let deadline = deadline::asked(asked.headers).unwrap_or(self.default_deadline);
        let deadline = Deadline::after(deadline.min(self.max_deadline));
        let (visitor, stranger) = self.visitor(asked, deadline).await?;
        let place = Arc::new(self.admission.enter(deadline, stranger).await?);
        Ok(Pass {
            valid_for: visitor.valid_for,
            admitted: Admitted {
                caller: visitor.caller,
                deadline,
                permit: place.clone(),
            },
            place,
        })
    }

    /// Who calls, and may; and whether that counts as a stranger.
    async fn visitor(
        &self,
        asked: &Asked<'_>,
        deadline: Deadline,
    ) -> Result<(Visitor, Option<Stranger>), Problem> {
        let Some(authenticator) = &self.authenticator else {
            return Ok((Visitor::local(), self.let_in(asked, deadline).await?));
        };
        let by_certificate = caller::by_certificate(&asked.known.method, asked.peer, asked.headers);
        if let Some(peer) = by_certificate {
            let peer = peer.map_err(|problem| self.denied(asked, None, None, problem))?;
            return Ok((peer, None));
        }
        let entry = self.limits.enter(asked.address);
        let entry = entry.map_err(|exceeded| self.exceeded(asked, None, exceeded))?;
        let visitor = match caller::by_token(authenticator, asked.headers).await {
            Ok(visitor) => visitor,
            Err(unknown) => {
                self.charge(asked.address);
                return Err(self.denied(asked, None, unknown.token_error, unknown.problem));
            }
        };
        if visitor.caller.customer().is_none() {
            entry.give_back();
        }
        let caller = Some(&visitor.caller);
        access::check(&asked.known.method, &visitor.caller)
            .map_err(|problem| self.denied(asked, caller, None, problem))?;
        if visitor.is_service() {
            return Ok((visitor, None));
        }
        // Counting what a caller asks for costs more than to turn it away.
        let stranger = self.let_in(asked, deadline).await?;
        let taken = self.take(asked, &visitor.caller).await;
        taken.map_err(|exceeded| self.exceeded(asked, caller, exceeded))?;
        Ok((visitor, stranger))
    }

    async fn let_in(
        &self,
        asked: &Asked<'_>,
        deadline: Deadline,
    ) -> Result<Option<Stranger>, Problem> {
        match &asked.known.kind {
            Some(kind) => self
                .admission
                .let_in(kind.clone(), deadline)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    fn charge(&self, address: IpAddr) {
        for _ in 0..COST_OF_NO_PROOF {
            // What is over the limit already cannot get worse.
            let Ok(_counted) = self.limits.enter(address) else {
                return;
            };
        }
    }

    async fn take(&self, asked: &Asked<'_>, caller: &Caller) -> Result<(), Exceeded> {
        let address = asked.address.to_string();
        let credential = caller.client().unwrap_or(caller.principal());
        let mut subjects = vec![(Dimension::Credential, credential)];
        if let Some(customer) = caller.customer() {
            subjects.push((Dimension::Customer, customer.as_str()));
            subjects.push((Dimension::Address, &address));
        }
        let key = asked.headers.get(KEY_HEADER);
        let key = key.and_then(|key| key.to_str().ok());
        let key = key.map(|key| format!("{}\0{key}", caller.principal()));
        if let Some(key) = &key {
            subjects.push((Dimension::IdempotencyKey, key));
        }
        self.limits.check(&subjects, asked.known.method.cost).await
    }

    fn exceeded(&self, asked: &Asked<'_>, caller: Option<&Caller>, exceeded: Exceeded) -> Problem {
        let problem = Problem::new(Reason::RateLimited, exceeded.to_string())
            .with_metadata("limit", exceeded.dimension.as_str())
            .with_retry(exceeded.retry_after);
        self.denied(asked, caller, None, problem)
    }

    fn denied(
        &self,
        asked: &Asked<'_>,
        caller: Option<&Caller>,
        token_error: Option<&'static str>,
        problem: Problem,
    ) -> Problem {
        self.log.denied(&Denied {
            address: asked.address,
            caller,
            token_error,
            problem: &problem,
        });
        problem
    }
}

fn may_be_shed(method: &Method) -> bool {
    let called = &method.descriptor;
    let streams = called.is_server_streaming() || called.is_client_streaming();
    let helps = called.parent_service().name().ends_with("AdminService");
    !streams && !helps
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn neither_streams_nor_calls_that_help_in_need_are_shed() {
        let services = [
            "cartwright.order.v1.OrderService",
            "cartwright.order.v1.OrderAdminService",
        ];
        let methods = api::contract::methods(&services).unwrap();
        let shed = |name: &str| {
            let method = methods.iter().find(|method| method.path.ends_with(name));
            may_be_shed(method.unwrap())
        };
        assert!(shed("OrderService/CreateOrder"));
        assert!(shed("OrderService/GetOrder"));
        assert!(!shed("OrderService/WatchOrder"));
        assert!(!shed("OrderAdminService/RetrySaga"));
    }
}
