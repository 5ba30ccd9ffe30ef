//! `GET /api/reputation/referrals`.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use referrals::{
    domain::{
        access::Caller,
        filter::ReferralFilter,
        id::{PersonId, UserId},
        referral::{Channel, ReferralStatus, RewardStatus},
        time::Timestamp,
    },
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
pub struct ReferralList {
    referrals: Vec<ReferralView>,
    /// Where the list goes on; null at its end. A page may be short, or empty, before the end: a filter that lets little
    /// through reads only so far.
    next_cursor: Option<String>,
}

/// Names of the filters, as [`filter`] reads them.
pub const FILTERS: [&str; 7] = ["status", "channel", "agentUserId", "rewardStatus", "referrerPersonId", "from", "to"];

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes parameters")]
pub struct FilterParams {
    status: Option<ReferralStatus>,
    channel: Option<Channel>,
    agent_user_id: Option<UserId>,
    reward_status: Option<RewardStatus>,
    referrer_person_id: Option<PersonId>,
    /// Created at this time or later.
    from: Option<Timestamp>,
    /// Created before this time.
    to: Option<Timestamp>,
}

/// # Errors
/// 400 for a value that is none.
pub fn filter(parameters: &Parameters) -> Result<ReferralFilter, Problem> {
    Ok(ReferralFilter {
        agent: parameters.parsed("agentUserId", |text| UserId::parse(text).ok())?,
        status: parameters.parsed("status", ReferralStatus::find)?,
        channel: parameters.parsed("channel", Channel::find)?,
        reward_status: parameters.parsed("rewardStatus", RewardStatus::find)?,
        referrer: parameters.parsed("referrerPersonId", |text| PersonId::parse(text).ok())?,
        from: parameters.parsed("from", |text| Timestamp::parse(text).ok())?,
        to: parameters.parsed("to", |text| Timestamp::parse(text).ok())?,
    })
}

/// What a cursor of this list is bound to.
pub fn identity(route: &str, caller: &Caller, filter: &ReferralFilter) -> ListIdentity {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    ListIdentity::new([
        route,
        caller.scope.organization().as_str(),
        caller.sees_only().map_or("", |agent| agent.as_str()),
        filter.agent.as_ref().map_or("", |agent| agent.as_str()),
        filter.status.map_or("", ReferralStatus::as_str),
        filter.channel.map_or("", Channel::as_str),
        filter.reward_status.map_or("", RewardStatus::as_str),
        filter.referrer.as_ref().map_or("", |referrer| referrer.as_str()),
        &text(filter.from),
        &text(filter.to),
    ])
}

/// The caller's referrals, newest first: a member's own, an owner's or admin's the whole organization's.
#[utoipa::path(
    get,
    path = "/api/reputation/referrals",
    tag = "referrals",
    params(FilterParams, PageParams),
    responses((status = 200, body = ReferralList))
)]
pub async fn list_referrals(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: RawQuery,
) -> Result<Json<ReferralList>, Problem> {
    let parameters = Parameters::read(query, &[&FILTERS[..], &["limit", "cursor"]].concat())?;
    let filter = filter(&parameters)?;
    let limit = parameters.limit()?;
    let now = SystemClock.now();
    let list = identity("referrals", &caller, &filter);
    let after = parameters.after(&app.cursor_key, &list, now)?;
    let page = usecase::list_referrals::list_referrals(&app.ledger, &caller, &filter, after.as_ref(), limit).await?;
    let next_cursor = next_cursor(&page, &app.cursor_key, &list, now);
    Ok(Json(ReferralList { referrals: page.items.into_iter().map(ReferralView::from).collect(), next_cursor }))
}
