//! `GET /api/reputation/referrals/{id}`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::id::ReferralId,
    http::{Authenticated, Code, Problem},
    usecase,
};

use crate::{
    app::App,
    path_id::PathId,
    view::{ReferralView, resource},
};

pub async fn find_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<ReferralId>,
) -> Result<Response, Problem> {
    let found = usecase::find_referral::find_referral(&app.ledger, &caller, &id).await?;
    let referral = found.ok_or(Code::NotFound)?;
    let version = referral.version;
    Ok(resource(&ReferralView::from(referral), version))
}
