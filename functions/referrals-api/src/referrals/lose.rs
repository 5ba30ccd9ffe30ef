//! `POST /api/reputation/referrals/{id}/lose`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::{change::ReferralChange, id::ReferralId, lifecycle::Step},
    http::{Authenticated, Problem},
};
use utoipa::ToSchema;
use validator::Validate;

use super::change::change_once;
use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IdempotencyKey, IfMatch, ReferralPath},
    path_id::PathId,
    view::ReferralView,
};

#[derive(Debug, Validate, ToSchema)]
#[schema(rename_all = "camelCase")]
struct LoseForm {
    /// Why nothing came of it.
    #[validate(required)]
    #[schema(
        required = true,
        nullable = false,
        min_length = 1,
        max_length = 500,
        example = "Bought with another agent"
    )]
    lost_reason: Option<String>,
}

/// Gives a referral up, with the reason.
#[utoipa::path(
    post,
    path = "/api/reputation/referrals/{id}/lose",
    tag = "referrals",
    params(ReferralPath, IdempotencyKey, IfMatch),
    request_body = LoseForm,
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn lose_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let mut fields = incoming.json()?;
    let form = LoseForm { lost_reason: fields.text("lostReason") };
    fields.absorb(form.validate());
    fields.refuse_unknown();
    let lost_reason = fields.reason("lostReason", form.lost_reason.as_deref());
    fields.finish()?;
    let change = ReferralChange { step: Some(Step::Lose), lost_reason, ..ReferralChange::default() };
    change_once(&app, &caller, id, &incoming, &change).await
}
