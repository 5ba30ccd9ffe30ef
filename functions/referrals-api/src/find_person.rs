//! `GET /api/people/{id}`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::id::PersonId,
    http::{Authenticated, Code, Problem},
    usecase,
};

use crate::{
    app::App,
    path_id::PathId,
    view::{PersonView, resource},
};

pub async fn find_person(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId<PersonId>,
) -> Result<Response, Problem> {
    let found = usecase::find_person::find_person(&app.ledger, &caller, &id).await?;
    let person = found.ok_or(Code::NotFound)?;
    let version = person.version;
    Ok(resource(&PersonView::from(person), version))
}
