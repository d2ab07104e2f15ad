//! Calls of any method by its descriptor, without generated clients: for tests
//! that go through the whole contract.

use std::time::Duration;

use api::contract::Method;
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use rpc::Channel;
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::{MetadataKey, MetadataValue},
};

/// Sends encoded messages as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Calls `method` and gives the first message of its answer; none when a
/// stream has nothing to say within two seconds.
pub async fn call(
    channel: &Channel,
    method: &Method,
    message: &DynamicMessage,
    metadata: &[(&str, &str)],
) -> Result<Option<Bytes>, Status> {
    let mut request = Request::new(Bytes::from(message.encode_to_vec()));
    request.set_timeout(Duration::from_secs(10));
    for (name, value) in metadata {
        let name: MetadataKey<_> = name.parse().expect("a name of metadata");
        let value: MetadataValue<_> = value.parse().expect("a value of metadata");
        request.metadata_mut().insert(name, value);
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    let connected = client.ready().await;
    connected.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = method.path.parse().expect("a path of the contract");
    let answer = client.server_streaming(request, path, Encoded).await?;
    let mut answers = answer.into_inner();
    match tokio::time::timeout(Duration::from_secs(2), answers.message()).await {
        Ok(first) => first,
        Err(_) => Ok(None),
    }
}

/// A message with every field set, lists with one element: texts and numbers
/// by `value`, which sees each field that holds no message, and its path.
pub fn filled(
    descriptor: &MessageDescriptor,
    value: &dyn Fn(&FieldDescriptor, &str) -> Option<Value>,
) -> DynamicMessage {
    filled_below(descriptor, "", value)
}

fn filled_below(
    descriptor: &MessageDescriptor,
    path: &str,
    value: &dyn Fn(&FieldDescriptor, &str) -> Option<Value>,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        let path = match path {
            "" => field.name().to_owned(),
            outer => format!("{outer}.{}", field.name()),
        };
        let one = match field.kind() {
            Kind::Message(inner) => Some(Value::Message(filled_below(&inner, &path, value))),
            _ => value(&field, &path),
        };
        if let Some(one) = one {
            let one = if field.is_list() {
                Value::List(vec![one])
            } else {
                one
            };
            message.set_field(&field, one);
        }
    }
    message
}
