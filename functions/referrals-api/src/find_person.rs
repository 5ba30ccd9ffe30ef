//! `GET /api/people/{id}`.

use axum::{
    extract::{Path, State},
    response::Response,
};
use referrals::{
    domain::id::PersonId,
    http::{Authenticated, Code, Problem},
    usecase,
};

use crate::{
    app::App,
    view::{PersonView, resource},
};

pub async fn find_person(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = PersonId::parse(&id).map_err(|_| Code::NotFound)?;
    let found = usecase::find_person::find_person(&app.ledger, &caller, &id).await?;
    let person = found.ok_or(Code::NotFound)?;
    let version = person.version;
    Ok(resource(&PersonView::from(person), version))
}
