//! An agent changes a referral: moves it in its lifecycle, corrects it, links it to its lead or its deal.
//!
//! The rules are `domain::change`'s. Here is what follows from a change: flags, history and event, in one transaction with
//! the row, which is replaced only in the version that was read.

use super::{
    attempts::{Attempts, gave_up, pause},
    contest::{contest, others_of},
    find_referral::find_referral,
    revise::Cause,
};
use crate::{
    domain::{
        access::Caller,
        audit::{Actor, AuditAction, AuditEntry},
        change::{Changed, ReferralChange, Refused},
        contact::Contact,
        lifecycle::Step,
        referral::{Referral, ReferralStatus},
        reward::RewardPolicy,
        time::Timestamp,
        version::Expected,
    },
    ports::{
        AnswerBook, Clock, FormerLead, Ids, LeadMove, Named, PersonReader, PolicyBook, ReferralEditor, ReferralReader,
        ReferralRevision, RememberOutcome, Revised, RevisionOutcome, StoreError,
    },
};

/// A change as it came in.
#[derive(Debug)]
pub struct ChangeRequest<'a> {
    pub change: &'a ReferralChange,
    pub expected: &'a Expected,
    /// The gateway's id of the request.
    pub request_id: &'a str,
    pub named: Option<Named<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// The referral as it is now, changed or not.
    Done(Box<Referral>),
    /// It went away meanwhile.
    Gone,
    /// It is in another version than the client expects.
    PreconditionFailed,
    Refused(Refused),
    /// The organization has no such person.
    UnknownLead,
    /// The deal belongs to another referral.
    DealTaken,
    /// The client's name for the request has been used.
    KeyReused,
}

/// `found` is the referral as the caller was allowed to see it.
///
/// # Errors
/// When the store does not answer, or the row keeps moving. Nothing was written then, unless the answer to the write was
/// lost.
pub async fn change_referral(
    store: &(impl ReferralReader + PersonReader + ReferralEditor + AnswerBook + PolicyBook),
    clock: &impl Clock,
    ids: &impl Ids,
    caller: &Caller,
    found: Referral,
    request: &ChangeRequest<'_>,
) -> Result<ChangeOutcome, StoreError> {
    let at = clock.now();
    let policy = read_policy(store, caller, request.change).await?;
    let id = found.id.clone();
    let mut found = Some(found);
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(referral) = found.take() else { return Ok(ChangeOutcome::Gone) };
        if !request.expected.admits(referral.version) {
            return Ok(ChangeOutcome::PreconditionFailed);
        }
        let changed = match referral.changed(request.change, &policy, at) {
            Err(refused) => return Ok(ChangeOutcome::Refused(refused)),
            Ok(changed) => changed,
        };
        if let Some(changed) = changed {
            let Some(revision) = revise(store, ids, caller, &referral, changed, request, at).await? else {
                return Ok(ChangeOutcome::UnknownLead);
            };
            match store.revise_referral(&caller.scope, &revision).await? {
                RevisionOutcome::Written => return Ok(ChangeOutcome::Done(Box::new(revision.referral.row))),
                RevisionOutcome::KeyUsed(_) => return Ok(ChangeOutcome::KeyReused),
                RevisionOutcome::DealTaken => return Ok(ChangeOutcome::DealTaken),
                RevisionOutcome::Stale => {}
            }
        } else if let Some(outcome) = unchanged(store, caller, referral, request, at).await? {
            return Ok(outcome);
        }
        pause().await;
        found = find_referral(store, caller, &id).await?;
    }
    Err(gave_up("changing a referral"))
}

/// The policy is asked for only where a referral may convert.
async fn read_policy(
    store: &impl PolicyBook,
    caller: &Caller,
    change: &ReferralChange,
) -> Result<RewardPolicy, StoreError> {
    match change.step.map(Step::target) {
        Some(ReferralStatus::Converted) => store.find_policy(&caller.scope).await,
        _ => Ok(RewardPolicy::default_of(caller.scope.organization().clone())),
    }
}

/// Nothing to write but the answer, where the client has named the request. None when the referral moved meanwhile.
async fn unchanged(
    store: &impl AnswerBook,
    caller: &Caller,
    referral: Referral,
    request: &ChangeRequest<'_>,
    at: Timestamp,
) -> Result<Option<ChangeOutcome>, StoreError> {
    if let Some(named) = &request.named {
        let answer = named.answer(&referral, Some(&referral.id), at);
        match store.remember_answer(&caller.scope, &answer, &referral, at).await? {
            RememberOutcome::Remembered => {}
            RememberOutcome::KeyUsed(_) => return Ok(Some(ChangeOutcome::KeyReused)),
            RememberOutcome::Stale => return Ok(None),
        }
    }
    Ok(Some(ChangeOutcome::Done(Box::new(referral))))
}

/// None when the new lead is nobody of the organization.
async fn revise(
    store: &(impl ReferralReader + PersonReader),
    ids: &impl Ids,
    caller: &Caller,
    before: &Referral,
    changed: Changed,
    request: &ChangeRequest<'_>,
    at: Timestamp,
) -> Result<Option<ReferralRevision>, StoreError> {
    let Changed { mut referral, fields } = changed;
    let mut lead = LeadMove::default();
    let mut contested = Vec::new();
    if referral.referred_person_id != before.referred_person_id {
        let shows_another = referral.shows_another_than(before);
        lead.from = before.referred_person_id.clone().map(|person| FormerLead { person, shows_another });
        if let Some(id) = &referral.referred_person_id {
            let found = store.find_person(&caller.scope, id).await?;
            let Some(mut person) = found.filter(|person| !person.is_erased()) else { return Ok(None) };
            let others = others_of(store, &caller.scope, id, &referral).await?;
            contested = contest(&mut referral, others, at);
            person.enter_pipeline(&referral.agent_user_id);
            // Always a new version, so that two links to one lead that are made together see each other.
            person.touch(at);
            lead.to = Some(Box::new(person));
        }
    }
    if fields.contains(&"referredContact") {
        let referrer = store.find_person(&caller.scope, &referral.referrer_person_id).await?;
        let known = referrer.map(|person| Contact { email: person.email, phone: person.phone }).unwrap_or_default();
        if known.is_same_person(&referral.referred_contact) {
            // A reward that came up by this very change did not know yet.
            referral.flag_self_referral();
        }
    }
    let cause = Cause {
        at,
        actor: Actor::Member(caller.user.clone()),
        request_id: request.request_id,
        event: None,
        note: request.change.reason().cloned(),
    };
    let traces = cause.traces(ids, before, &referral, &fields)?;
    let flagged = |rival: &Revised| {
        let entry = AuditEntry { to: Some("CONTESTED".to_owned()), ..cause.entry(AuditAction::Flagged) };
        (rival.row.id.clone(), entry)
    };
    let own = traces.audit.into_iter().map(|entry| (referral.id.clone(), entry));
    let audit = own.chain(contested.iter().map(flagged)).collect();
    let remembered = request.named.as_ref().map(|named| named.answer(&referral, Some(&referral.id), at));
    let deal_changes = referral.resulting_deal_id != before.resulting_deal_id;
    Ok(Some(ReferralRevision {
        unlinked_deal: before.resulting_deal_id.clone().filter(|_| deal_changes),
        linked_deal: referral.resulting_deal_id.clone().filter(|_| deal_changes),
        referral: Revised::new(before, referral),
        lead,
        contested,
        audit,
        events: traces.events,
        remembered,
    }))
}
