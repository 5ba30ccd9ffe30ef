//! `POST /api/reputation/referrals/{id}/convert`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::{
        change::ReferralChange,
        id::{DealId, ReferralId},
        lifecycle::Step,
    },
    http::{Authenticated, Problem},
};
use utoipa::ToSchema;

use super::change::change_once;
use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IdempotencyKey, IfMatch, ReferralPath},
    path_id::PathId,
    view::ReferralView,
};

#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"resultingDealId": "deal_4711"}))]
#[expect(dead_code, reason = "describes the body")]
struct ConvertForm {
    /// The deal that the referral led to. May be left out when it is linked already.
    resulting_deal_id: Option<DealId>,
}

/// Ties a referral to the deal that it produced.
#[utoipa::path(
    post,
    path = "/api/reputation/referrals/{id}/convert",
    tag = "referrals",
    params(ReferralPath, IdempotencyKey, IfMatch),
    request_body(content = Option<ConvertForm>),
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn convert_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let mut fields = incoming.json_or_nothing()?;
    let deal = fields.patched_code("resultingDealId").set();
    let resulting_deal_id = fields.parsed("resultingDealId", deal, "invalid_id", |text| DealId::parse(text).ok());
    fields.refuse_unknown();
    fields.finish()?;
    let change = ReferralChange { step: Some(Step::Convert), resulting_deal_id, ..ReferralChange::default() };
    change_once(&app, &caller, id, &incoming, &change).await
}
