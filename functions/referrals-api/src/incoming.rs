//! A request that changes something: its body, bounded, and what its headers say about it.

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, Method},
};
use referrals::{
    domain::{access::Caller, digest::digest, idempotency::IdempotentRequest, import::FileFormat, version::Expected},
    http::{
        Code, Fields, MAX_BODY_BYTES, Problem, RequestId, expected_version, idempotent_request, require_file,
        require_json, require_merge_patch,
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
        Self::at_most(MAX_BODY_BYTES, request).await
    }
}

impl Incoming {
    /// For the routes whose bodies are larger than forms.
    ///
    /// # Errors
    /// 413 for a body of more bytes than that.
    pub async fn at_most(max_bytes: usize, request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, max_bytes).await.map_err(|_| Code::BodyTooLarge)?;
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        Ok(Self { method: parts.method, path: parts.uri.path().to_owned(), headers: parts.headers, body, request_id })
    }

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

    /// A file of rows.
    ///
    /// # Errors
    /// 415 for anything else.
    pub fn file(&self) -> Result<(FileFormat, &[u8]), Problem> {
        Ok((require_file(&self.headers)?, &self.body))
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

    /// As [`Self::named`], where the same body means something else under other `terms`.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub fn named_with(&self, caller: &Caller, terms: &[&str]) -> Result<Option<IdempotentRequest>, Problem> {
        let parts: Vec<&[u8]> = terms.iter().map(|term| term.as_bytes()).chain([&*self.body]).collect();
        idempotent_request(&self.headers, &["api", caller.user.as_str(), &self.path], digest(&parts).as_bytes())
    }
}
