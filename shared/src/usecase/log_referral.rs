//! An agent logs a referral that came by word of mouth.
//!
//! What an agent logs is never swallowed: what looks like a referral that is there already becomes a row with a flag.

use super::{
    attempts::{Attempts, gave_up},
    record_referral::Identity,
};
use crate::{
    domain::{
        access::Caller,
        audit::Actor,
        calendar::Zone,
        contact::{Contact, ContactKey},
        duplicate::PairKey,
        id::{PersonId, UserId},
        person::Person,
        referral::{Channel, NewReferral, Referral, RiskFlag},
        text::{Notes, PersonName},
        time::Timestamp,
    },
    ports::{
        Clock, Ids, Named, PersonReader, ReferralRecorder, ReferralWrite, ReferralWriteOutcome, ReferrerWrite,
        StoreError,
    },
};

/// Who sent the friend, as the agent says it.
#[derive(Debug, Clone)]
pub enum Advocate {
    Known(PersonId),
    /// Somebody who may be known: found by address, else by number, or created.
    Described {
        name: PersonName,
        contact: Contact,
    },
}

/// What the agent filled in; all fields are valid.
#[derive(Debug, Clone)]
pub struct Entry {
    pub referrer: Advocate,
    pub agent_user_id: UserId,
    pub referred_name: PersonName,
    pub referred_contact: Contact,
    pub notes: Option<Notes>,
    /// The organization's, whose month it counts in.
    pub zone: Zone,
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
    /// The client's name for the request has been used.
    KeyReused,
}

/// # Errors
/// When the store does not answer, or somebody else changes the same people all the time. Nothing was written then,
/// unless the answer to the write was lost.
pub async fn log_referral(
    store: &(impl PersonReader + ReferralRecorder),
    clock: &impl Clock,
    ids: &impl Ids,
    caller: &Caller,
    entry: &Entry,
    request_id: &str,
    named: Option<Named<'_>>,
) -> Result<Logged, StoreError> {
    if !caller.may_act_for(&entry.agent_user_id) {
        return Ok(Logged::NotAllowed);
    }
    let identity = Identity::new(ids, clock.now(), request_id, Actor::Member(caller.user.clone()));
    let stranger_id = PersonId::from_ulid(ids.ulid(identity.at));
    let Some(mut referrer) = Referrer::find(store, caller, entry, &stranger_id, identity.at).await? else {
        return Ok(Logged::UnknownReferrer);
    };
    let mut is_duplicate = false;
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let guard = referrer.contact.identity().filter(|_| !is_duplicate).map(|key| {
            identity.guard(PairKey::new(&entry.agent_user_id, &key, &entry.referred_name, &entry.referred_contact))
        });
        let mut flags = referrer.flags(entry);
        flags.extend(is_duplicate.then_some(RiskFlag::PossibleDuplicate));
        let new = NewReferral {
            referrer_person_id: referrer.id.clone(),
            referred_name: entry.referred_name.clone(),
            referred_contact: entry.referred_contact.clone(),
            agent_user_id: entry.agent_user_id.clone(),
            channel: Channel::Manual,
            notes: entry.notes.clone(),
        };
        let (referral, audit, event) =
            identity.rows(caller.scope.organization(), &entry.zone, new, &flags, guard.as_ref())?;
        let write = ReferralWrite {
            remembered: named.as_ref().map(|named| named.answer(&referral, Some(&referral.id), identity.at)),
            referral,
            referrer: referrer.write.clone(),
            guard,
            check_agent: true,
            audit,
            event,
        };
        match store.record_referral(&caller.scope, &write).await? {
            ReferralWriteOutcome::Recorded => return Ok(Logged::Recorded(Box::new(write.referral))),
            ReferralWriteOutcome::KeyUsed(_) => return Ok(Logged::KeyReused),
            ReferralWriteOutcome::AgentMissing => return Ok(Logged::UnknownAgent),
            ReferralWriteOutcome::PairGuarded => is_duplicate = true,
            ReferralWriteOutcome::KeyTaken { key, .. } if Some(&key) != referrer.contact.identity().as_ref() => {
                referrer.go_without(&key);
            }
            // Somebody came or went since the lookup: look again.
            ReferralWriteOutcome::KeyTaken { .. } | ReferralWriteOutcome::ReferrerMissing => {
                match Referrer::find(store, caller, entry, &stranger_id, identity.at).await? {
                    Some(found) => referrer = found,
                    None => return Ok(Logged::UnknownReferrer),
                }
            }
        }
    }
    Err(gave_up("logging a referral"))
}

/// The referrer of one attempt.
struct Referrer {
    id: PersonId,
    /// What they can be recognized by in a public submission. Without any there is nothing to guard against.
    contact: Contact,
    write: ReferrerWrite,
    lost_a_key: bool,
}

impl Referrer {
    /// None when the id is nobody's.
    async fn find(
        store: &impl PersonReader,
        caller: &Caller,
        entry: &Entry,
        stranger_id: &PersonId,
        at: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let (name, contact) = match &entry.referrer {
            Advocate::Known(id) => {
                let found = store.find_person(&caller.scope, id).await?;
                return Ok(found.filter(|person| !person.is_erased()).map(Self::known));
            }
            Advocate::Described { name, contact } => (name, contact),
        };
        if let Some(key) = contact.identity()
            && let Some(holder) = store.find_key_holder(&caller.scope, &key).await?
            && let Some(person) = store.find_person(&caller.scope, &holder).await?
        {
            return Ok(Some(Self::known(person)));
        }
        let organization = caller.scope.organization().clone();
        let mut person = Person::new(stranger_id.clone(), organization, name.clone(), contact.clone(), at);
        person.total_referrals = 1;
        let write = ReferrerWrite::Create { keys: contact.keys(), person: Box::new(person), consents: Vec::new() };
        Ok(Some(Self { id: stranger_id.clone(), contact: contact.clone(), write, lost_a_key: false }))
    }

    fn known(person: Person) -> Self {
        Self {
            contact: Contact { email: person.email, phone: person.phone },
            write: ReferrerWrite::Credit(person.id.clone()),
            id: person.id,
            lost_a_key: false,
        }
    }

    /// A number that belongs to somebody else: the new person goes without that key.
    fn go_without(&mut self, key: &ContactKey) {
        if let ReferrerWrite::Create { keys, .. } = &mut self.write {
            keys.retain(|own| own != key);
        }
        self.lost_a_key = true;
    }

    fn flags(&self, entry: &Entry) -> Vec<RiskFlag> {
        let is_self = self.contact.is_same_person(&entry.referred_contact);
        let flags = [(is_self, RiskFlag::SelfReferral), (self.lost_a_key, RiskFlag::PossibleDuplicatePerson)];
        flags.into_iter().filter(|(is_raised, _)| *is_raised).map(|(_, flag)| flag).collect()
    }
}
