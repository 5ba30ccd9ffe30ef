//! `GET /api/reputation/imports/{id}/rows`: the report of an import.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use referrals::{
    domain::{
        access::Caller,
        id::{ImportId, ReferralId},
        import::{Column, RowError, RowOutcome, RowReport},
    },
    http::{Authenticated, Code, ListIdentity, Problem},
    ports::{Clock as _, Position},
    system::SystemClock,
    usecase::list_import_rows::{self as usecase, WantedRows},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::allowed;
use crate::{app::App, openapi::ImportPath, page::Parameters, path_id::PathId};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct RowParams {
    /// Only rows of which this became.
    outcome: Option<RowOutcome>,
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
    /// `nextCursor` of the page before, with the same filter. Good for a day.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportRowErrorView {
    /// Null when it is the row as a whole.
    column: Option<Column>,
    /// Stable, in lower snake case.
    #[schema(example = "invalid_time")]
    code: String,
}

impl From<RowError> for ImportRowErrorView {
    fn from(error: RowError) -> Self {
        Self { column: error.column, code: error.code }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportRowView {
    /// Of the file, where the row begins; the first is 1.
    line: u32,
    outcome: RowOutcome,
    /// Null for a row that failed, and for one that a dry run would create.
    referral_id: Option<ReferralId>,
    errors: Vec<ImportRowErrorView>,
}

impl From<RowReport> for ImportRowView {
    fn from(row: RowReport) -> Self {
        let errors = row.errors.into_iter().map(ImportRowErrorView::from).collect();
        Self { line: row.line, outcome: row.outcome, referral_id: row.referral_id, errors }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportRowList {
    /// In the order of the file.
    rows: Vec<ImportRowView>,
    /// Where the report goes on; null at its end. While the import runs, rows may still be added anywhere: the report is whole
    /// once the import is COMPLETED.
    next_cursor: Option<String>,
}

/// What a cursor of this list is bound to.
pub fn identity(caller: &Caller, id: &ImportId, outcome: Option<RowOutcome>) -> ListIdentity {
    let organization = caller.scope.organization().as_str();
    ListIdentity::new(["import rows", organization, id.as_str(), outcome.map_or("", RowOutcome::as_str)])
}

/// What became of the rows of an import, as far as they are done.
#[utoipa::path(
    get,
    path = "/api/reputation/imports/{id}/rows",
    tag = "imports",
    params(ImportPath, RowParams),
    responses((status = 200, body = ImportRowList))
)]
pub async fn list_import_rows(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ImportId>,
    query: RawQuery,
) -> Result<Json<ImportRowList>, Problem> {
    allowed(&caller)?;
    let id = id.known()?;
    let parameters = Parameters::read(query, &["outcome", "limit", "cursor"])?;
    let outcome = parameters.parsed("outcome", RowOutcome::find)?;
    let limit = parameters.limit_of(DEFAULT_LIMIT, MAX_LIMIT)?;
    let now = SystemClock.now();
    let list = identity(&caller, &id, outcome);
    let after = match parameters.after(&app.cursor_key, &list, now)? {
        // Sealed by us: the line where the page before ended.
        Some(position) => position.id.parse().map_err(|_| Code::InvalidCursor)?,
        None => 0,
    };
    let wanted = WantedRows { outcome, after, limit };
    let page = usecase::list_import_rows(&app.ledger, &SystemClock, &caller, &id, wanted).await?;
    let page = page.ok_or(Code::NotFound)?;
    let last = page.rows.last().filter(|_| page.has_more);
    let place = last.map(|row| Position { created_at: page.import.created_at, id: row.line.to_string() });
    let next_cursor = place.and_then(|place| app.cursor_key.seal(&list, &place, now));
    Ok(Json(ImportRowList { rows: page.rows.into_iter().map(ImportRowView::from).collect(), next_cursor }))
}
