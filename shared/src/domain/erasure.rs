//! What is taken out of the ledger when a person is erased, and what stays: ids, codes, counts and times, so that reports
//! still add up, and the word of somebody who wanted no messages.

use super::{
    audit::{AuditAction, AuditEntry},
    consent::{ConsentChannel, ConsentDecision, ConsentEntry, ConsentMethod},
    contact::{Contact, ContactKey},
    id::PersonId,
    lifecycle::{Mover, may_move},
    message::Message,
    person::Person,
    person_change::{ADDRESS_CHANGED, ChangeOrigin, ChangedPerson},
    referral::{Referral, ReferralStatus},
    text::PersonName,
    time::Timestamp,
};

/// What a referral shows of whom it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    name: PersonName,
    contact: Contact,
    is_erased: bool,
}

impl Referred {
    #[must_use]
    pub fn nobody() -> Self {
        Self { name: PersonName::erased(), contact: Contact::default(), is_erased: true }
    }

    #[must_use]
    pub fn of(lead: &Person) -> Self {
        let contact = Contact { email: lead.email.clone(), phone: lead.phone.clone() };
        Self { name: lead.name.clone(), contact, is_erased: lead.is_erased() }
    }
}

/// A person as nobody, and the addresses that stay closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedPerson {
    pub changed: ChangedPerson,
    /// Of channels on which this person had said no: who comes back under the address is not written to.
    pub suppressed: Vec<ContactKey>,
}

impl Person {
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.erased_at.is_some()
    }

    /// The person without name, address and number. None for one that is erased already. `consents` are their entries.
    #[must_use]
    pub fn erased(&self, consents: &[ConsentEntry], origin: ChangeOrigin<'_>) -> Option<ErasedPerson> {
        if self.is_erased() {
            return None;
        }
        let said_no = |channel: ConsentChannel| {
            // That consent did not move to another address is nobody's no.
            let decisions = consents.iter().filter(|entry| entry.channel == channel && !entry.is_left_behind());
            let last = decisions.max_by_key(|entry| entry.at).map(|entry| entry.decision);
            self.do_not_contact || (!self.has_consent(channel) && last == Some(ConsentDecision::Revoked))
        };
        let suppressed = ConsentChannel::ALL.into_iter().filter(|channel| said_no(*channel));
        let suppressed = suppressed.filter_map(|channel| self.address(channel)).collect();
        let mut next = self.clone();
        next.name = PersonName::erased();
        (next.email, next.phone) = (None, None);
        next.do_not_contact = true;
        next.erased_at = Some(origin.at);
        let entries = next.consents_left_behind(self, origin);
        next.touch(origin.at);
        let changed = ChangedPerson {
            person: next,
            gained: Vec::new(),
            released: self.contact_keys(),
            consents: entries,
            new_owner: None,
        };
        Some(ErasedPerson { changed, suppressed })
    }
}

impl Referral {
    /// The row without what anybody typed about its people, and with `referred` in the place of who was referred. None when
    /// that is what it is.
    #[must_use]
    pub fn erased(&self, referred: Option<&Referred>, at: Timestamp) -> Option<Self> {
        let mut next = self.without_texts();
        if let Some(referred) = referred {
            next.show(referred);
        }
        if next == *self {
            return None;
        }
        next.touch(at);
        Some(next)
    }

    /// Whether it shows one of `keys`, which are the person's, as that of who was referred, though they are not its lead.
    #[must_use]
    pub fn shows_unlinked(&self, person: &PersonId, keys: &[ContactKey]) -> bool {
        let is_lead = self.referred_person_id.as_ref() == Some(person);
        !is_lead && self.referred_contact.keys().iter().any(|key| keys.contains(key))
    }

    /// Whether it shows somebody else than `before` as whom it is about: another name, and no address or number that it had.
    #[must_use]
    pub fn shows_another_than(&self, before: &Self) -> bool {
        let had = before.referred_contact.keys();
        self.referred_name != before.referred_name && !self.referred_contact.keys().iter().any(|key| had.contains(key))
    }

    /// Who was referred, unless they were taken out.
    #[must_use]
    pub fn known_referred_name(&self) -> Option<&PersonName> {
        Some(&self.referred_name).filter(|_| !self.referred_erased)
    }

    fn show(&mut self, referred: &Referred) {
        let Referred { name, contact, is_erased } = referred;
        (self.referred_name, self.referred_contact) = (name.clone(), contact.clone());
        self.referred_erased = *is_erased;
    }

    fn without_texts(&self) -> Self {
        let mut next = self.clone();
        (next.notes, next.lost_reason) = (None, None);
        // Some systems call a record after a person. That it was imported is still known by that name's digest.
        next.origin = None;
        // A digest of names and addresses: whoever guesses them could tell.
        next.guarded_pair = None;
        next
    }
}

impl Referral {
    /// Whether it came through a public form before `cutoff` and nobody has taken it up, as far as the row tells.
    #[must_use]
    pub fn is_open_since(&self, cutoff: Timestamp) -> bool {
        let is_open = may_move(self.status, ReferralStatus::Lost, Mover::Clock) && self.resulting_deal_id.is_none();
        is_open && self.channel.is_public() && self.created_at < cutoff
    }

    /// The same, and no member has done anything about it: `history` are its entries.
    #[must_use]
    pub fn is_untriaged_since(&self, cutoff: Timestamp, history: &[AuditEntry]) -> bool {
        let is_work = |entry: &AuditEntry| entry.is_by_member() && entry.action != AuditAction::Erased;
        self.is_open_since(cutoff) && !history.iter().any(is_work)
    }

    /// What was so only while it was lost. The history keeps the reason; who is in it is needed again.
    pub(super) fn leave_lost(&mut self) {
        self.lost_reason = None;
        self.expired_at = None;
    }

    /// Closed, because nobody took it up, and without what anybody typed.
    #[must_use]
    pub fn expired(&self, at: Timestamp) -> Self {
        let mut next = self.without_texts();
        next.show(&Referred::nobody());
        next.status = ReferralStatus::Lost;
        next.expired_at = Some(at);
        next.touch(at);
        next
    }
}

impl Message {
    /// The message without where it was sent. None where it was not for `person`, or says nothing of it.
    #[must_use]
    pub fn erased(&self, person: &PersonId, at: Timestamp) -> Option<Self> {
        if self.person_id.as_ref() != Some(person) || self.sent_to == Contact::default() {
            return None;
        }
        let mut next = self.clone();
        next.sent_to = Contact::default();
        next.version = next.version.saturating_add(1);
        next.updated_at = next.updated_at.max(at);
        Some(next)
    }
}

impl ConsentEntry {
    /// Whether its evidence is what somebody typed. Of the others it is the id of a request or of a message, or our own word.
    #[must_use]
    pub fn has_typed_evidence(&self) -> bool {
        let is_typed = matches!(self.method, ConsentMethod::Agent | ConsentMethod::Import) && !self.is_left_behind();
        self.evidence.is_some() && is_typed
    }

    /// Whether consent only ended because the address that it was for did.
    fn is_left_behind(&self) -> bool {
        self.evidence.as_ref().is_some_and(|evidence| evidence.as_str() == ADDRESS_CHANGED)
    }
}

#[cfg(test)]
mod tests;
