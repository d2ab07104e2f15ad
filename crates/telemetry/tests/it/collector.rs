//! A collector of our own, which keeps what it is sent.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{KeyValue, any_value},
    logs::v1::LogRecord,
    metrics::v1::Metric,
    resource::v1::Resource,
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    codec::CompressionEncoding,
    transport::{Server, ServerTlsConfig},
};

const GZIP: CompressionEncoding = CompressionEncoding::Gzip;
/// Longer than any export takes; reached only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Kept>>);

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) spans: Vec<Span>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) records: Vec<LogRecord>,
    /// Of the first spans.
    resource: Option<Resource>,
}

impl Collector {
    /// Returns it and its address.
    pub(crate) async fn start() -> (Self, String) {
        Self::serve(Server::builder()).await
    }

    pub(crate) async fn start_with(tls: ServerTlsConfig) -> (Self, String) {
        Self::serve(Server::builder().tls_config(tls).unwrap()).await
    }

    async fn serve(mut server: Server) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let collector = Self::default();
        let server = server
            .add_service(TraceServiceServer::new(collector.clone()).accept_compressed(GZIP))
            .add_service(MetricsServiceServer::new(collector.clone()).accept_compressed(GZIP))
            .add_service(LogsServiceServer::new(collector.clone()).accept_compressed(GZIP))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        (collector, address)
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.0.lock().unwrap())
    }

    /// Waits until there is what is looked for.
    pub(crate) async fn wait<T>(&self, look: impl Fn(&Kept) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = self.look(&look) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "it never arrived");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn span_names(&self) -> Vec<String> {
        self.look(|kept| kept.spans.iter().map(|span| span.name.clone()).collect())
    }

    /// An attribute of the resource of the first spans.
    pub(crate) fn resource(&self, name: &str) -> Option<String> {
        self.look(|kept| text_of(&kept.resource.as_ref()?.attributes, name))
    }

    pub(crate) fn keep_spans(&self, request: ExportTraceServiceRequest) {
        let mut kept = self.0.lock().unwrap();
        for of_resource in request.resource_spans {
            kept.resource.get_or_insert(of_resource.resource.unwrap());
            let scopes = of_resource.scope_spans.into_iter();
            kept.spans.extend(scopes.flat_map(|scope| scope.spans));
        }
    }
}

pub(crate) fn text_of(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.clone()?.value? {
        any_value::Value::StringValue(text) => Some(text),
        other => Some(format!("{other:?}")),
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.keep_spans(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let resources = request.into_inner().resource_metrics.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_metrics);
        let metrics = scopes.flat_map(|scope| scope.metrics);
        self.0.lock().unwrap().metrics.extend(metrics);
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let resources = request.into_inner().resource_logs.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_logs);
        let records = scopes.flat_map(|scope| scope.log_records);
        self.0.lock().unwrap().records.extend(records);
        Ok(Response::new(Default::default()))
    }
}
