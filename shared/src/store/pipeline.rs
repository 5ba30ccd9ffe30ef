//! A lead's entry into the pipeline, in one transaction with the inbox item of the event that caused it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger, keys,
    rows::{ContactRow, InboxRow, LinkRow, to_item},
    transaction::{Committed, Transaction},
};
use crate::{
    domain::scope::OrgScope,
    ports::{PipelineRecorder, PipelineWrite, PipelineWriteOutcome, StoreError},
};

/// How long an applied event is remembered: longer than a dead-letter queue keeps its message (14 days), with room for
/// a late redrive.
pub(super) const INBOX_SECONDS: i64 = 60 * 86_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Inbox,
    Effect,
}

impl PipelineRecorder for Ledger {
    async fn enter(&self, scope: &OrgScope, write: &PipelineWrite) -> Result<PipelineWriteOutcome, StoreError> {
        let mut transaction = Transaction::default();
        let inbox = InboxRow { applied_at: write.at, expires_at: write.at.plus_seconds(INBOX_SECONDS).epoch_seconds() };
        let inbox_keys = keys::inbox(scope, write.consumer, &write.event_id);
        transaction.create(Part::Inbox, &self.table, to_item(&inbox, &inbox_keys)?)?;

        if let Some((lead, contact_keys)) = &write.new_lead {
            transaction.create(Part::Effect, &self.table, to_item(lead, &keys::person_row(scope, lead))?)?;
            for key in contact_keys {
                let row = ContactRow { person_id: lead.id.clone() };
                transaction.create(Part::Effect, &self.table, to_item(&row, &keys::contact(scope, key))?)?;
            }
        }
        if let Some(referrer) = &write.new_advocate {
            // Not the whole row: a burst of referrals keeps raising its version.
            transaction.update(
                Part::Effect,
                &self.table,
                &keys::person(scope, referrer),
                "SET relationshipStage = :advocate, updatedAt = :at ADD version :one",
                "attribute_exists(pk)",
                [
                    (":advocate", AttributeValue::S("ADVOCATE".to_owned())),
                    (":at", AttributeValue::S(write.at.to_string())),
                    (":one", AttributeValue::N("1".to_owned())),
                ],
            )?;
        }
        if let Some(person) = &write.known_lead {
            self.replace(
                &mut transaction,
                Part::Effect,
                to_item(person, &keys::person_row(scope, person))?,
                person.version,
            )?;
        }
        let rows = std::iter::once(&write.referral).chain(&write.contested);
        self.replace_referrals(&mut transaction, Part::Effect, scope, rows)?;
        let referral = &write.referral.row;
        if let Some(lead) = &referral.referred_person_id {
            let row = LinkRow { referral_id: referral.id.clone(), created_at: referral.created_at };
            let link = keys::lead_link(scope, lead, &referral.id);
            transaction.write(Part::Effect, &self.table, to_item(&row, &link)?)?;
        }
        for (referral, entry) in &write.audit {
            transaction.create(Part::Effect, &self.table, to_item(entry, &keys::audit(scope, referral, entry))?)?;
        }
        transaction.create(Part::Effect, &self.outbox_table, super::outbox::item(&write.event)?)?;

        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => PipelineWriteOutcome::Entered,
            Committed::Refused(refusals) if refusals.iter().any(|refusal| refusal.name == Part::Inbox) => {
                PipelineWriteOutcome::AlreadyApplied
            }
            Committed::Refused(_) => PipelineWriteOutcome::Stale,
        })
    }
}
