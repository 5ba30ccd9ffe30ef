//! An agent logs a referral that came by word of mouth.
//!
//! What an agent logs is never swallowed: what looks like a referral that is there already becomes a row with a flag.

use super::record_referral::Identity;
use crate::{
    domain::{
        access::Caller,
        audit::Actor,
        contact::Contact,
        duplicate::PairKey,
        id::{PersonId, UserId},
        referral::{Channel, NewReferral, Referral, RiskFlag},
        text::{Notes, PersonName},
    },
    ports::{
        Clock, Ids, PersonReader, ReferralRecorder, ReferralWrite, ReferralWriteOutcome, ReferrerWrite, StoreError,
    },
};

/// What the agent filled in; all fields are valid.
#[derive(Debug, Clone)]
pub struct Entry {
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
    pub referred_name: PersonName,
    pub referred_contact: Contact,
    pub notes: Option<Notes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    Recorded(Box<Referral>),
    /// Only owners and admins log for somebody else.
    NotAllowed,
    /// The organization has no such person.
    UnknownReferrer,
    /// The organization has no such active member.
    UnknownAgent,
}

/// # Errors
/// When the store does not answer. Nothing was written then, unless the answer to the write was lost.
pub async fn log_referral(
    store: &(impl PersonReader + ReferralRecorder),
    clock: &impl Clock,
    ids: &impl Ids,
    caller: &Caller,
    entry: &Entry,
    request_id: &str,
) -> Result<Logged, StoreError> {
    if !caller.may_act_for(&entry.agent_user_id) {
        return Ok(Logged::NotAllowed);
    }
    let Some(referrer) = store.find_person(&caller.scope, &entry.referrer_person_id).await? else {
        return Ok(Logged::UnknownReferrer);
    };
    let known = Contact { email: referrer.email.clone(), phone: referrer.phone.clone() };
    let identity = Identity::new(ids, clock.now(), request_id, Actor::Member(caller.user.clone()));
    // A referrer of whom no address and no number is known cannot be recognized in a public submission, so there is
    // nothing to guard against.
    let mut guard = known.identity().map(|key| {
        identity.guard(PairKey::new(&entry.agent_user_id, &key, &entry.referred_name, &entry.referred_contact))
    });
    let mut flags = Vec::new();
    if known.is_same_person(&entry.referred_contact) {
        flags.push(RiskFlag::SelfReferral);
    }

    // At most twice: without a guard nothing can be guarded.
    loop {
        let new = NewReferral {
            referrer_person_id: referrer.id.clone(),
            referred_name: entry.referred_name.clone(),
            referred_contact: entry.referred_contact.clone(),
            agent_user_id: entry.agent_user_id.clone(),
            channel: Channel::Manual,
            notes: entry.notes.clone(),
        };
        let (referral, audit, event) = identity.rows(caller.scope.organization(), new, &flags)?;
        let write = ReferralWrite {
            referral,
            referrer: ReferrerWrite::Credit(referrer.id.clone()),
            guard: guard.take(),
            remembered: None,
            check_agent: true,
            audit,
            event,
        };
        match store.record_referral(&caller.scope, &write).await? {
            ReferralWriteOutcome::Recorded => return Ok(Logged::Recorded(Box::new(write.referral))),
            ReferralWriteOutcome::PairGuarded if write.guard.is_some() => flags.push(RiskFlag::PossibleDuplicate),
            ReferralWriteOutcome::AgentMissing => return Ok(Logged::UnknownAgent),
            ReferralWriteOutcome::ReferrerMissing => return Ok(Logged::UnknownReferrer),
            ReferralWriteOutcome::PairGuarded
            | ReferralWriteOutcome::KeyUsed(_)
            | ReferralWriteOutcome::KeyTaken { .. } => {
                let reason = "an outcome that this write cannot have".to_owned();
                return Err(StoreError::Failed { operation: "logging a referral", reason });
            }
        }
    }
}
