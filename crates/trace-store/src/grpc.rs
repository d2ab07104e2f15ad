//! OTLP over gRPC.

use opentelemetry_proto::tonic::collector::{
    logs::v1::{
        ExportLogsServiceRequest, ExportLogsServiceResponse,
        logs_service_server::{LogsService, LogsServiceServer},
    },
    metrics::v1::{
        ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        metrics_service_server::{MetricsService, MetricsServiceServer},
    },
    trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
};
use tonic::{Request, Response, Status, codec::CompressionEncoding::Gzip, service::Routes};

use crate::{TraceStore, bounds::MESSAGE_BYTES_MAX};

pub(crate) fn routes(store: &TraceStore) -> Routes {
    let traces = TraceServiceServer::new(store.clone())
        .accept_compressed(Gzip)
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    let metrics = MetricsServiceServer::new(store.clone())
        .accept_compressed(Gzip)
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    let logs = LogsServiceServer::new(store.clone())
        .accept_compressed(Gzip)
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    Routes::new(traces).add_service(metrics).add_service(logs)
}

/// The rest was taken; the sender must not send it again.
pub(crate) fn answer(rejected: u64) -> ExportTraceServiceResponse {
    let partial = ExportTracePartialSuccess {
        rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: "spans need a trace_id of 16 and a span_id of 8 bytes, not all 0".to_owned(),
    };
    ExportTraceServiceResponse {
        partial_success: (rejected > 0).then_some(partial),
    }
}

#[tonic::async_trait]
impl TraceService for TraceStore {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let rejected = self.take_traces(request.into_inner());
        Ok(Response::new(answer(rejected)))
    }
}

#[tonic::async_trait]
impl MetricsService for TraceStore {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.take_metrics(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for TraceStore {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.take_logs(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
