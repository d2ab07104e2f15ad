//! One place of a method over HTTP, with the fields of its template found.

use api::contract::{Http, Method};
use http::Uri;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::router::RouterError;

/// The fields that lead to a value inside a message: `item`, `sku`.
pub(crate) type FieldPath = Vec<FieldDescriptor>;

#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The same method as gRPC addresses it.
    pub(crate) grpc: Uri,
    /// Each parameter of the template, in its order.
    pub(crate) parameters: Vec<(String, FieldPath)>,
    pub(crate) body: Body,
    /// Where the entity tag of `If-Match` goes, if the method takes one.
    pub(crate) etag: Option<FieldPath>,
}

/// What the body of a request is.
#[derive(Debug)]
pub(crate) enum Body {
    None,
    /// All of the message that is not in the template.
    All,
    /// The value of one field.
    Field(FieldDescriptor),
}

impl Route {
    pub(crate) fn new(method: &Method, http: &Http) -> Result<Self, RouterError> {
        let wrong = |what: &str| RouterError::Rule {
            method: method.path.clone(),
            rule: what.to_owned(),
        };
        let input = method.descriptor.input();
        let names = parameters(&http.template);
        let find = |name: &str| field_path(&input, name).ok_or_else(|| wrong(name));
        let parameters: Result<Vec<_>, RouterError> = names
            .map(|name| Ok((name.to_owned(), find(name)?)))
            .collect();
        let body = match http.body.as_deref() {
            None => Body::None,
            Some("*") => Body::All,
            Some(name) => {
                let field = input.get_field_by_name(name);
                Body::Field(field.ok_or_else(|| wrong(name))?)
            }
        };
        Ok(Self {
            grpc: method.path.parse().map_err(|_| wrong(&method.path))?,
            parameters: parameters?,
            etag: etag(&input, &body).filter(|_| method.mutating),
            body,
            method: method.clone(),
        })
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.method.descriptor.is_server_streaming()
    }

    /// Whether a field of the request may come in the query.
    pub(crate) fn in_query(&self, field: &FieldDescriptor) -> bool {
        let in_template = |(_, path): &(String, FieldPath)| path.first() == Some(field);
        let in_body = match &self.body {
            Body::None => false,
            Body::All => true,
            Body::Field(body) => body == field,
        };
        !in_body && !self.parameters.iter().any(in_template)
    }
}

fn parameters(template: &str) -> impl Iterator<Item = &str> {
    let parts = template.split('/');
    parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn field_path(message: &MessageDescriptor, name: &str) -> Option<FieldPath> {
    let (mut message, mut path) = (Some(message.clone()), Vec::new());
    for name in name.split('.') {
        let field = message?.get_field_by_name(name)?;
        message = match field.kind() {
            Kind::Message(message) if !field.is_list() => Some(message),
            _ => None,
        };
        path.push(field);
    }
    Some(path)
}

fn etag(input: &MessageDescriptor, body: &Body) -> Option<FieldPath> {
    let inside = match body {
        Body::Field(field) => field_path(input, &format!("{}.etag", field.name())),
        Body::None | Body::All => None,
    };
    inside.or_else(|| field_path(input, "etag"))
}
