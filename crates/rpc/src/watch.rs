//! What is told of calls to peers: a span and a measurement each.

use std::time::Instant;

use prost::Name;
use tonic::Code;
use tracing::{Span, field::Empty};

use crate::metrics;

/// A method by its names; those of a message that is not of our contract are
/// not known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
}

impl Method {
    /// The method that takes an `M`.
    pub(crate) fn of<M: Name>() -> Self {
        let path = api::message::method_of::<M>().unwrap_or("_OTHER/_OTHER");
        let (service, name) = path.split_once('/').unwrap_or((path, ""));
        Self { service, name }
    }
}

/// A call that is on its way.
pub(crate) struct Watch {
    method: Method,
    span: Span,
    began: Instant,
}

impl Watch {
    pub(crate) fn begin(method: Method) -> Self {
        let Method { service, name } = method;
        let span = tracing::info_span!(
            "rpc client",
            otel.name = format!("{service}/{name}"),
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.service = service,
            rpc.method = name,
            rpc.grpc.status_code = Empty,
            server.address = Empty,
            server.port = Empty,
            "error.type" = Empty,
        );
        Self {
            method,
            span,
            began: Instant::now(),
        }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// To a client every answer but a good one is an error, as OpenTelemetry
    /// has it.
    pub(crate) fn end(self, code: Code) {
        self.span.record("rpc.grpc.status_code", code as i32);
        if code != Code::Ok {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", name(code));
        }
        let after = self.began.elapsed();
        let measure = || metrics::called(self.method, code, after);
        self.span.in_scope(measure);
    }
}

/// The codes by which a server says that something is wrong with itself, as
/// OpenTelemetry has it.
pub(crate) fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// As the specification of gRPC writes it.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
