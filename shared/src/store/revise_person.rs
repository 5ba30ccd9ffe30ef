//! Changing a person, with the keys by which they are found, in one transaction.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger, keys,
    rows::{ContactRow, to_item},
    transaction::{Committed, Transaction},
};
use crate::{
    domain::{
        consent::{ConsentChannel, ConsentEntry},
        email::Email,
        person::Person,
        person_change::ChangedPerson,
        phone::Phone,
        scope::OrgScope,
    },
    ports::{PersonEditor, PersonRevisionOutcome, StoreError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The person, in the version that was read.
    Row,
    /// A key that the person shall hold.
    Gained,
    /// The released key of this place.
    Released(usize),
    Owner,
    Consent,
    /// Rows that go with it without a condition.
    Effect,
}

/// Holds for a key that nobody has, or this person.
const FREE_OR_OWN: &str = "attribute_not_exists(pk) OR personId = :person";

impl PersonEditor for Ledger {
    async fn revise_person(
        &self,
        scope: &OrgScope,
        changed: &ChangedPerson,
    ) -> Result<PersonRevisionOutcome, StoreError> {
        self.revise(scope, changed, |_| Ok(())).await
    }

    async fn take_consent_down(
        &self,
        scope: &OrgScope,
        person: &Person,
        entry: &ConsentEntry,
    ) -> Result<bool, StoreError> {
        let transaction = self.consent_end(scope, person, entry)?;
        Ok(matches!(transaction.commit(&self.client).await?, Committed::Done))
    }
}

impl Ledger {
    /// As [`PersonEditor::revise_person`], with what `and` adds to the transaction.
    pub(super) async fn revise(
        &self,
        scope: &OrgScope,
        changed: &ChangedPerson,
        and: impl Fn(&mut Transaction<Part>) -> Result<(), StoreError>,
    ) -> Result<PersonRevisionOutcome, StoreError> {
        // A person may show what somebody else holds the key of: that key stays where it is.
        let mut spared = Vec::new();
        loop {
            let mut transaction = self.person_revision(scope, changed, &spared)?;
            and(&mut transaction)?;
            let refusals = match transaction.commit(&self.client).await? {
                Committed::Done => return Ok(PersonRevisionOutcome::Written),
                Committed::Refused(refusals) => refusals,
            };
            let has = |part: Part| refusals.iter().any(|refusal| refusal.name == part);
            if has(Part::Row) || has(Part::Consent) || has(Part::Effect) {
                return Ok(PersonRevisionOutcome::Stale);
            }
            if has(Part::Gained) {
                return Ok(PersonRevisionOutcome::ContactTaken);
            }
            if has(Part::Owner) {
                return Ok(PersonRevisionOutcome::OwnerMissing);
            }
            spared.extend(refusals.iter().map(|refusal| refusal.name));
        }
    }

    fn consent_end(
        &self,
        scope: &OrgScope,
        person: &Person,
        entry: &ConsentEntry,
    ) -> Result<Transaction<Part>, StoreError> {
        let (flag, attribute, address) = match entry.channel {
            ConsentChannel::Email => ("emailMarketingConsent", "email", person.email.as_ref().map(Email::as_str)),
            ConsentChannel::Sms => ("smsMarketingConsent", "phone", person.phone.as_ref().map(Phone::as_str)),
        };
        let keys = keys::person(scope, &person.id);
        // No condition on the version: a person who refers somebody every second can say no all the same.
        let change = format!("SET {flag} = :off, updatedAt = :at ADD version :one");
        let (on, off) = ((":on", AttributeValue::Bool(true)), (":off", AttributeValue::Bool(false)));
        let at = (":at", AttributeValue::S(entry.at.to_string()));
        let one = (":one", AttributeValue::N("1".to_owned()));
        let mut transaction = Transaction::default();
        if let Some(address) = address {
            let condition = format!("{flag} = :on AND {attribute} = :address");
            let values = [on, off, at, one, (":address", AttributeValue::S(address.to_owned()))];
            transaction.update(Part::Row, &self.table, &keys, &change, &condition, values)?;
        } else {
            let condition = format!("{flag} = :on AND attribute_not_exists({attribute})");
            transaction.update(Part::Row, &self.table, &keys, &change, &condition, [on, off, at, one])?;
        }
        transaction.create(Part::Consent, &self.table, to_item(entry, &keys::consent(scope, entry))?)?;
        Ok(transaction)
    }

    fn person_revision(
        &self,
        scope: &OrgScope,
        changed: &ChangedPerson,
        spared: &[Part],
    ) -> Result<Transaction<Part>, StoreError> {
        let person = &changed.person;
        let own = || (":person", AttributeValue::S(person.id.as_str().to_owned()));
        let mut transaction = Transaction::default();
        let item = to_item(person, &keys::person_row(scope, person))?;
        self.replace(&mut transaction, Part::Row, item, person.version)?;
        for key in &changed.gained {
            let item = to_item(&ContactRow { person_id: person.id.clone() }, &keys::contact(scope, key))?;
            transaction.put(Part::Gained, &self.table, item, FREE_OR_OWN, [own()])?;
        }
        for (place, key) in changed.released.iter().enumerate() {
            let part = Part::Released(place);
            if !spared.contains(&part) {
                transaction.delete_if(part, &self.table, &keys::contact(scope, key), FREE_OR_OWN, [own()])?;
            }
        }
        if let Some(owner) = &changed.new_owner {
            transaction.check(
                Part::Owner,
                &self.table,
                &keys::member(scope, owner),
                "attribute_exists(pk) AND #status = :active",
                [("#status", "status")],
                [(":active", AttributeValue::S("ACTIVE".to_owned()))],
            )?;
        }
        for entry in &changed.consents {
            transaction.create(Part::Consent, &self.table, to_item(entry, &keys::consent(scope, entry))?)?;
        }
        Ok(transaction)
    }
}
