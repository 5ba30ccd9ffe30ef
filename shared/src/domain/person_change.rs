//! What may change of a person, and what becomes of it: the fields, the keys by which the person is found, and
//! their consent, which is for an address and never moves to another.

use super::{
    audit::Actor,
    change::Patch,
    consent::{ConsentChange, ConsentChannel, ConsentDecision, ConsentEntry, ConsentMethod},
    contact::ContactKey,
    email::Email,
    id::UserId,
    person::Person,
    phone::Phone,
    text::{PersonName, Reason},
    time::Timestamp,
};

/// Evidence of a revocation that nobody asked for.
pub(super) const ADDRESS_CHANGED: &str = "The address or number that it was given for is not there any more.";

/// A patch of one person; every value in it is valid by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonEdit {
    pub name: Option<PersonName>,
    pub email: Patch<Email>,
    pub phone: Patch<Phone>,
    pub owner_user_id: Patch<UserId>,
    pub do_not_contact: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonChange {
    Edit(PersonEdit),
    Consent(ConsentChange),
}

/// Where a change comes from.
#[derive(Debug, Clone, Copy)]
pub struct ChangeOrigin<'a> {
    /// How a decision about consent reached us.
    pub method: ConsentMethod,
    pub actor: &'a Actor,
    pub at: Timestamp,
    /// The gateway's id of the request, or the id of the event that caused it.
    pub request_id: &'a str,
}

/// There is nothing to write to on the channel that consent is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAddress;

/// A person after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPerson {
    pub person: Person,
    /// Keys that the person shall hold by this.
    pub gained: Vec<ContactKey>,
    /// Keys of what the person does not show any more, whether or not they held them.
    pub released: Vec<ContactKey>,
    pub consents: Vec<ConsentEntry>,
    /// Who owns the person by this.
    pub new_owner: Option<UserId>,
}

impl Person {
    /// The person after `change`, one version on. None when nothing is other than before. What was decided about a
    /// channel is always written down: saying it again is another entry.
    ///
    /// # Errors
    /// When consent is given for a channel on which the person cannot be reached.
    pub fn changed(&self, change: &PersonChange, origin: ChangeOrigin<'_>) -> Result<Option<ChangedPerson>, NoAddress> {
        let mut next = self.clone();
        let consents = match change {
            PersonChange::Edit(edit) => {
                next.edit(edit);
                next.consents_left_behind(self, origin)
            }
            PersonChange::Consent(consent) => {
                if consent.granted && self.address(consent.channel).is_none() {
                    return Err(NoAddress);
                }
                vec![next.decide(consent, origin)]
            }
        };
        if next == *self && consents.is_empty() {
            return Ok(None);
        }
        next.touch(origin.at);
        let (before, after) = (self.contact_keys(), next.contact_keys());
        let without = |keys: &[ContactKey], others: &[ContactKey]| -> Vec<ContactKey> {
            keys.iter().filter(|key| !others.contains(key)).cloned().collect()
        };
        Ok(Some(ChangedPerson {
            gained: without(&after, &before),
            released: without(&before, &after),
            consents,
            new_owner: next.owner_user_id.clone().filter(|_| next.owner_user_id != self.owner_user_id),
            person: next,
        }))
    }

    fn edit(&mut self, edit: &PersonEdit) {
        if let Some(name) = &edit.name {
            self.name = name.clone();
        }
        edit.email.apply(&mut self.email);
        edit.phone.apply(&mut self.phone);
        edit.owner_user_id.apply(&mut self.owner_user_id);
        self.do_not_contact = edit.do_not_contact.unwrap_or(self.do_not_contact);
    }

    /// Consent was given for an address: whoever has it now has agreed to nothing.
    pub(super) fn consents_left_behind(&mut self, before: &Self, origin: ChangeOrigin<'_>) -> Vec<ConsentEntry> {
        let mut entries = Vec::new();
        for channel in ConsentChannel::ALL {
            if before.has_consent(channel) && before.address(channel) != self.address(channel) {
                let evidence = Reason::parse(ADDRESS_CHANGED).ok().flatten();
                entries.push(self.decide(&ConsentChange { channel, granted: false, text: None, evidence }, origin));
            }
        }
        entries
    }

    /// Sets the flag, and says why.
    fn decide(&mut self, change: &ConsentChange, origin: ChangeOrigin<'_>) -> ConsentEntry {
        self.set_consent(change.channel, change.granted);
        ConsentEntry {
            person_id: self.id.clone(),
            channel: change.channel,
            decision: if change.granted { ConsentDecision::Granted } else { ConsentDecision::Revoked },
            method: origin.method,
            actor: origin.actor.to_string(),
            consent_text_id: change.text,
            at: origin.at,
            request_id: origin.request_id.to_owned(),
            evidence: change.evidence.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        consent::ConsentText,
        contact::Contact,
        id::{OrgId, PersonId},
        phone::Region,
    };

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    fn phone(text: &str) -> Phone {
        Phone::parse(text, &Region::default()).unwrap()
    }

    fn user(id: &str) -> UserId {
        UserId::parse(id).unwrap()
    }

    fn person() -> Person {
        let contact = Contact { email: Some(email("pat@example.com")), phone: Some(phone("+14155552671")) };
        let mut person = Person::new(
            PersonId::parse("person_1").unwrap(),
            OrgId::parse("org_1").unwrap(),
            PersonName::parse("Pat Jones").unwrap(),
            contact,
            Timestamp::parse("2026-11-22T07:00:00Z").unwrap(),
        );
        person.email_marketing_consent = true;
        person.sms_marketing_consent = true;
        person.owner_user_id = Some(user("user_1"));
        person
    }

    fn change(person: &Person, change: &PersonChange) -> Result<Option<ChangedPerson>, NoAddress> {
        let at = person.created_at.plus_seconds(1);
        let actor = Actor::Member(user("user_9"));
        person
            .changed(change, ChangeOrigin { method: ConsentMethod::Agent, actor: &actor, at, request_id: "request-1" })
    }

    fn edit(person: &Person, edit: PersonEdit) -> Option<ChangedPerson> {
        change(person, &PersonChange::Edit(edit)).unwrap()
    }

    #[test]
    fn a_patch_that_says_what_is_there_changes_nothing() {
        let person = person();
        let same = PersonEdit {
            name: Some(person.name.clone()),
            email: Patch::Set(email("pat@example.com")),
            phone: Patch::Set(phone("(415) 555-2671")),
            owner_user_id: Patch::Set(user("user_1")),
            do_not_contact: Some(false),
        };
        assert_eq!(edit(&person, same), None);
        assert_eq!(edit(&person, PersonEdit::default()), None);
    }

    #[test]
    fn each_field_changes_alone_and_by_one_version() {
        let before = person();
        let name = PersonName::parse("Pat J. Jones").unwrap();
        let renamed = edit(&before, PersonEdit { name: Some(name.clone()), ..PersonEdit::default() }).unwrap().person;
        assert_eq!((renamed.version, renamed.updated_at), (2, before.created_at.plus_seconds(1)));
        assert_eq!(Person { version: 1, updated_at: before.updated_at, name: before.name.clone(), ..renamed }, before);
        let silenced = edit(&before, PersonEdit { do_not_contact: Some(true), ..PersonEdit::default() }).unwrap();
        assert!(silenced.person.do_not_contact && silenced.person.email_marketing_consent);
        assert_eq!((silenced.consents.len(), silenced.new_owner), (0, None));
        for (owner, after, new) in
            [(Patch::Set(user("user_2")), Some(user("user_2")), Some(user("user_2"))), (Patch::Clear, None, None)]
        {
            let owned = edit(&before, PersonEdit { owner_user_id: owner, ..PersonEdit::default() }).unwrap();
            assert_eq!((owned.person.owner_user_id, owned.new_owner), (after, new));
        }
    }

    /// Keys as short texts: what was gained, what was released, and the channels whose consent ended.
    fn moves(changed: &ChangedPerson) -> (Vec<String>, Vec<String>, Vec<&'static str>) {
        let text = |keys: &[ContactKey]| {
            let text = |key: &ContactKey| match key {
                ContactKey::Email(key) => key.as_str().to_owned(),
                ContactKey::Phone(phone) => phone.as_str().to_owned(),
            };
            keys.iter().map(text).collect::<Vec<_>>()
        };
        let ended = changed.consents.iter().map(|entry| entry.channel.as_str()).collect();
        (text(&changed.gained), text(&changed.released), ended)
    }

    #[test]
    fn consent_stays_with_the_address_that_it_was_given_for() {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (keep_email, keep_phone) = (Patch::Keep, Patch::Keep);
        for (email, phone, gained, released, ended) in [
            // Another spelling of one address is that address.
            (Patch::Set(email("PAT@example.com")), keep_phone.clone(), &[][..], &[][..], &[][..]),
            (
                Patch::Set(email("p.jones@example.com")),
                keep_phone.clone(),
                &["p.jones@example.com"],
                &["pat@example.com"],
                &["EMAIL"],
            ),
            (Patch::Clear, keep_phone, &[], &["pat@example.com"], &["EMAIL"]),
            (keep_email.clone(), Patch::Clear, &[], &["+14155552671"], &["SMS"]),
            (keep_email, Patch::Set(phone("+14155552672")), &["+14155552672"], &["+14155552671"], &["SMS"]),
            (Patch::Clear, Patch::Clear, &[], &["pat@example.com", "+14155552671"], &["EMAIL", "SMS"]),
        ] {
            let before = person();
            let changed = edit(&before, PersonEdit { email, phone, ..PersonEdit::default() }).unwrap();
            assert_eq!(moves(&changed), (owned(gained), owned(released), ended.to_vec()));
            for channel in ConsentChannel::ALL {
                let has_ended = changed.consents.iter().any(|entry| entry.channel == channel);
                assert_eq!(changed.person.has_consent(channel), !has_ended, "{ended:?}");
            }
            for entry in &changed.consents {
                assert_eq!((entry.decision, entry.method), (ConsentDecision::Revoked, ConsentMethod::Agent));
                assert_eq!((entry.actor.as_str(), entry.request_id.as_str()), ("user_9", "request-1"));
                assert_eq!((entry.consent_text_id, entry.at), (None, changed.person.updated_at));
                assert!(entry.evidence.is_some());
            }
        }
    }

    #[test]
    fn who_had_not_agreed_has_nothing_revoked() {
        let mut before = person();
        before.email_marketing_consent = false;
        let gone = PersonEdit { email: Patch::Clear, phone: Patch::Clear, ..PersonEdit::default() };
        assert_eq!(moves(&edit(&before, gone).unwrap()).2, ["SMS"]);
    }

    #[test]
    fn consent_is_given_where_there_is_an_address_and_taken_anywhere() {
        for channel in ConsentChannel::ALL {
            for (granted, reachable) in [(true, true), (true, false), (false, true), (false, false)] {
                let mut before = person();
                if !reachable {
                    (before.email, before.phone) = (None, None);
                }
                before.email_marketing_consent = false;
                before.sms_marketing_consent = false;
                let consent = ConsentChange {
                    channel,
                    granted,
                    text: granted.then_some(ConsentText::FormV1),
                    evidence: Reason::parse("said so on the phone").unwrap(),
                };
                let outcome = change(&before, &PersonChange::Consent(consent));
                if granted && !reachable {
                    assert_eq!(outcome, Err(NoAddress));
                    continue;
                }
                let changed = outcome.unwrap().unwrap();
                assert_eq!(changed.person.has_consent(channel), granted);
                assert_eq!((changed.consents.len(), changed.person.version), (1, 2));
                assert_eq!(changed.consents[0].decision == ConsentDecision::Granted, granted);
                assert_eq!((changed.gained.len(), changed.released.len()), (0, 0));
            }
        }
    }
}
