//! `GET /api/reputation/referrals/{id}`.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::id::ReferralId,
    http::{Authenticated, Code, Problem},
    usecase,
};

use crate::{app::App, once::Answer, openapi::ReferralPath, path_id::PathId, view::ReferralView};

/// One referral.
#[utoipa::path(
    get,
    path = "/api/reputation/referrals/{id}",
    tag = "referrals",
    params(ReferralPath),
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn find_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
) -> Result<Response, Problem> {
    let found = usecase::find_referral::find_referral(&app.ledger, &caller, &id.known()?).await?;
    let referral = found.ok_or(Code::NotFound)?;
    let version = referral.version;
    Ok(Answer::resource(StatusCode::OK, &ReferralView::from(referral), version).into_response())
}
