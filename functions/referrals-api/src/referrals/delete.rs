//! `DELETE /api/reputation/referrals/{id}`.

use axum::{extract::State, http::StatusCode};
use referrals::{
    domain::id::ReferralId,
    http::{Authenticated, Code, Problem},
    system::SystemClock,
    usecase::{
        delete_referral::{self as usecase, Deletion},
        find_referral::find_referral,
    },
};

use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IfMatch, ReferralPath},
    path_id::PathId,
};

/// Deletes a wrong entry. Owners and admins only, and not once it is converted; its history stays.
#[utoipa::path(
    delete,
    path = "/api/reputation/referrals/{id}",
    tag = "referrals",
    params(ReferralPath, IfMatch),
    responses((status = 204))
)]
pub async fn delete_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<StatusCode, Problem> {
    let found = find_referral(&app.ledger, &caller, &id.known()?).await?.ok_or(Code::NotFound)?;
    let expected = incoming.expected();
    let deletion =
        usecase::delete_referral(&app.ledger, &SystemClock, &caller, found, &expected, &incoming.request_id).await?;
    match deletion {
        Deletion::Done => Ok(StatusCode::NO_CONTENT),
        Deletion::NotAllowed => Err(Problem::new(Code::Forbidden)),
        Deletion::Unexpected => Err(Problem::new(Code::PreconditionFailed)),
        Deletion::Converted => Err(Problem::new(Code::ReferralConverted)),
        Deletion::Gone => Err(Problem::new(Code::NotFound)),
    }
}
