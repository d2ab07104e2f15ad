//! A router around a small inventory that remembers what it was asked.

use axum::{Router, body::Body};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::inventory::{Asked, Inventory};

pub struct World {
    pub router: Router,
    pub asked: Asked,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl World {
    pub fn new() -> Self {
        Self::with(rest::Settings::default())
    }

    pub fn with(settings: rest::Settings) -> Self {
        let asked = Asked::default();
        let routes = Inventory::routes(asked.clone());
        let methods = api::contract::methods(&[
            "cartwright.inventory.v1.InventoryService",
            "cartwright.inventory.v1.InventoryAdminService",
        ]);
        let router = rest::router(routes, &methods.unwrap(), &settings).unwrap();
        Self { router, asked }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path), "").await
    }

    /// With a key and a type, as a client should.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(json(Request::post(path)), body.to_owned()).await
    }

    pub async fn put(&self, path: &str, body: &str) -> Answer {
        self.send(json(Request::put(path)), body.to_owned()).await
    }

    pub async fn send(&self, request: http::request::Builder, body: impl Into<Body>) -> Answer {
        read(self.open(request, body).await).await
    }

    pub async fn open(
        &self,
        request: http::request::Builder,
        body: impl Into<Body>,
    ) -> Response<Body> {
        let request = request.body(body.into()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }
}

pub fn json(request: http::request::Builder) -> http::request::Builder {
    request
        .header("content-type", "application/json")
        .header("idempotency-key", "k")
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The refusal's status, reason and fields.
    pub fn refusal(&self) -> (u16, String, Vec<String>) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        let fields = problem["fields"].as_array().cloned().unwrap_or_default();
        let fields = fields
            .iter()
            .map(|field| field["field"].as_str().unwrap().to_owned());
        let reason = problem["reason"].as_str().unwrap().to_owned();
        (self.status.as_u16(), reason, fields.collect())
    }
}
