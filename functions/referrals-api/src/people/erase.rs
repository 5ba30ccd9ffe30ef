//! `DELETE /api/people/{id}/data`: takes out what is known of one person.

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use referrals::{
    domain::{id::PersonId, time::Timestamp},
    http::{Authenticated, Code, Problem, RequestId},
    ports::Clock as _,
    system::{RandomIds, SystemClock},
    usecase::erase_person::{Erasing, ErasureRequest, erase_person as usecase},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::data::Cursors;
use crate::{
    app::App,
    openapi::PersonPath,
    page::{CursorParam, Parameters},
    path_id::PathId,
};

/// Nothing more is begun so long after the request came: one may take six seconds, and the function has fifteen.
const ENOUGH_SECONDS: i64 = 6;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureView {
    person_id: PersonId,
    /// Null while referrals are still looked through for the person's address and number.
    erased_at: Option<Timestamp>,
    /// With it the same request goes on, where one was not enough; null when everything is done.
    next_cursor: Option<String>,
}

/// Erases a person: name, address and number, what anybody wrote about them, where they were written to. Owners and admins.
/// Ids, times, codes and money stay, so that reports still add up; so does, as a digest, an address under which nobody is to
/// be written to. It cannot be taken back. Asking again does nothing.
#[utoipa::path(
    delete,
    path = "/api/people/{id}/data",
    tag = "people",
    params(PersonPath, CursorParam),
    responses(
        (status = 200, description = "Nothing is left.", body = ErasureView),
        (status = 202, description = "There is more: ask again with `nextCursor` as `cursor`.", body = ErasureView)
    )
)]
pub async fn erase_person(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<PersonId>,
    Extension(request_id): Extension<RequestId>,
    query: RawQuery,
) -> Result<(StatusCode, Json<ErasureView>), Problem> {
    let parameters = Parameters::read(query, &["cursor"])?;
    let id = id.known()?;
    let now = SystemClock.now();
    let cursors = Cursors { key: &app.cursor_key, caller: &caller, person: &id, list: "person-erasure", now };
    let after = cursors.open(&parameters)?;
    let request = ErasureRequest { person: &id, after, request_id: &request_id.0 };
    let has_time = || SystemClock.now() < now.plus_seconds(ENOUGH_SECONDS);
    match usecase(&app.ledger, &SystemClock, &RandomIds, &caller, request, has_time).await? {
        Erasing::Unknown => Err(Problem::new(Code::NotFound)),
        Erasing::NotAllowed => Err(Problem::new(Code::Forbidden)),
        Erasing::Done(erased) => {
            let next_cursor = erased.next.and_then(|place| cursors.seal(&place));
            let status = if next_cursor.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK };
            Ok((status, Json(ErasureView { person_id: id, erased_at: erased.erased_at, next_cursor })))
        }
    }
}
