use sha2::{Digest, Sha256};
use types::IdempotencyKey;
use uuid::Uuid;

/// Who asks for what under which key; a key's scope is (principal, method).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub principal: String,
    pub method: &'static str,
    pub key: IdempotencyKey,
    /// Tells an equal request from another one under the same key.
    pub fingerprint: [u8; 32],
    pub origin: Origin,
}

/// What else the audit log is to say of a call; no part of the key's scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// `package.Service/Method`; without it the request's own method counts.
    pub rpc: Option<&'static str>,
    /// Whom the principal's token was issued to.
    pub client: Option<String>,
    /// What the call is about: the id or sku that it names, if it is one.
    pub resource: Option<String>,
    pub trace_id: Option<String>,
}

impl Request {
    /// `canonical` must be equal for requests that mean the same, on every
    /// replica and in every release: encoded protobuf without maps is.
    pub fn new(
        principal: impl Into<String>,
        method: &'static str,
        key: IdempotencyKey,
        canonical: &[u8],
    ) -> Self {
        Self {
            principal: principal.into(),
            method,
            key,
            fingerprint: Sha256::digest(canonical).into(),
            origin: Origin::default(),
        }
    }

    /// The same for the same key, in whatever books: what is made under it and
    /// forgotten in a restore is known again by it.
    pub fn id(&self) -> Uuid {
        let mut hash = Sha256::new();
        for part in [&self.principal, self.method, self.key.as_str()] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// What makes two requests contend for one row.
    pub(crate) fn scope(&self) -> (&str, &'static str, &str) {
        (&self.principal, self.method, self.key.as_str())
    }
}

/// One call as [`once`](crate::once) takes it.
#[derive(Debug, Clone)]
pub struct Call<I> {
    pub request: Request,
    pub input: I,
}

/// An answer as it is stored, and replayed byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// 0, or the gRPC code of a refusal.
    pub code: i32,
    /// The encoded response message, or the encoded `google.rpc.Status`.
    pub body: Vec<u8>,
}
