//! One new referral: its row, its referrer, the pair's guard, the audit entry and the event, in one transaction.

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};

use super::{
    Ledger,
    answers::used_key,
    error::{store_error, unreadable_row},
    keys, rows,
    rows::{ContactRow, LinkRow, PairGuardRow, to_item},
    transaction::{Committed, Patience, Transaction, primary},
};
use crate::{
    domain::{duplicate::PairKey, scope::OrgScope, time::Timestamp},
    ports::{
        ReferralRecorder, ReferralWrite, ReferralWriteOutcome, ReferrerWrite, RememberedAnswer, Repetition, StoreError,
    },
};

/// Holds for somebody who is there, and has not been erased: they get no referral any more.
pub(super) const IS_KNOWN: &str = "attribute_exists(pk) AND attribute_not_exists(erasedAt)";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Answer,
    Referral,
    Figures,
    Guard,
    Referrer,
    /// The key at this place in `ReferrerWrite::Create::keys`.
    Contact(usize),
    Consent,
    Agent,
    Link,
    Audit,
    Outbox,
}

impl ReferralRecorder for Ledger {
    async fn record_referral(
        &self,
        scope: &OrgScope,
        write: &ReferralWrite,
    ) -> Result<ReferralWriteOutcome, StoreError> {
        let referral = &write.referral;
        let mut transaction = Transaction::default();
        transaction.create(Part::Referral, &self.table, to_item(referral, &keys::referral_row(scope, referral))?)?;
        self.count_in(&mut transaction, Part::Figures, scope, referral)?;
        if let Some(remembered) = &write.remembered {
            self.remember(&mut transaction, Part::Answer, scope, remembered, referral.created_at)?;
        }
        if let Some(guard) = &write.guard {
            let row = PairGuardRow {
                referral_id: referral.id.clone(),
                duplicate_count: 0,
                last_duplicate_at: None,
                expires_at: guard.expires_at.epoch_seconds(),
            };
            transaction.put(
                Part::Guard,
                &self.table,
                to_item(&row, &keys::pair_guard(scope, &guard.key))?,
                "attribute_not_exists(pk) OR expiresAt <= :now",
                [(":now", AttributeValue::N(referral.created_at.epoch_seconds().to_string()))],
            )?;
        }
        match &write.referrer {
            ReferrerWrite::Create { person, keys: contact_keys, consents } => {
                transaction.create(Part::Referrer, &self.table, to_item(person, &keys::person_row(scope, person))?)?;
                for (place, key) in contact_keys.iter().enumerate() {
                    let row = ContactRow { person_id: person.id.clone() };
                    transaction.create(
                        Part::Contact(place),
                        &self.table,
                        to_item(&row, &keys::contact(scope, key))?,
                    )?;
                }
                for entry in consents {
                    transaction.create(Part::Consent, &self.table, to_item(entry, &keys::consent(scope, entry))?)?;
                }
            }
            ReferrerWrite::Credit(person) => transaction.update(
                Part::Referrer,
                &self.table,
                &keys::person(scope, person),
                "SET updatedAt = :at ADD totalReferrals :one, version :one",
                IS_KNOWN,
                [
                    (":at", AttributeValue::S(referral.created_at.to_string())),
                    (":one", AttributeValue::N("1".to_owned())),
                ],
            )?,
        }
        if write.check_agent {
            transaction.check(
                Part::Agent,
                &self.table,
                &keys::member(scope, &referral.agent_user_id),
                "attribute_exists(pk) AND #status = :active",
                [("#status", "status")],
                [(":active", AttributeValue::S("ACTIVE".to_owned()))],
            )?;
        }
        let link = LinkRow { referral_id: referral.id.clone(), created_at: referral.created_at };
        transaction.create(Part::Link, &self.table, to_item(&link, &keys::referred_link(scope, referral))?)?;
        let audit = keys::audit(scope, &referral.id, &write.audit);
        transaction.create(Part::Audit, &self.table, to_item(&write.audit, &audit)?)?;
        transaction.create(Part::Outbox, &self.outbox_table, super::outbox::item(&write.event)?)?;

        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(ReferralWriteOutcome::Recorded),
            Committed::Refused(mut refusals) => {
                // The order of this match is the order of precedence.
                refusals.sort_by_key(|refusal| match refusal.name {
                    Part::Answer => 0,
                    Part::Guard => 1,
                    Part::Contact(place) => 2 + place,
                    Part::Referrer => usize::MAX - 3,
                    Part::Agent => usize::MAX - 2,
                    Part::Referral | Part::Figures | Part::Consent | Part::Link | Part::Audit | Part::Outbox => {
                        usize::MAX
                    }
                });
                let first = refusals.into_iter().next().ok_or_else(|| unreadable_row(OPERATION))?;
                match (first.name, &write.referrer) {
                    (Part::Answer, _) => Ok(ReferralWriteOutcome::KeyUsed(used_key(OPERATION, first.existing)?)),
                    (Part::Guard, _) => Ok(ReferralWriteOutcome::PairGuarded),
                    (Part::Contact(place), ReferrerWrite::Create { keys, .. }) => {
                        let row: ContactRow = rows::from_item(OPERATION, first.existing)?;
                        let key = keys.get(place).ok_or_else(|| unreadable_row(OPERATION))?.clone();
                        Ok(ReferralWriteOutcome::KeyTaken { key, holder: row.person_id })
                    }
                    (Part::Referrer, ReferrerWrite::Credit(_)) => Ok(ReferralWriteOutcome::ReferrerMissing),
                    (Part::Agent, _) => Ok(ReferralWriteOutcome::AgentMissing),
                    _ => Err(StoreError::Failed { operation: OPERATION, reason: "a new id was taken".to_owned() }),
                }
            }
        }
    }

    async fn count_repetition(
        &self,
        scope: &OrgScope,
        pair: &PairKey,
        remembered: Option<&RememberedAnswer>,
        at: Timestamp,
    ) -> Result<Repetition, StoreError> {
        let Some(remembered) = remembered else {
            return self.count_on_guard(scope, pair, at).await;
        };
        let mut transaction = Transaction::default();
        self.remember(&mut transaction, Part::Answer, scope, remembered, at)?;
        transaction.update(
            Part::Guard,
            &self.table,
            &keys::pair_guard(scope, pair),
            COUNT,
            "attribute_exists(pk)",
            count_values(at),
        )?;
        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(Repetition::Counted),
            Committed::Refused(refusals) => match refusals.into_iter().find(|refusal| refusal.name == Part::Answer) {
                Some(refusal) => used_key(OPERATION, refusal.existing).map(Repetition::KeyUsed),
                None => Ok(Repetition::Unguarded),
            },
        }
    }
}

const OPERATION: &str = "recording a referral";
const COUNT: &str = "SET lastDuplicateAt = :at ADD duplicateCount :one";

fn count_values(at: Timestamp) -> [(&'static str, AttributeValue); 2] {
    [(":at", AttributeValue::S(at.to_string())), (":one", AttributeValue::N("1".to_owned()))]
}

impl Ledger {
    async fn count_on_guard(&self, scope: &OrgScope, pair: &PairKey, at: Timestamp) -> Result<Repetition, StoreError> {
        let mut patience = Patience::new();
        loop {
            let counted = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(primary(&keys::pair_guard(scope, pair))))
                .update_expression(COUNT)
                .condition_expression("attribute_exists(pk)")
                .set_expression_attribute_values(Some(
                    count_values(at).map(|(name, value)| (name.to_owned(), value)).into(),
                ))
                .send()
                .await;
            let Err(error) = counted else { return Ok(Repetition::Counted) };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => return Ok(Repetition::Unguarded),
                // The transaction that made the guard, or another repetition, holds the row.
                Some(UpdateItemError::TransactionConflictException(_)) if patience.wait().await => {}
                _ => return Err(store_error("counting a repetition", &error)),
            }
        }
    }
}
