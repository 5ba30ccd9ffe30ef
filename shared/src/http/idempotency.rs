//! The `Idempotency-Key` header.

use axum::http::HeaderMap;

use super::problem::{Code, Problem};
use crate::domain::idempotency::IdempotentRequest;

/// None when the client did not name the request.
///
/// # Errors
/// 400 for a name that is none, or more than one.
pub fn idempotent_request(
    headers: &HeaderMap,
    scope: &[&str],
    body: &[u8],
) -> Result<Option<IdempotentRequest>, Problem> {
    let mut names = headers.get_all("idempotency-key").iter();
    let Some(name) = names.next() else { return Ok(None) };
    let name = name.to_str().ok().filter(|_| names.next().is_none()).ok_or(Code::InvalidIdempotencyKey)?;
    IdempotentRequest::new(scope, name, body).map(Some).map_err(|_| Problem::new(Code::InvalidIdempotencyKey))
}
