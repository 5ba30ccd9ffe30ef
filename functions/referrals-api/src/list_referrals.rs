//! `GET /api/reputation/referrals`: `status`, `limit` (1–100, 25), `cursor`; newest first.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use referrals::{
    domain::referral::ReferralStatus,
    http::{Authenticated, ListIdentity, Problem},
    ports::Clock as _,
    system::SystemClock,
    usecase,
};
use serde::Serialize;

use crate::{
    app::App,
    page::{Parameters, next_cursor},
    view::ReferralView,
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferralList {
    referrals: Vec<ReferralView>,
    next_cursor: Option<String>,
}

pub async fn list_referrals(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: RawQuery,
) -> Result<Json<ReferralList>, Problem> {
    let parameters = Parameters::read(query, &["status", "limit", "cursor"])?;
    let status = parameters.parsed("status", ReferralStatus::find)?;
    let limit = parameters.limit()?;
    let now = SystemClock.now();
    let list = ListIdentity::new([
        "referrals",
        caller.scope.organization().as_str(),
        caller.sees_only().map_or("", |agent| agent.as_str()),
        status.map_or("", ReferralStatus::as_str),
    ]);
    let after = parameters.after(&app.cursor_key, &list, now)?;
    let page = usecase::list_referrals::list_referrals(&app.ledger, &caller, status, after.as_ref(), limit).await?;
    let next_cursor = next_cursor(&page, &app.cursor_key, &list, now);
    Ok(Json(ReferralList { referrals: page.items.into_iter().map(ReferralView::from).collect(), next_cursor }))
}
