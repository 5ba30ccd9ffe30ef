//! What every operation that changes a person shares: find them, change them once, answer with them.

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::{access::Caller, id::PersonId, person_change::PersonChange},
    http::{Code, FieldError, Problem},
    system::SystemClock,
    usecase::{
        change_person::{PersonOutcome, PersonRequest, change_person},
        find_person::find_person,
    },
};

use crate::{app::App, incoming::Incoming, once::Answer, path_id::PathId, view::PersonView};

/// # Errors
/// 404, 403, 412, 409 or 422, as the rules have it.
pub async fn change(
    app: &App,
    caller: &Caller,
    id: PathId<PersonId>,
    incoming: &Incoming,
    change: &PersonChange,
) -> Result<Response, Problem> {
    let found = find_person(&app.ledger, caller, &id.known()?).await?.ok_or(Code::NotFound)?;
    let request = PersonRequest { change, expected: &incoming.expected(), request_id: &incoming.request_id };
    let field =
        |pointer: &str, code| Problem::fields(Code::InvalidFields, vec![FieldError::new(pointer.to_owned(), code)]);
    match change_person(&app.ledger, &SystemClock, caller, found, &request).await? {
        PersonOutcome::Done(person) => {
            let version = person.version;
            Ok(Answer::resource(StatusCode::OK, &PersonView::from(*person), version).into_response())
        }
        PersonOutcome::Gone => Err(Problem::new(Code::NotFound)),
        PersonOutcome::NotAllowed => Err(Problem::new(Code::Forbidden)),
        PersonOutcome::PreconditionFailed => Err(Problem::new(Code::PreconditionFailed)),
        PersonOutcome::NoAddress => Err(field("/channel", "no_address")),
        PersonOutcome::Erased => Err(Problem::new(Code::PersonErased)),
        PersonOutcome::ContactTaken => Err(Problem::new(Code::ContactTaken)),
        PersonOutcome::UnknownOwner => Err(field("/ownerUserId", "unknown_id")),
    }
}
