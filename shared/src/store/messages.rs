//! Messages in the referral's partition, and addresses that nothing is sent to.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger, answers,
    error::store_error,
    keys,
    rows::{SuppressionRow, to_item},
    transaction::{Committed, Transaction},
};
use crate::{
    domain::{
        contact::ContactKey,
        id::ReferralId,
        message::{Message, MessageId},
        scope::OrgScope,
        time::Timestamp,
    },
    ports::{MessageBook, MessageWrite, MessageWriteOutcome, RecipientGuard, StoreError, SuppressionList},
};

const OPERATION: &str = "writing messages";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Answer,
    /// Rows that must be as they were read.
    Row,
}

impl MessageBook for Ledger {
    async fn find_message(&self, scope: &OrgScope, id: &MessageId) -> Result<Option<Message>, StoreError> {
        self.get("reading a message", &keys::message(scope, id)).await
    }

    async fn messages_of(&self, scope: &OrgScope, referral: &ReferralId) -> Result<Vec<Message>, StoreError> {
        let (operation, partition) = ("reading a referral's messages", keys::referral_partition(scope, referral));
        self.rows_under(operation, partition, keys::MESSAGE).await
    }

    async fn write_messages(
        &self,
        scope: &OrgScope,
        referral: &ReferralId,
        write: &MessageWrite,
    ) -> Result<MessageWriteOutcome, StoreError> {
        let mut transaction = Transaction::default();
        for message in &write.messages {
            let item = to_item(message, &keys::message(scope, &message.id()))?;
            if message.version == 1 {
                transaction.create(Part::Row, &self.table, item)?;
            } else {
                self.replace(&mut transaction, Part::Row, item, message.version)?;
            }
        }
        if let Some(referral) = &write.referral {
            self.replace_referrals(&mut transaction, Part::Row, scope, [&**referral])?;
        }
        if let Some(version) = write.unchanged {
            let read = [(":read", AttributeValue::N(version.to_string()))];
            let row = keys::referral(scope, referral);
            transaction.check(Part::Row, &self.table, &row, "version = :read", [], read)?;
        }
        if let Some(guard) = &write.guard {
            self.check_recipient(&mut transaction, scope, guard)?;
        }
        for entry in &write.audit {
            transaction.create(Part::Row, &self.table, to_item(entry, &keys::audit(scope, referral, entry))?)?;
        }
        for event in &write.events {
            transaction.create(Part::Row, &self.outbox_table, super::outbox::item(event)?)?;
        }
        if let Some(remembered) = &write.remembered {
            self.remember(&mut transaction, Part::Answer, scope, remembered, write.at)?;
        }
        let refusals = match transaction.commit(&self.client).await? {
            Committed::Done => return Ok(MessageWriteOutcome::Written),
            Committed::Refused(refusals) => refusals,
        };
        match refusals.into_iter().find(|refusal| refusal.name == Part::Answer) {
            Some(used) => answers::used_key(OPERATION, used.existing).map(MessageWriteOutcome::KeyUsed),
            None => Ok(MessageWriteOutcome::Stale),
        }
    }
}

impl Ledger {
    /// Consent, Do Not Contact and address are the person's; every change of theirs is a new version.
    fn check_recipient(
        &self,
        transaction: &mut Transaction<Part>,
        scope: &OrgScope,
        guard: &RecipientGuard,
    ) -> Result<(), StoreError> {
        let person = keys::person(scope, &guard.person);
        match guard.version {
            Some(version) => {
                let read = [(":read", AttributeValue::N(version.to_string()))];
                transaction.check(Part::Row, &self.table, &person, "version = :read", [], read)?;
            }
            None => transaction.check(Part::Row, &self.table, &person, "attribute_not_exists(pk)", [], [])?,
        }
        if let Some((key, is_suppressed)) = &guard.suppression {
            let condition = if *is_suppressed { "attribute_exists(pk)" } else { "attribute_not_exists(pk)" };
            transaction.check(Part::Row, &self.table, &keys::suppression(scope, key), condition, [], [])?;
        }
        Ok(())
    }
}

impl SuppressionList for Ledger {
    async fn is_suppressed(&self, scope: &OrgScope, key: &ContactKey) -> Result<bool, StoreError> {
        let row: Option<SuppressionRow> = self.get("reading a suppression", &keys::suppression(scope, key)).await?;
        Ok(row.is_some())
    }

    async fn suppress(&self, scope: &OrgScope, key: &ContactKey, at: Timestamp) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(&SuppressionRow { since: at }, &keys::suppression(scope, key))?))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| store_error("writing a suppression", &error))
    }
}
