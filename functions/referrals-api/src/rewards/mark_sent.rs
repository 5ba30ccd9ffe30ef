//! `POST /api/reputation/referrals/{id}/reward/mark-sent`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::{change::ReferralChange, id::ReferralId, reward_action::RewardAction},
    http::{Authenticated, Problem},
};
use utoipa::ToSchema;

use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IdempotencyKey, IfMatch, ReferralPath},
    path_id::PathId,
    referrals::change::change_once,
    view::ReferralView,
};

#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"complianceAcknowledged": true}))]
#[expect(dead_code, reason = "describes the body")]
struct MarkSentForm {
    /// That the law on referral fees was thought of. Needed once where the policy's `complianceGate` was `WARN`; who said
    /// so is recorded.
    #[schema(default = false)]
    compliance_acknowledged: Option<bool>,
}

/// Says that the reward was sent; the referrer is thanked. Saying it again changes nothing: the first time stays.
#[utoipa::path(
    post,
    path = "/api/reputation/referrals/{id}/reward/mark-sent",
    tag = "rewards",
    params(ReferralPath, IdempotencyKey, IfMatch),
    request_body(content = Option<MarkSentForm>),
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn mark_reward_sent(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let mut fields = incoming.json_or_nothing()?;
    let acknowledges = fields.flag("complianceAcknowledged");
    fields.refuse_unknown();
    fields.finish()?;
    let action = RewardAction::MarkSent { by: caller.user.clone(), acknowledges };
    let change = ReferralChange { reward_action: Some(action), ..ReferralChange::default() };
    change_once(&app, &caller, id, &incoming, &change).await
}
