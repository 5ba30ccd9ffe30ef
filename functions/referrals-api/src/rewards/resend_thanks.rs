//! `POST /api/reputation/referrals/{id}/reward/resend-thanks`.

use axum::{extract::State, response::Response};
use referrals::{
    domain::{access::Caller, id::ReferralId, referral::Referral, text::Reason},
    http::{Authenticated, Code, Problem},
    ports::Named,
    system::{RandomIds, SystemClock},
    usecase::{
        find_referral::find_referral,
        resend_thanks::{ResendRequest, Resending, resend_thanks as resend},
    },
};

use super::reason::ReasonForm;
use crate::{
    app::App,
    incoming::Incoming,
    once::{Answer, once},
    openapi::{IdempotencyKey, IfMatch, ReferralPath},
    path_id::PathId,
    referrals::change::answer,
    view::ReferralView,
};

/// Has the thank-yous tried again that were skipped, refused, or never answered, with the reason. Those that were accepted
/// are left alone.
#[utoipa::path(
    post,
    path = "/api/reputation/referrals/{id}/reward/resend-thanks",
    tag = "rewards",
    params(ReferralPath, IdempotencyKey, IfMatch),
    request_body = ReasonForm,
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn resend_thanks(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let reason = ReasonForm::read(&incoming)?;
    let request = incoming.named(&caller)?;
    let write_down = |referral: &Referral| answer(referral).written();
    let named = request.as_ref().map(|request| Named { request, write_down: &write_down });
    let work = Box::pin(apply(&app, &caller, id, &incoming, &reason, named));
    once(&app, &caller, request.as_ref(), work).await
}

async fn apply(
    app: &App,
    caller: &Caller,
    id: PathId<ReferralId>,
    incoming: &Incoming,
    reason: &Reason,
    named: Option<Named<'_>>,
) -> Result<Answer, Problem> {
    let found = find_referral(&app.ledger, caller, &id.known()?).await?.ok_or(Code::NotFound)?;
    let expected = incoming.expected();
    let request = ResendRequest { reason, expected: &expected, request_id: &incoming.request_id, named };
    match resend(&app.ledger, &SystemClock, &RandomIds, caller, found, &request).await? {
        Resending::Requested(referral) => Ok(answer(&referral)),
        Resending::Gone => Err(Problem::new(Code::NotFound)),
        Resending::PreconditionFailed => Err(Problem::new(Code::PreconditionFailed)),
        Resending::NotSent => Err(Problem::new(Code::RewardNotSent)),
        Resending::Nothing => Err(Problem::new(Code::NothingToResend)),
        Resending::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
    }
}
