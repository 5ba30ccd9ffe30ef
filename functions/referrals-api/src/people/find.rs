//! `GET /api/people/{id}`.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::id::PersonId,
    http::{Authenticated, Code, Problem},
    usecase,
};

use crate::{app::App, once::Answer, openapi::PersonPath, path_id::PathId, view::PersonView};

/// One person.
#[utoipa::path(
    get,
    path = "/api/people/{id}",
    tag = "people",
    params(PersonPath),
    responses((status = 200, body = PersonView, headers(("etag" = String))))
)]
pub async fn find_person(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<PersonId>,
) -> Result<Response, Problem> {
    let found = usecase::find_person::find_person(&app.ledger, &caller, &id.known()?).await?;
    let person = found.ok_or(Code::NotFound)?;
    let version = person.version;
    Ok(Answer::resource(StatusCode::OK, &PersonView::from(person), version).into_response())
}
