//! An agent changes a referral: moves it in its lifecycle, corrects it, links it to its lead or its deal.
//!
//! The rules are `domain::change`'s. Here is what follows from a change: flags, history and event, in one transaction with
//! the row, which is replaced only in the version that was read.

use super::{
    attempts::{Attempts, gave_up, pause},
    contest::{contest, others_of},
    find_referral::find_referral,
    record_referral::new_event,
};
use crate::{
    domain::{
        access::Caller,
        audit::{Actor, AuditAction, AuditEntry},
        change::{Changed, ReferralChange, Refused},
        contact::Contact,
        id::EventId,
        referral::{Referral, ReferralStatus, RiskFlag},
        time::Timestamp,
        version::Expected,
    },
    events::{EventData, Metadata, NewEvent, ReferralConvertedV1, ReferralStatusChangedV1},
    ports::{
        AnswerBook, Clock, Ids, LeadMove, Named, PersonReader, ReferralEditor, ReferralReader, ReferralRevision,
        RevisionOutcome, StoreError,
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
    Unexpected,
    Refused(Refused),
    /// The organization has no such person.
    UnknownLead,
    /// The deal belongs to another referral.
    DealTaken,
    /// The client's name for the request has been used.
    NameTaken,
}

/// `found` is the referral as the caller was allowed to see it.
///
/// # Errors
/// When the store does not answer, or the row keeps moving. Nothing was written then, unless the answer to the write was
/// lost.
pub async fn change_referral(
    store: &(impl ReferralReader + PersonReader + ReferralEditor + AnswerBook),
    clock: &impl Clock,
    ids: &impl Ids,
    caller: &Caller,
    found: Referral,
    request: &ChangeRequest<'_>,
) -> Result<ChangeOutcome, StoreError> {
    let at = clock.now();
    let event = EventId::from_ulid(ids.ulid(at));
    let id = found.id.clone();
    let mut found = Some(found);
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(referral) = found.take() else { return Ok(ChangeOutcome::Gone) };
        if !request.expected.admits(referral.version) {
            return Ok(ChangeOutcome::Unexpected);
        }
        let changed = match referral.changed(request.change, at) {
            Err(refused) => return Ok(ChangeOutcome::Refused(refused)),
            Ok(None) => return unchanged(store, caller, referral, request, at).await,
            Ok(Some(changed)) => changed,
        };
        let Some(revision) = revise(store, caller, &referral, changed, request, &event, at).await? else {
            return Ok(ChangeOutcome::UnknownLead);
        };
        match store.revise_referral(&caller.scope, &revision).await? {
            RevisionOutcome::Written => return Ok(ChangeOutcome::Done(Box::new(revision.referral))),
            RevisionOutcome::KeyUsed(_) => return Ok(ChangeOutcome::NameTaken),
            RevisionOutcome::DealTaken => return Ok(ChangeOutcome::DealTaken),
            RevisionOutcome::Stale => pause().await,
        }
        found = find_referral(store, caller, &id).await?;
    }
    Err(gave_up("changing a referral"))
}

/// Nothing to write but the answer, where the client has named the request.
async fn unchanged(
    store: &impl AnswerBook,
    caller: &Caller,
    referral: Referral,
    request: &ChangeRequest<'_>,
    at: Timestamp,
) -> Result<ChangeOutcome, StoreError> {
    if let Some(named) = &request.named
        && store.remember_answer(&caller.scope, &named.answer(&referral, at), at).await?.is_some()
    {
        return Ok(ChangeOutcome::NameTaken);
    }
    Ok(ChangeOutcome::Done(Box::new(referral)))
}

/// None when the new lead is nobody of the organization.
async fn revise(
    store: &(impl ReferralReader + PersonReader),
    caller: &Caller,
    before: &Referral,
    changed: Changed,
    request: &ChangeRequest<'_>,
    event: &EventId,
    at: Timestamp,
) -> Result<Option<ReferralRevision>, StoreError> {
    let Changed { mut referral, fields, moved } = changed;
    let mut lead = LeadMove::default();
    let mut contested = Vec::new();
    if referral.referred_person_id != before.referred_person_id {
        lead.from.clone_from(&before.referred_person_id);
        if let Some(id) = &referral.referred_person_id {
            let Some(mut person) = store.find_person(&caller.scope, id).await? else { return Ok(None) };
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
            referral.risk_flags.insert(RiskFlag::SelfReferral);
        }
    }
    let deal_changes = referral.resulting_deal_id != before.resulting_deal_id;
    let new_event = moved.map(|moved| announce(&referral, moved, event, at)).transpose()?;
    let entry = |action, from: Option<String>, to: Option<String>| AuditEntry {
        at,
        actor: Actor::Member(caller.user.clone()).to_string(),
        action,
        from,
        to,
        fields: Vec::new(),
        deal_id: None,
        note: None,
        request_id: request.request_id.to_owned(),
        event_id: None,
    };
    let status = |status: ReferralStatus| Some(status.as_str().to_owned());
    let own = AuditEntry {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        deal_id: referral.resulting_deal_id.clone().filter(|_| deal_changes),
        note: request.change.lost_reason.clone().filter(|_| referral.status == ReferralStatus::Lost),
        event_id: new_event.as_ref().map(|event| event.id.as_str().to_owned()),
        ..match moved {
            Some((from, to)) => entry(AuditAction::StatusChanged, status(from), status(to)),
            None => entry(AuditAction::Edited, None, None),
        }
    };
    let flagged =
        |rival: &Referral| (rival.id.clone(), entry(AuditAction::Flagged, None, Some("CONTESTED".to_owned())));
    let audit = [(referral.id.clone(), own)].into_iter().chain(contested.iter().map(flagged)).collect();
    let remembered = request.named.as_ref().map(|named| named.answer(&referral, at));
    Ok(Some(ReferralRevision {
        unlinked_deal: before.resulting_deal_id.clone().filter(|_| deal_changes),
        linked_deal: referral.resulting_deal_id.clone().filter(|_| deal_changes),
        referral,
        lead,
        contested,
        audit,
        event: new_event,
        remembered,
    }))
}

fn announce(
    referral: &Referral,
    (from, to): (ReferralStatus, ReferralStatus),
    id: &EventId,
    at: Timestamp,
) -> Result<NewEvent, StoreError> {
    let metadata = |version| Metadata {
        id: id.clone(),
        version,
        occurred_at: at,
        organization_id: referral.organization_id.clone(),
        subject: referral.id.as_str().to_owned(),
        aggregate_version: referral.version,
        causation_id: None,
        traceparent: None,
    };
    let (referral_id, referrer_person_id) = (referral.id.clone(), referral.referrer_person_id.clone());
    let agent_user_id = referral.agent_user_id.clone();
    if let (ReferralStatus::Converted, Some(deal)) = (to, &referral.resulting_deal_id) {
        let deal_id = deal.clone();
        let data = ReferralConvertedV1 { referral_id, referrer_person_id, agent_user_id, deal_id, from };
        return new_event(metadata(ReferralConvertedV1::VERSION), data);
    }
    let data = ReferralStatusChangedV1 { referral_id, referrer_person_id, agent_user_id, from, to };
    new_event(metadata(ReferralStatusChangedV1::VERSION), data)
}
