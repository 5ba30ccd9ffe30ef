//! `POST /api/public/referral/{agentSlug}`. The order of the checks is a promise: what a stranger can learn from an
//! answer depends on it.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use referrals::{
    domain::{id::ReceiptId, organization::Slug, phone::Region},
    http::{Code, Fields, MAX_BODY_BYTES, Problem, RequestId, require_json},
    ports::{Clock, Ids},
    store::{Ledger, ProfileCache},
    system::{RandomIds, SystemClock},
    usecase::capture_referral::{Captured, capture_referral},
};
use serde::Serialize;

use crate::form;

const PREFIX: &str = "/api/public/referral/";

/// What lives as long as the process.
#[derive(Debug)]
pub struct App {
    profiles: ProfileCache<Ledger>,
    ledger: Ledger,
    region: Region,
}

impl App {
    pub fn new(ledger: Ledger, region: Region) -> Self {
        Self { profiles: ProfileCache::new(ledger.clone()), ledger, region }
    }
}

/// The same for a first and a repeated submission; no personal data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    ok: bool,
    receipt_id: ReceiptId,
}

pub async fn handle(app: &App, request: Request<Body>) -> Response {
    capture(app, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn capture(app: &App, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // Byte for byte from the path: nothing is decoded, trimmed or resolved.
    let segment = parts.uri.path().strip_prefix(PREFIX).filter(|rest| !rest.is_empty() && !rest.contains('/'));
    let segment = segment.ok_or(Code::NotFound)?;
    if parts.method != Method::POST {
        return Err(Problem::new(Code::MethodNotAllowed).with_header(header::ALLOW, "POST"));
    }
    require_json(&parts.headers)?;
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Code::BodyTooLarge)?;
    let submission = form::read(Fields::parse(&body)?, &app.region)?;

    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.as_str()).unwrap_or_default();
    let slug = Slug::parse(segment).ok();
    let captured =
        capture_referral(&app.profiles, &app.ledger, &SystemClock, &RandomIds, slug.as_ref(), &submission, request_id)
            .await?;

    let receipt_id = ReceiptId::from_ulid(RandomIds.ulid(SystemClock.now()));
    match captured {
        Captured::NoOpenProfile => return Err(Problem::new(Code::NotFound)),
        Captured::Recorded(referral) => {
            tracing::info!(receipt.id = %receipt_id, referral.id = %referral, "captured");
        }
        Captured::Repeated => tracing::info!(receipt.id = %receipt_id, "repeated"),
        Captured::Trapped => tracing::info!(receipt.id = %receipt_id, "trapped"),
    }
    Ok((StatusCode::CREATED, axum::Json(Receipt { ok: true, receipt_id })).into_response())
}

#[cfg(test)]
mod tests;
