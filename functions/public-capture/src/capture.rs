//! `POST /api/public/referral/{agentSlug}`. The order of the checks is a promise: what a stranger can learn from an
//! answer depends on it.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use referrals::{
    domain::{id::ReceiptId, organization::Slug},
    http::{Code, Fields, MAX_BODY_BYTES, Problem, ProblemBody, RequestId, SourceIp, idempotent_request, require_json},
    usecase::capture_referral::Arrival,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    form::{self, CaptureForm},
    submit::App,
};

const PREFIX: &str = "/api/public/referral/";

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
    app.admit(parts.extensions.get::<SourceIp>()).await?;
    let fields = Fields::parse(&body)?;
    let named = idempotent_request(&parts.headers, &["capture", segment], &body)?;
    let submission = form::read(fields, &app.settings.region)?;

    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.as_str()).unwrap_or_default();
    let slug = Slug::parse(segment).ok();
    let arrival = Arrival { request_id, named: named.as_ref() };
    let receipt_id = app.submit(slug.as_ref(), &submission, arrival).await?;
    Ok((StatusCode::CREATED, axum::Json(Receipt { ok: true, receipt_id })).into_response())
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
