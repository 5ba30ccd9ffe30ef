//! `POST /api/public/referral/{agentSlug}`. The order of the checks is a promise: what a stranger can learn from an
//! answer depends on it.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use referrals::{
    domain::{id::ReceiptId, organization::Slug, rate_limit::network_of},
    http::{Code, Fields, MAX_BODY_BYTES, Problem, ProblemBody, RequestId, SourceIp, idempotent_request, require_json},
    ports::{Admission, Clock as _, Counted, RateLimiter as _},
    store::{Directory, Ledger, ProfileCache, RateLimitTable},
    system::{RandomIds, SystemClock},
    usecase::capture_referral::{Arrival, Capture, Captured},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    form::{self, CaptureForm},
    settings::Settings,
};

const PREFIX: &str = "/api/public/referral/";

/// What lives as long as the process.
#[derive(Debug)]
pub struct App {
    pub profiles: ProfileCache<Directory, SystemClock>,
    pub ledger: Ledger,
    pub limiter: RateLimitTable,
    pub settings: Settings,
}

/// The same for a first and a repeated submission; no personal data.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReceiptView)]
pub struct Receipt {
    #[schema(example = true)]
    ok: bool,
    receipt_id: ReceiptId,
}

/// Sends a friend to an agent. The published slug is the capability: no token. A repeated submission is answered like a
/// first one.
#[utoipa::path(
    post,
    path = "/api/public/referral/{agentSlug}",
    operation_id = "capture_referral",
    tag = "public",
    params(
        ("agentSlug" = Slug, Path, description = "The name under which the agent's profile is published.", example = "jane-doe-realty"),
        ("Idempotency-Key" = Option<String>, Header, description = "The client's own name for this request. Sent again \
            within 24 hours, it is answered again and not done again.", min_length = 1, max_length = 255,
            pattern = "^[ -~]*[!-~][ -~]*$")
    ),
    request_body = CaptureForm,
    responses((status = 201, body = Receipt), (status = 404, description = "No agent takes referrals here.", body = ProblemBody, content_type = "application/problem+json"))
)]
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
    require_json(&parts.method, &parts.headers)?;
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Code::BodyTooLarge)?;
    admit(app, parts.extensions.get::<SourceIp>()).await?;
    let fields = Fields::parse(&body)?;
    let named = idempotent_request(&parts.headers, &["capture", segment], &body)?;
    let submission = form::read(fields, &app.settings.region)?;

    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.as_str()).unwrap_or_default();
    let slug = Slug::parse(segment).ok();
    let capture = Capture {
        profiles: &app.profiles,
        limiter: &app.limiter,
        slug_limits: app.settings.slug_limits,
        store: &app.ledger,
        clock: &SystemClock,
        ids: &RandomIds,
    };
    let arrival = Arrival { request_id, named: named.as_ref() };
    let captured = capture.capture(slug.as_ref(), &submission, arrival).await?;
    let receipt_id = match captured {
        Captured::NoOpenProfile => return Err(Problem::new(Code::NotFound)),
        Captured::NameTaken => return Err(Problem::new(Code::IdempotencyKeyReused)),
        Captured::Refused { retry_after_seconds } => return Err(Problem::too_many_requests(retry_after_seconds)),
        Captured::Recorded(receipt, referral) => {
            tracing::info!(receipt.id = %receipt, referral.id = %referral, "captured");
            receipt
        }
        Captured::Repeated(receipt) => {
            tracing::info!(receipt.id = %receipt, "repeated");
            receipt
        }
        Captured::Trapped(receipt) => {
            tracing::info!(receipt.id = %receipt, "trapped");
            receipt
        }
        Captured::Replayed(receipt) => {
            tracing::info!(receipt.id = %receipt, "replayed");
            receipt
        }
    };
    Ok((StatusCode::CREATED, axum::Json(Receipt { ok: true, receipt_id })).into_response())
}

/// Counts the request against the network that it comes from, before anything of it is read.
async fn admit(app: &App, source_ip: Option<&SourceIp>) -> Result<(), Problem> {
    // Without an address all share one count: the gateway always gives one.
    let network = source_ip.and_then(|ip| network_of(&ip.0)).unwrap_or_default();
    let hash = app.settings.ip_hash_key.hash(&network);
    match app.limiter.admit(Counted::Network(&hash), app.settings.ip_limits, SystemClock.now()).await? {
        Admission::Admitted => Ok(()),
        Admission::Refused { retry_after_seconds } => Err(Problem::too_many_requests(retry_after_seconds)),
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
