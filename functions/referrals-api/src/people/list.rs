//! `GET /api/people`: `limit` (1–100, 25), `cursor`; newest first.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use referrals::{
    http::{Authenticated, ListIdentity, Problem},
    ports::Clock as _,
    system::SystemClock,
    usecase,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    page::{PageParams, Parameters, next_cursor},
    view::PersonView,
};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonList {
    people: Vec<PersonView>,
    /// Where the list goes on; null at its end.
    next_cursor: Option<String>,
}

/// The organization's people, newest first.
#[utoipa::path(
    get,
    path = "/api/people",
    tag = "people",
    params(PageParams),
    responses((status = 200, body = PersonList))
)]
pub async fn list_people(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: RawQuery,
) -> Result<Json<PersonList>, Problem> {
    let parameters = Parameters::read(query, &["limit", "cursor"])?;
    let limit = parameters.limit()?;
    let now = SystemClock.now();
    let list = ListIdentity::new(["people", caller.scope.organization().as_str()]);
    let after = parameters.after(&app.cursor_key, &list, now)?;
    let page = usecase::list_people::list_people(&app.ledger, &caller, after.as_ref(), limit).await?;
    let next_cursor = next_cursor(&page, &app.cursor_key, &list, now);
    Ok(Json(PersonList { people: page.items.into_iter().map(PersonView::from).collect(), next_cursor }))
}
