//! `GET /api/reputation/referrals/{id}/history`.

use axum::{Json, extract::State};
use referrals::{
    domain::{audit::AuditEntry, id::ReferralId},
    http::{Authenticated, Code, Problem},
    usecase,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, openapi::ReferralPath, path_id::PathId, view::HistoryEntryView};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// Oldest first; of more than a thousand changes the newest.
    history: Vec<HistoryEntryView>,
}

/// What happened to a referral, and who did it. Owners and admins see that of a deleted one too.
#[utoipa::path(
    get,
    path = "/api/reputation/referrals/{id}/history",
    tag = "referrals",
    params(ReferralPath),
    responses((status = 200, body = HistoryView))
)]
pub async fn find_history(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
) -> Result<Json<HistoryView>, Problem> {
    let found = usecase::find_history::find_history(&app.ledger, &caller, &id.known()?).await?;
    let entries: Vec<AuditEntry> = found.ok_or(Code::NotFound)?;
    Ok(Json(HistoryView { history: entries.into_iter().map(HistoryEntryView::from).collect() }))
}
