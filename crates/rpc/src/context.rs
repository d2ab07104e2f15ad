//! What a call brings along beside its message.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use prost::Message;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Request, metadata::MetadataMap};
use types::IdempotencyKey;

use crate::{Problem, Reason};

const KEY_HEADER: &str = "idempotency-key";

/// Who calls, until when the caller waits, and the place that the call takes
/// in the service: it is free again when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Context {
    pub caller: Caller,
    pub deadline: Deadline,
    metadata: MetadataMap,
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// What the edge puts into the extensions of an admitted request.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) deadline: Deadline,
    pub(crate) permit: Arc<OwnedSemaphorePermit>,
}

impl Context {
    /// # Errors
    /// `INTERNAL` when the request did not come through our server.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Problem> {
        let admitted = request.extensions().get::<Admitted>();
        let admitted = admitted.ok_or_else(Problem::internal)?;
        Ok(Self {
            caller: admitted.caller.clone(),
            deadline: admitted.deadline,
            metadata: request.metadata().clone(),
            _permit: Some(admitted.permit.clone()),
        })
    }

    /// The identity of a mutating call, from its metadata `idempotency-key`.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_INVALID` when the key is missing or malformed.
    pub fn idempotent<M: Message>(
        &self,
        method: &'static str,
        message: &M,
    ) -> Result<idempotency::Request, Problem> {
        let key = match self.metadata.get(KEY_HEADER) {
            Some(value) => value.to_str().unwrap_or("\u{fffd}"),
            None => "",
        };
        self.request(method, key, &format!("metadata {KEY_HEADER}"), message)
    }

    /// The same for one item of a batch, which brings its own key. `method` is
    /// that of the single call, so that both share one scope.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_INVALID` when the key is missing or malformed.
    pub fn idempotent_item<M: Message>(
        &self,
        method: &'static str,
        key: &str,
        path: &str,
        message: &M,
    ) -> Result<idempotency::Request, Problem> {
        self.request(method, key, path, message)
    }

    fn request<M: Message>(
        &self,
        method: &'static str,
        key: &str,
        path: &str,
        message: &M,
    ) -> Result<idempotency::Request, Problem> {
        let key = IdempotencyKey::parse(key).map_err(|error| {
            Problem::new(Reason::IdempotencyKeyInvalid, format!("{path}: {error}"))
        })?;
        Ok(idempotency::Request::new(
            self.caller.principal.to_string(),
            method,
            key,
            &message.encode_to_vec(),
        ))
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    pub principal: Arc<str>,
}

impl Caller {
    /// Everybody, where `auth.mode` is `none`.
    pub(crate) fn local() -> Self {
        Self {
            principal: Arc::from("local"),
        }
    }

    /// Whether the caller may do what `scope` names. Without authentication,
    /// which only a local environment allows, everybody may do everything.
    pub fn holds(&self, _scope: &str) -> bool {
        true
    }
}

/// When the caller stops waiting.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// Earlier by a margin, so that an answer still reaches the caller.
    pub fn less(self, margin: Duration) -> Self {
        Self(self.0.checked_sub(margin).unwrap_or(self.0))
    }
}
