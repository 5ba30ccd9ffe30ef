//! What is taken out of the ledger when a person is erased, and what stays: ids, codes, counts and times, so that reports
//! still add up, and the word of somebody who wanted no messages.

use super::{
    consent::{ConsentChannel, ConsentDecision, ConsentEntry, ConsentMethod},
    contact::{Contact, ContactKey},
    id::PersonId,
    lifecycle::{Mover, may_move},
    message::Message,
    person::Person,
    person_change::{ChangeOrigin, ChangedPerson},
    referral::{Referral, ReferralStatus},
    text::PersonName,
    time::Timestamp,
};

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
            let decisions = consents.iter().filter(|entry| entry.channel == channel);
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
    /// The row without what anybody typed about its people, and without who was referred where that is `person`. None when
    /// there is nothing of it.
    #[must_use]
    pub fn erased(&self, person: &PersonId, at: Timestamp) -> Option<Self> {
        let mut next = self.without_texts();
        if next.referred_person_id.as_ref() == Some(person) {
            next.referred_name = PersonName::erased();
            next.referred_contact = Contact::default();
        }
        if next == *self {
            return None;
        }
        next.touch(at);
        Some(next)
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
    /// Whether it came through a public form before `cutoff` and nobody has taken it up.
    #[must_use]
    pub fn is_untriaged_since(&self, cutoff: Timestamp) -> bool {
        let is_open = may_move(self.status, ReferralStatus::Lost, Mover::Clock);
        is_open && self.channel.is_public() && self.created_at < cutoff
    }

    /// Closed, because nobody took it up, and without what anybody typed.
    #[must_use]
    pub fn expired(&self, at: Timestamp) -> Self {
        let mut next = self.without_texts();
        next.referred_name = PersonName::erased();
        next.referred_contact = Contact::default();
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
    /// Whether its evidence is what somebody typed. Of the others it is the id of a request or of a message.
    #[must_use]
    pub fn has_typed_evidence(&self) -> bool {
        self.evidence.is_some() && matches!(self.method, ConsentMethod::Agent | ConsentMethod::Import)
    }
}
