//! `POST /api/reputation/referrals/{id}/reward/cancel`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::{change::ReferralChange, id::ReferralId, reward_action::RewardAction},
    http::{Authenticated, Problem},
};

use super::reason::ReasonForm;
use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IdempotencyKey, IfMatch, ReferralPath},
    path_id::PathId,
    referrals::change::change_once,
    view::ReferralView,
};

/// Takes back a reward that was not sent, for good, with the reason.
#[utoipa::path(
    post,
    path = "/api/reputation/referrals/{id}/reward/cancel",
    tag = "rewards",
    params(ReferralPath, IdempotencyKey, IfMatch),
    request_body = ReasonForm,
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn cancel_reward(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let action = RewardAction::Cancel(ReasonForm::read(&incoming)?);
    let change = ReferralChange { reward_action: Some(action), ..ReferralChange::default() };
    change_once(&app, &caller, id, &incoming, &change).await
}
