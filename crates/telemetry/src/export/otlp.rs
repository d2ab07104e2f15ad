//! The exporters of the three signals, all built the same way.

use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
    WithTonicConfig,
};
use opentelemetry_sdk::metrics::Temporality;

use super::{client::Client, target::Target};
use crate::{Error, OtlpProtocol};

pub(super) fn spans(target: &Target) -> Result<SpanExporter, Error> {
    let builder = SpanExporter::builder();
    Ok(match target.protocol {
        OtlpProtocol::Grpc => grpc(builder.with_tonic(), target).build()?,
        OtlpProtocol::HttpProtobuf => http(builder.with_http(), target)?.build()?,
    })
}

pub(super) fn logs(target: &Target) -> Result<LogExporter, Error> {
    let builder = LogExporter::builder();
    Ok(match target.protocol {
        OtlpProtocol::Grpc => grpc(builder.with_tonic(), target).build()?,
        OtlpProtocol::HttpProtobuf => http(builder.with_http(), target)?.build()?,
    })
}

pub(super) fn metrics(target: &Target, temporality: Temporality) -> Result<MetricExporter, Error> {
    let builder = MetricExporter::builder().with_temporality(temporality);
    Ok(match target.protocol {
        OtlpProtocol::Grpc => grpc(builder.with_tonic(), target).build()?,
        OtlpProtocol::HttpProtobuf => http(builder.with_http(), target)?.build()?,
    })
}

fn grpc<B: WithExportConfig + WithTonicConfig>(builder: B, target: &Target) -> B {
    let mut builder = builder
        .with_endpoint(&target.endpoint)
        .with_timeout(target.timeout);
    if let Some(compression) = target.compression {
        builder = WithTonicConfig::with_compression(builder, compression);
    }
    if target.endpoint.starts_with("https://") {
        builder = builder.with_tls_config(target.tls.for_grpc());
    }
    builder
}

fn http<B: WithExportConfig + WithHttpConfig>(builder: B, target: &Target) -> Result<B, Error> {
    let mut builder = builder
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&target.endpoint)
        .with_timeout(target.timeout)
        .with_http_client(Client::new(target)?);
    if let Some(compression) = target.compression {
        builder = WithHttpConfig::with_compression(builder, compression);
    }
    Ok(builder)
}
