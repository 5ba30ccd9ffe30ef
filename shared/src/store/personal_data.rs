//! Everything that is kept of one person, and taking it out.

use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, update_item::UpdateItemError},
    types::AttributeValue,
};

use super::{
    Ledger,
    error::store_error,
    keys,
    revise_person::Part as PersonPart,
    revision::IS_OWN,
    rows::{DealLinkRow, FormerLinkRow, ShownAnswerRow, SuppressionRow, from_item, to_item},
    transaction::{Attributes, Committed, Transaction, primary},
};
use crate::{
    domain::{
        consent::ConsentEntry,
        id::{PersonId, ReferralId},
        person::Person,
        referral::Referral,
        scope::OrgScope,
    },
    ports::{
        PersonData, PersonErasure, PersonRevisionOutcome, PersonalData, ReferralData, ReferralErasure, ShownAnswer,
        StoreError, Tie, TieKind,
    },
};

const ERASING: &str = "erasing";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Rows that must be as they were read.
    Row,
}

impl PersonalData for Ledger {
    async fn find_person_data(&self, scope: &OrgScope, id: &PersonId) -> Result<Option<PersonData>, StoreError> {
        let operation = "reading what is kept of a person";
        let (mut person, mut consents, mut deals, mut ties) = (None::<Person>, Vec::new(), Vec::new(), Vec::new());
        for item in self.items_under(operation, keys::person_partition(scope, id), "").await? {
            let kind = match sort_key(&item) {
                sort if sort.starts_with(keys::REFERRED) => TieKind::Referrer,
                sort if sort.starts_with(keys::LEAD_OF) => TieKind::Lead,
                sort if sort.starts_with(keys::FORMER) => TieKind::Former,
                sort if sort.starts_with(keys::CONSENT) => {
                    consents.push(from_item(operation, item)?);
                    continue;
                }
                sort if sort.starts_with(keys::DEAL_OF) => {
                    deals.push(from_item::<DealLinkRow>(operation, item)?.deal_id);
                    continue;
                }
                keys::PERSON => {
                    person = Some(from_item(operation, item)?);
                    continue;
                }
                // Figures: what their referrals add up to.
                _ => continue,
            };
            // Of the other two kinds it has all that they have.
            let row: FormerLinkRow = from_item(operation, item)?;
            let may_show = kind == TieKind::Former && !row.shows_another;
            ties.push(Tie { kind, referral: row.referral_id, created_at: row.created_at, may_show });
        }
        // Who is in a referral in two ways is shown it once.
        ties.sort_by(|a, b| {
            (a.created_at, a.referral.as_str(), a.kind).cmp(&(b.created_at, b.referral.as_str(), b.kind))
        });
        ties.dedup_by(|later, kept| {
            let is_same = later.referral == kept.referral;
            kept.may_show |= is_same && later.may_show;
            is_same
        });
        Ok(person.map(|person| PersonData { person, consents, deals, ties }))
    }

    async fn find_referral_data(&self, scope: &OrgScope, id: &ReferralId) -> Result<ReferralData, StoreError> {
        let operation = "reading what is kept of a referral";
        let mut data = ReferralData::default();
        for item in self.items_under(operation, keys::referral_partition(scope, id), "").await? {
            match sort_key(&item) {
                keys::REFERRAL => data.referral = Some(from_item(operation, item)?),
                sort if sort.starts_with(keys::AUDIT) => data.entries.push(from_item(operation, item)?),
                sort if sort.starts_with(keys::MESSAGE) => data.messages.push(from_item(operation, item)?),
                sort if sort.starts_with(keys::ANSWER) => {
                    let row: ShownAnswerRow = from_item(operation, item)?;
                    data.answers.push(ShownAnswer { key: row.key, expires_at: row.expires_at });
                }
                _ => {}
            }
        }
        Ok(data)
    }

    async fn erase_person(
        &self,
        scope: &OrgScope,
        erasure: &PersonErasure,
    ) -> Result<PersonRevisionOutcome, StoreError> {
        let erased = &erasure.erased;
        let since = SuppressionRow { since: erased.changed.person.updated_at };
        self.revise(scope, &erased.changed, |transaction| {
            for key in &erased.suppressed {
                let item = to_item(&since, &keys::suppression(scope, key))?;
                transaction.write(PersonPart::Effect, &self.table, item)?;
            }
            for (referral, version) in &erasure.unchanged {
                let read = [(":read", AttributeValue::N(version.to_string()))];
                let row = keys::referral(scope, referral);
                transaction.check(PersonPart::Row, &self.table, &row, "version = :read", [], read)?;
            }
            transaction.create(PersonPart::Effect, &self.outbox_table, super::outbox::item(&erasure.event)?)
        })
        .await
    }

    async fn forget_evidence(&self, scope: &OrgScope, entries: &[ConsentEntry]) -> Result<(), StoreError> {
        for entry in entries {
            self.take_out(&keys::consent(scope, entry), "evidence", "attribute_exists(pk)", None).await?;
        }
        Ok(())
    }

    async fn erase_referral(&self, scope: &OrgScope, erasure: &ReferralErasure) -> Result<bool, StoreError> {
        let id = &erasure.id;
        for entry in &erasure.noted {
            self.take_out(&keys::audit(scope, id, entry), "note", "attribute_exists(pk)", None).await?;
        }
        for answer in &erasure.answers {
            let end = AttributeValue::N(answer.expires_at.to_string());
            let keys = keys::remembered_under(scope, &answer.key);
            self.take_out(&keys, "answer", "expiresAt = :end", Some((":end", end))).await?;
            self.forget(&keys::shown_answer(scope, id, &answer.key), None).await?;
        }
        if let Some(pair) = &erasure.guard {
            // Whoever sends the same friend again is heard.
            self.forget(&keys::pair_guard(scope, pair), Some(id)).await?;
        }
        let mut transaction = Transaction::default();
        match (&erasure.row, erasure.read) {
            (Some(row), _) => self.replace_referrals(&mut transaction, Part::Row, scope, [&**row])?,
            (None, Some(version)) => {
                let read = [(":read", AttributeValue::N(version.to_string()))];
                let row = keys::referral(scope, id);
                transaction.check(Part::Row, &self.table, &row, "version = :read", [], read)?;
            }
            (None, None) => {
                let row = keys::referral(scope, id);
                transaction.check(Part::Row, &self.table, &row, "attribute_not_exists(pk)", [], [])?;
            }
        }
        for message in &erasure.messages {
            let item = to_item(message, &keys::message(scope, &message.id()))?;
            self.replace(&mut transaction, Part::Row, item, message.version)?;
        }
        for entry in &erasure.audit {
            transaction.create(Part::Row, &self.table, to_item(entry, &keys::audit(scope, id, entry))?)?;
        }
        for event in &erasure.events {
            transaction.create(Part::Row, &self.outbox_table, super::outbox::item(event)?)?;
        }
        Ok(matches!(transaction.commit(&self.client).await?, Committed::Done))
    }
}

impl Ledger {
    /// That a person had to do with a referral, when it is theirs no longer; `shows_another` where it is about somebody else
    /// now.
    pub(super) fn remember_tie<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        person: &PersonId,
        referral: &Referral,
        shows_another: bool,
    ) -> Result<(), StoreError> {
        let row = FormerLinkRow { referral_id: referral.id.clone(), created_at: referral.created_at, shows_another };
        transaction.write(name, &self.table, to_item(&row, &keys::former_link(scope, person, &referral.id))?)
    }

    /// Takes one attribute out of a row, if the row is there and as `condition` has it.
    async fn take_out(
        &self,
        keys: &keys::Keys,
        attribute: &str,
        condition: &str,
        value: Option<(&str, AttributeValue)>,
    ) -> Result<(), StoreError> {
        let values = value.map(|(name, value)| Attributes::from([(name.to_owned(), value)]));
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary(keys)))
            .update_expression("REMOVE #attribute")
            .condition_expression(condition)
            .expression_attribute_names("#attribute", attribute)
            .set_expression_attribute_values(values)
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(())
            }
            Err(error) => Err(store_error(ERASING, &error)),
        }
    }

    /// Deletes a row, where it is named only if it is that referral's.
    async fn forget(&self, keys: &keys::Keys, of: Option<&ReferralId>) -> Result<(), StoreError> {
        let mut delete = self.client.delete_item().table_name(&self.table).set_key(Some(primary(keys)));
        if let Some(referral) = of {
            let own = AttributeValue::S(referral.as_str().to_owned());
            delete = delete.condition_expression(IS_OWN).expression_attribute_values(":referral", own);
        }
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.as_service_error(), Some(DeleteItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(())
            }
            Err(error) => Err(store_error(ERASING, &error)),
        }
    }
}

fn sort_key(item: &Attributes) -> &str {
    item.get(keys::SK).and_then(|sort| sort.as_s().ok()).map_or("", String::as_str)
}
