//! A request that changes something: its body, bounded, and what its headers say about it.

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, Method},
};
use referrals::{
    domain::{access::Caller, idempotency::IdempotentRequest, version::Expected},
    http::{
        Code, Fields, MAX_BODY_BYTES, Problem, RequestId, expected_version, idempotent_request, require_json,
        require_merge_patch,
    },
};

#[derive(Debug)]
pub struct Incoming {
    method: Method,
    headers: HeaderMap,
    path: String,
    body: Bytes,
    /// The gateway's id of the request.
    pub request_id: String,
}

impl<S: Send + Sync> FromRequest<S> for Incoming {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Code::BodyTooLarge)?;
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        Ok(Self { method: parts.method, path: parts.uri.path().to_owned(), headers: parts.headers, body, request_id })
    }
}

impl Incoming {
    /// # Errors
    /// 415, 400 or 422 for anything but a JSON object.
    pub fn json(&self) -> Result<Fields, Problem> {
        require_json(&self.method, &self.headers)?;
        Fields::parse(&self.body)
    }

    /// As [`Self::json`], where a body is optional.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn json_or_nothing(&self) -> Result<Fields, Problem> {
        if self.body.is_empty() { Fields::parse(b"{}") } else { self.json() }
    }

    /// # Errors
    /// As [`Self::json`].
    pub fn merge_patch(&self) -> Result<Fields, Problem> {
        require_merge_patch(&self.headers)?;
        Fields::parse(&self.body)
    }

    /// The version that the client has seen.
    pub fn expected(&self) -> Expected {
        expected_version(&self.headers)
    }

    /// The client's name for the request: one of its own, for this route.
    ///
    /// # Errors
    /// 400 for a name that is none.
    pub fn named(&self, caller: &Caller) -> Result<Option<IdempotentRequest>, Problem> {
        idempotent_request(&self.headers, &["api", caller.user.as_str(), &self.path], &self.body)
    }
}
