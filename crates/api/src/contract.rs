//! What the protos say of each method beside its messages: who may call it,
//! what it weighs, and where it is found over HTTP. Read once at start-up.

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, MessageDescriptor, MethodDescriptor, Value,
};

/// One method of a service.
#[derive(Debug, Clone)]
pub struct Method {
    /// As in a gRPC request: `/cartwright.order.v1.OrderService/GetOrder`.
    pub path: String,
    /// The scope that a token must hold.
    pub scope: String,
    pub audience: Audience,
    /// Services whose client certificate opens it without a token.
    pub peers: Vec<String>,
    /// What a call takes from the caller's rate limits, 1 or more.
    pub cost: u32,
    /// False when the method changes nothing.
    pub mutating: bool,
    /// Whether it needs an idempotency key of its own. A mutating method of
    /// which each item brings its key needs none.
    pub keyed: bool,
    /// Where a created resource is found, as a template over the response.
    pub created: Option<String>,
    /// Its places over HTTP, the preferred one first.
    pub http: Vec<Http>,
    pub descriptor: MethodDescriptor,
}

/// Whose objects a method touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Nothing in it belongs to one customer.
    Everybody,
    /// Callers without `customers:any` see and touch their own only.
    Owner,
    /// Only callers with `customers:any`.
    Staff,
}

/// A place of a method over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// `GET`, `POST`, `PUT`, `DELETE` or `PATCH`.
    pub verb: &'static str,
    /// For example `/api/orders/{order_id}`; names are paths of request fields.
    pub template: String,
    /// Which part of the request the body is: `*` for all that is not in the
    /// template, a field's name, or none.
    pub body: Option<String>,
}

impl Http {
    /// The template as documents show it, since tools trip over names with
    /// dots: `/api/inventory/items/{item.sku}` is `/api/inventory/items/{sku}`.
    pub fn documented(&self) -> String {
        let segments = self.template.split('/').map(|segment| {
            let name = segment.strip_prefix('{')?.strip_suffix('}')?;
            let last = name.rsplit('.').next()?;
            Some(format!("{{{last}}}"))
        });
        let shown = segments.zip(self.template.split('/'));
        let shown = shown.map(|(name, plain)| name.unwrap_or_else(|| plain.to_owned()));
        shown.collect::<Vec<_>>().join("/")
    }
}

/// What is wrong with the contract. Stops the start-up.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("the descriptors of the API cannot be read: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    #[error("there is no service `{0}` in the contract")]
    UnknownService(String),
    #[error(
        "{0} does not say who may call it: set `(cartwright.common.v1.access)` with scope and audience"
    )]
    NoAccess(String),
}

/// The descriptors with our options.
///
/// # Errors
/// `Descriptors` when they are broken.
pub fn pool() -> Result<DescriptorPool, ContractError> {
    Ok(DescriptorPool::decode(crate::DESCRIPTORS)?)
}

/// All methods of `services` (full names), in the order of the protos.
///
/// # Errors
/// `NoAccess`, naming the method, when one does not say who may call it.
pub fn methods(services: &[&str]) -> Result<Vec<Method>, ContractError> {
    methods_of(&pool()?, services)
}

/// [`methods`] of any descriptors.
///
/// # Errors
/// As there.
pub fn methods_of(pool: &DescriptorPool, services: &[&str]) -> Result<Vec<Method>, ContractError> {
    let mut all = Vec::new();
    for name in services {
        let service = pool
            .get_service_by_name(name)
            .ok_or_else(|| ContractError::UnknownService((*name).to_owned()))?;
        for method in service.methods() {
            all.push(read(pool, method)?);
        }
    }
    Ok(all)
}

fn read(pool: &DescriptorPool, descriptor: MethodDescriptor) -> Result<Method, ContractError> {
    let service = descriptor.parent_service().full_name().to_owned();
    let path = format!("/{service}/{}", descriptor.name());
    let options = descriptor.options();
    let unnamed = || ContractError::NoAccess(format!("{service}.{}", descriptor.name()));
    let access = option(pool, &options, "cartwright.common.v1.access").ok_or_else(unnamed)?;
    let scope = text(&access, "scope");
    let audience = match number(&access, "audience") {
        1 => Audience::Everybody,
        2 => Audience::Owner,
        3 => Audience::Staff,
        _ => return Err(unnamed()),
    };
    if scope.is_empty() {
        return Err(unnamed());
    }
    // IdempotencyLevel NO_SIDE_EFFECTS, of descriptor.proto.
    let mutating = number(&options, "idempotency_level") != 1;
    let created = text(&access, "created");
    Ok(Method {
        path,
        scope,
        audience,
        peers: texts(&access, "peers"),
        cost: u32::try_from(number(&access, "cost")).unwrap_or(1).max(1),
        mutating,
        keyed: mutating && !items_bring_keys(&descriptor.input()),
        created: (!created.is_empty()).then_some(created),
        http: option(pool, &options, "google.api.http")
            .map(|rule| places(&rule))
            .unwrap_or_default(),
        descriptor,
    })
}

pub(crate) fn items_bring_keys(request: &MessageDescriptor) -> bool {
    let items = request.get_field_by_name("items");
    items
        .and_then(|items| items.kind().as_message().cloned())
        .is_some_and(|item| item.get_field_by_name("idempotency_key").is_some())
}

fn places(rule: &DynamicMessage) -> Vec<Http> {
    let more = match rule.get_field_by_name("additional_bindings").as_deref() {
        Some(Value::List(rules)) => rules.clone(),
        _ => Vec::new(),
    };
    let more = more.iter().filter_map(Value::as_message);
    [rule].into_iter().chain(more).filter_map(place).collect()
}

fn place(rule: &DynamicMessage) -> Option<Http> {
    let verbs = [
        ("get", "GET"),
        ("put", "PUT"),
        ("post", "POST"),
        ("delete", "DELETE"),
        ("patch", "PATCH"),
    ];
    let (field, verb) = verbs
        .into_iter()
        .find(|(field, _)| rule.has_field_by_name(field))?;
    let body = text(rule, "body");
    Some(Http {
        verb,
        template: text(rule, field),
        body: (!body.is_empty()).then_some(body),
    })
}

/// The value of an option that is a message, if it is set.
pub fn option(
    pool: &DescriptorPool,
    options: &DynamicMessage,
    name: &str,
) -> Option<DynamicMessage> {
    let extension: ExtensionDescriptor = pool.get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message().cloned()
}

fn text(message: &DynamicMessage, field: &str) -> String {
    match message.get_field_by_name(field).as_deref() {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    match message.get_field_by_name(field).as_deref() {
        Some(Value::List(values)) => values
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn number(message: &DynamicMessage, field: &str) -> i64 {
    match message.get_field_by_name(field).as_deref() {
        Some(Value::EnumNumber(number)) => i64::from(*number),
        Some(Value::U32(number)) => i64::from(*number),
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SERVICES: [&str; 6] = [
        "cartwright.order.v1.OrderService",
        "cartwright.order.v1.OrderAdminService",
        "cartwright.payment.v1.PaymentService",
        "cartwright.payment.v1.PaymentAdminService",
        "cartwright.inventory.v1.InventoryService",
        "cartwright.inventory.v1.InventoryAdminService",
    ];

    #[test]
    fn every_method_says_who_may_call_it_and_where_it_is_over_http() {
        let methods = methods(&SERVICES).unwrap();
        assert!(methods.len() > 50, "{}", methods.len());
        for method in &methods {
            assert!(!method.http.is_empty(), "{} has no HTTP rule", method.path);
            assert_eq!(
                method.mutating,
                method.http[0].verb != "GET" && !method.path.ends_with("/CheckAvailability"),
                "{}",
                method.path
            );
        }
    }

    #[test]
    fn what_the_protos_say_is_read() {
        let methods = methods(&SERVICES).unwrap();
        let named = |name: &str| {
            let found = methods.iter().find(|method| method.path.ends_with(name));
            found.unwrap().clone()
        };
        let create = named("/CreateOrder");
        assert_eq!(create.scope, "orders:write");
        assert_eq!(create.audience, Audience::Owner);
        assert_eq!(create.cost, 10);
        assert!(create.mutating && create.keyed);
        assert_eq!(create.created.as_deref(), Some("/api/orders/{order.id}"));
        assert_eq!(create.http[0].verb, "POST");
        assert_eq!(create.http[0].body.as_deref(), Some("*"));
        let reserve = named("/BatchReserve");
        assert_eq!(reserve.peers, ["order-service"]);
        assert!(reserve.mutating && !reserve.keyed);
        assert_eq!(named("/GetPayment").http.len(), 2);
    }

    #[test]
    fn a_method_that_does_not_say_who_may_call_it_is_named() {
        let empty = prost_types::DescriptorProto {
            name: Some("Nothing".to_owned()),
            ..Default::default()
        };
        let method = prost_types::MethodDescriptorProto {
            name: Some("Open".to_owned()),
            input_type: Some(".test.Nothing".to_owned()),
            output_type: Some(".test.Nothing".to_owned()),
            ..Default::default()
        };
        let service = prost_types::ServiceDescriptorProto {
            name: Some("Careless".to_owned()),
            method: vec![method],
            ..Default::default()
        };
        let file = prost_types::FileDescriptorProto {
            name: Some("careless.proto".to_owned()),
            package: Some("test".to_owned()),
            message_type: vec![empty],
            service: vec![service],
            ..Default::default()
        };
        let mut pool = pool().unwrap();
        pool.add_file_descriptor_proto(file).unwrap();
        let error = methods_of(&pool, &["test.Careless"]).unwrap_err();
        assert!(matches!(error, ContractError::NoAccess(_)), "{error}");
        assert!(error.to_string().contains("Open"), "{error}");
    }

    #[test]
    fn an_unknown_service_is_named() {
        let error = methods(&["cartwright.order.v1.NoService"]).unwrap_err();
        assert!(error.to_string().contains("NoService"), "{error}");
    }
}
