//! What a call brings along beside its message.

use std::{
    fmt::{Debug, Display},
    sync::Arc,
    time::{Duration, Instant},
};

use prost::{Message, Name};
use tonic::{Request, metadata::MetadataMap};
use types::IdempotencyKey;

use crate::{Caller, Problem, Reason, content};

const KEY_HEADER: &str = "idempotency-key";

/// Who calls, until when the caller waits, and the place that the call takes
/// in the service: it is free again when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Context {
    pub caller: Caller,
    pub deadline: Deadline,
    metadata: MetadataMap,
    _permit: Option<Place>,
}

/// What a call holds as long as it runs; free again when the last clone is gone.
pub type Place = Arc<dyn Debug + Send + Sync>;

/// What the edge puts into the extensions of an admitted request.
#[derive(Debug, Clone)]
pub struct Admitted {
    pub caller: Caller,
    pub deadline: Deadline,
    pub permit: Place,
}

impl Context {
    /// Every handler begins with it: here no text that must not be stored gets
    /// further. The items of a batch are looked at one by one, by
    /// [`Self::idempotent_item`].
    ///
    /// # Errors
    /// `INTERNAL` when the request did not come through our server,
    /// `INVALID_FIELD` for each text with forbidden content.
    pub fn of<M: Message + Name>(request: &Request<M>) -> Result<Self, Problem> {
        content::check_call(request.get_ref())?;
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
    /// `IDEMPOTENCY_KEY_INVALID` when the key is missing, malformed or holds
    /// what must not be stored.
    pub fn idempotent<M: Message + Name>(
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
    /// `IDEMPOTENCY_KEY_INVALID` as there, `INVALID_FIELD` for each text of the
    /// item with forbidden content.
    pub fn idempotent_item<M: Message + Name>(
        &self,
        method: &'static str,
        key: &str,
        path: &str,
        message: &M,
    ) -> Result<idempotency::Request, Problem> {
        content::check_item(message, path)?;
        self.request(method, key, path, message)
    }

    fn request<M: Message + Name>(
        &self,
        method: &'static str,
        key: &str,
        path: &str,
        message: &M,
    ) -> Result<idempotency::Request, Problem> {
        let invalid = |error: &dyn Display| {
            Problem::new(Reason::IdempotencyKeyInvalid, format!("{path}: {error}"))
        };
        if let Some(found) = types::forbidden_content(key) {
            return Err(invalid(&found));
        }
        let key = IdempotencyKey::parse(key).map_err(|error| invalid(&error))?;
        Ok(idempotency::Request::new(
            self.caller.principal().to_owned(),
            method,
            key,
            &message.encode_to_vec(),
        )
        .with_origin(self.origin(message)))
    }

    fn origin<M: Message + Name>(&self, message: &M) -> idempotency::Origin {
        let traceparent = telemetry::propagation::current_traceparent();
        let trace_id = traceparent.and_then(|text| text.split('-').nth(1).map(str::to_owned));
        idempotency::Origin {
            rpc: api::message::method_of::<M>(),
            client: self.caller.client().map(str::to_owned),
            resource: content::resource(message),
            trace_id,
        }
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
