//! `DELETE /api/reputation/referrals/{id}`.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use referrals::{
    domain::id::ReferralId,
    http::{Authenticated, Code, Problem, RequestId, expected_version},
    system::SystemClock,
    usecase::{
        delete_referral::{self as usecase, Deletion},
        find_referral::find_referral,
    },
};

use crate::{
    app::App,
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
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let found = find_referral(&app.ledger, &caller, &id.known()?).await?.ok_or(Code::NotFound)?;
    let expected = expected_version(&headers);
    let deletion =
        usecase::delete_referral(&app.ledger, &SystemClock, &caller, found, &expected, &request_id.0).await?;
    match deletion {
        Deletion::Done => Ok(StatusCode::NO_CONTENT),
        Deletion::NotAllowed => Err(Problem::new(Code::Forbidden)),
        Deletion::PreconditionFailed => Err(Problem::new(Code::PreconditionFailed)),
        Deletion::Converted => Err(Problem::new(Code::ReferralConverted)),
        Deletion::Gone => Err(Problem::new(Code::NotFound)),
    }
}
