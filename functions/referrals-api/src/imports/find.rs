//! `GET /api/reputation/imports/{id}`.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::id::ImportId,
    http::{Authenticated, Code, Problem},
    system::SystemClock,
    usecase,
};

use super::{allowed, view::ImportView};
use crate::{app::App, once::Answer, openapi::ImportPath, path_id::PathId};

/// How far an import is. It is kept for 90 days.
#[utoipa::path(
    get,
    path = "/api/reputation/imports/{id}",
    tag = "imports",
    params(ImportPath),
    responses((status = 200, body = ImportView, headers(("etag" = String))))
)]
pub async fn find_import(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ImportId>,
) -> Result<Response, Problem> {
    allowed(&caller)?;
    let found = usecase::find_import::find_import(&app.ledger, &SystemClock, &caller, &id.known()?).await?;
    let import = found.ok_or(Code::NotFound)?;
    Ok(Answer::resource(StatusCode::OK, &ImportView::from(&import), import.version).into_response())
}
