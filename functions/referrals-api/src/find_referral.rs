//! `GET /api/reputation/referrals/{id}`.

use axum::{
    extract::{Path, State},
    response::Response,
};
use referrals::{
    domain::id::ReferralId,
    http::{Authenticated, Code, Problem},
    usecase,
};

use crate::{
    app::App,
    view::{ReferralView, resource},
};

pub async fn find_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = ReferralId::parse(&id).map_err(|_| Code::NotFound)?;
    let found = usecase::find_referral::find_referral(&app.ledger, &caller, &id).await?;
    let referral = found.ok_or(Code::NotFound)?;
    let version = referral.version;
    Ok(resource(&ReferralView::from(referral), version))
}
