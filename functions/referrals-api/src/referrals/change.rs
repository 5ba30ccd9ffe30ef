//! What every operation that changes a referral shares: find it, change it once, answer with it.

use axum::{http::StatusCode, response::Response};
use referrals::{
    domain::{
        access::Caller,
        change::{ReferralChange, Refused},
        id::ReferralId,
        referral::Referral,
    },
    http::{Code, FieldError, Problem},
    ports::Named,
    system::{RandomIds, SystemClock},
    usecase::{
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        find_referral::find_referral,
    },
};

use crate::{
    app::App,
    incoming::Incoming,
    once::{Answer, once},
    path_id::PathId,
    view::ReferralView,
};

/// # Errors
/// 404, 412, 409 or 422, as the rules have it.
pub async fn change(
    app: &App,
    caller: &Caller,
    id: PathId<ReferralId>,
    incoming: &Incoming,
    change: &ReferralChange,
) -> Result<Answer, Problem> {
    apply(app, caller, id, incoming, change, None).await
}

/// As [`change`], done once when the client has named the request.
///
/// # Errors
/// As [`change`], and 400 or 422 for the name.
pub async fn change_once(
    app: &App,
    caller: &Caller,
    id: PathId<ReferralId>,
    incoming: &Incoming,
    change: &ReferralChange,
) -> Result<Response, Problem> {
    let request = incoming.named(caller)?;
    let write_down = |referral: &Referral| answer(referral).written();
    let named = request.as_ref().map(|request| Named { request, write_down: &write_down });
    let work = Box::pin(apply(app, caller, id, incoming, change, named));
    once(app, caller, request.as_ref(), work).await
}

async fn apply(
    app: &App,
    caller: &Caller,
    id: PathId<ReferralId>,
    incoming: &Incoming,
    change: &ReferralChange,
    named: Option<Named<'_>>,
) -> Result<Answer, Problem> {
    let found = find_referral(&app.ledger, caller, &id.known()?).await?.ok_or(Code::NotFound)?;
    let expected = incoming.expected();
    let request = ChangeRequest { change, expected: &expected, request_id: &incoming.request_id, named };
    let outcome = change_referral(&app.ledger, &SystemClock, &RandomIds, caller, found, &request).await?;
    match outcome {
        ChangeOutcome::Done(referral) => Ok(answer(&referral)),
        ChangeOutcome::Gone => Err(Problem::new(Code::NotFound)),
        ChangeOutcome::PreconditionFailed => Err(Problem::new(Code::PreconditionFailed)),
        ChangeOutcome::Refused(refused) => Err(problem(refused)),
        ChangeOutcome::UnknownLead => Err(field("/referredPersonId", "unknown_id")),
        ChangeOutcome::DealTaken => Err(Problem::new(Code::DealAlreadyAttributed)),
        ChangeOutcome::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
    }
}

pub fn answer(referral: &Referral) -> Answer {
    Answer::resource(StatusCode::OK, &ReferralView::from(referral.clone()), referral.version)
}

fn field(pointer: &str, code: &'static str) -> Problem {
    Problem::fields(Code::InvalidFields, vec![FieldError::new(pointer, code)])
}

fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Transition { from, to } => Problem::invalid_transition(from, to),
        Refused::DealRequired => Problem::new(Code::DealRequired),
        Refused::DealAlreadyLinked => Problem::new(Code::DealAlreadyLinked),
        Refused::LostReasonRequired => field("/lostReason", "required"),
        Refused::NotLost => field("/lostReason", "only_when_lost"),
        Refused::RewardLocked => Problem::new(Code::RewardLocked),
        Refused::RewardValue => field("/rewardValue", "out_of_range"),
        Refused::SelfReferral => Problem::new(Code::SelfReferral),
        Refused::RewardTransition { from, to } => Problem::invalid_reward_transition(from, to),
        Refused::AcknowledgementRequired => Problem::new(Code::ComplianceAcknowledgementRequired),
    }
}
