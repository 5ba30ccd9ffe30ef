//! `GET /api/reputation/rewards`: the queue.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use referrals::{
    domain::{access::Caller, reward_lane::RewardLane},
    http::{Authenticated, ListIdentity, Problem},
    ports::Clock as _,
    system::SystemClock,
    usecase,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    page::{PageParams, Parameters, next_cursor},
    view::ReferralView,
};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewardList {
    /// The referrals whose rewards they are.
    rewards: Vec<ReferralView>,
    /// Where the queue goes on; null at its end. A page may be short, or empty, before the end: a member's own are picked
    /// from everybody's.
    next_cursor: Option<String>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct LaneParam {
    /// `pending`: to be sent. `held`: to be looked at, or in the holding period. `sent`: sent, and nobody thanked yet.
    #[param(default = "pending")]
    lane: Option<RewardLane>,
}

/// What a cursor of this list is bound to.
pub fn identity(caller: &Caller, lane: RewardLane) -> ListIdentity {
    ListIdentity::new([
        "rewards",
        caller.scope.organization().as_str(),
        caller.sees_only().map_or("", |agent| agent.as_str()),
        lane.as_str(),
    ])
}

/// The rewards of one lane, oldest first: a member's own, an owner's or admin's the whole organization's.
#[utoipa::path(
    get,
    path = "/api/reputation/rewards",
    tag = "rewards",
    params(LaneParam, PageParams),
    responses((status = 200, body = RewardList))
)]
pub async fn list_rewards(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: RawQuery,
) -> Result<Json<RewardList>, Problem> {
    let parameters = Parameters::read(query, &["lane", "limit", "cursor"])?;
    let lane = parameters.parsed("lane", RewardLane::find)?.unwrap_or_default();
    let limit = parameters.limit()?;
    let now = SystemClock.now();
    let list = identity(&caller, lane);
    let after = parameters.after(&app.cursor_key, &list, now)?;
    let page = usecase::list_rewards::list_rewards(&app.ledger, &caller, lane, after.as_ref(), limit).await?;
    let next_cursor = next_cursor(&page, &app.cursor_key, &list, now);
    Ok(Json(RewardList { rewards: page.items.into_iter().map(ReferralView::from).collect(), next_cursor }))
}
