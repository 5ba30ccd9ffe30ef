//! One new referral: its row, its referrer, the pair's guard, the audit entry and the event, in one transaction.

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};

use super::{
    Ledger,
    error::{store_error, unreadable_row},
    keys, rows,
    rows::{ContactRow, PairGuardRow, to_item},
    transaction::{Committed, Patience, Transaction, primary},
};
use crate::{
    domain::{duplicate::PairKey, scope::OrgScope, time::Timestamp},
    ports::{ReferralRecorder, ReferralWrite, ReferralWriteOutcome, ReferrerWrite, StoreError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Referral,
    Guard,
    Referrer,
    /// The key at this place in `ReferrerWrite::Create::keys`.
    Contact(usize),
    Agent,
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
            ReferrerWrite::Create { person, keys: contact_keys } => {
                transaction.create(Part::Referrer, &self.table, to_item(person, &keys::person_row(scope, person))?)?;
                for (place, key) in contact_keys.iter().enumerate() {
                    let row = ContactRow { person_id: person.id.clone() };
                    transaction.create(
                        Part::Contact(place),
                        &self.table,
                        to_item(&row, &keys::contact(scope, key))?,
                    )?;
                }
            }
            ReferrerWrite::Credit(person) => transaction.update(
                Part::Referrer,
                &self.table,
                &keys::person(scope, person),
                "SET updatedAt = :at ADD totalReferrals :one, version :one",
                "attribute_exists(pk)",
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
        let audit = keys::audit(scope, &referral.id, &write.audit);
        transaction.create(Part::Audit, &self.table, to_item(&write.audit, &audit)?)?;
        transaction.create(Part::Outbox, &self.outbox_table, super::outbox::item(&write.event)?)?;

        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(ReferralWriteOutcome::Recorded),
            Committed::Refused(mut refusals) => {
                // The order of this match is the order of precedence.
                refusals.sort_by_key(|refusal| match refusal.name {
                    Part::Guard => 0,
                    Part::Contact(place) => 1 + place,
                    Part::Referrer => usize::MAX - 3,
                    Part::Agent => usize::MAX - 2,
                    Part::Referral | Part::Audit | Part::Outbox => usize::MAX,
                });
                let first = refusals.into_iter().next().ok_or_else(|| unreadable_row("recording a referral"))?;
                match (first.name, &write.referrer) {
                    (Part::Guard, _) => Ok(ReferralWriteOutcome::PairGuarded),
                    (Part::Contact(place), ReferrerWrite::Create { keys, .. }) => {
                        let row: ContactRow = rows::from_item("recording a referral", first.existing)?;
                        let key = keys.get(place).ok_or_else(|| unreadable_row("recording a referral"))?.clone();
                        Ok(ReferralWriteOutcome::KeyTaken { key, holder: row.person_id })
                    }
                    (Part::Referrer, ReferrerWrite::Credit(_)) => Ok(ReferralWriteOutcome::ReferrerMissing),
                    (Part::Agent, _) => Ok(ReferralWriteOutcome::AgentMissing),
                    _ => Err(StoreError::Failed {
                        operation: "recording a referral",
                        reason: "a new id was taken".to_owned(),
                    }),
                }
            }
        }
    }

    async fn count_repetition(&self, scope: &OrgScope, pair: &PairKey, at: Timestamp) -> Result<(), StoreError> {
        let mut patience = Patience::new();
        loop {
            let counted = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(primary(&keys::pair_guard(scope, pair))))
                .update_expression("SET lastDuplicateAt = :at ADD duplicateCount :one")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":at", AttributeValue::S(at.to_string()))
                .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
                .send()
                .await;
            match counted {
                // The transaction that made the guard, or another repetition, holds the row.
                Err(error)
                    if error.as_service_error().is_some_and(UpdateItemError::is_transaction_conflict_exception)
                        && patience.wait().await => {}
                counted => return counted.map(drop).map_err(|error| store_error("counting a repetition", &error)),
            }
        }
    }
}
