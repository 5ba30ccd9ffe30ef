//! `POST /api/reputation/referrals/{id}/reopen`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::{change::ReferralChange, id::ReferralId, lifecycle::Step},
    http::{Authenticated, Problem},
};

use super::change::change_once;
use crate::{
    app::App,
    incoming::Incoming,
    openapi::{EmptyForm, IdempotencyKey, IfMatch, ReferralPath},
    path_id::PathId,
    view::ReferralView,
};

/// Takes up a lost referral again.
#[utoipa::path(
    post,
    path = "/api/reputation/referrals/{id}/reopen",
    tag = "referrals",
    params(ReferralPath, IdempotencyKey, IfMatch),
    request_body(content = Option<EmptyForm>),
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn reopen_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let mut fields = incoming.json_or_nothing()?;
    fields.refuse_unknown();
    fields.finish()?;
    let change = ReferralChange { step: Some(Step::Reopen), ..ReferralChange::default() };
    change_once(&app, &caller, id, &incoming, &change).await
}
