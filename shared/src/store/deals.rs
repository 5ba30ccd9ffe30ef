//! Deals that were heard of, and what they make of their referrals.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger,
    error::store_error,
    keys,
    pipeline::INBOX_SECONDS,
    rows::{DealLinkRow, InboxRow, from_item, to_item},
    transaction::{Committed, Transaction},
};
use crate::{
    domain::{
        deal::Deal,
        id::{DealId, PersonId},
        scope::OrgScope,
    },
    ports::{DealBook, NewsOutcome, NewsWrite, SettleOutcome, Settlement, StoreError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Inbox,
    Effect,
}

impl DealBook for Ledger {
    async fn find_deal(&self, scope: &OrgScope, id: &DealId) -> Result<Option<Deal>, StoreError> {
        self.get("reading a deal", &keys::deal(scope, id)).await
    }

    async fn record_news(&self, scope: &OrgScope, write: &NewsWrite) -> Result<NewsOutcome, StoreError> {
        let mut transaction = Transaction::default();
        let inbox = InboxRow { applied_at: write.at, expires_at: write.at.plus_seconds(INBOX_SECONDS).epoch_seconds() };
        let inbox_keys = keys::inbox(scope, write.consumer, &write.event_id);
        transaction.create(Part::Inbox, &self.table, to_item(&inbox, &inbox_keys)?)?;
        self.replace_deal(&mut transaction, scope, &write.deal)?;
        for person in write.deal.news.iter().flat_map(|news| &news.person_ids) {
            let row = DealLinkRow { deal_id: write.deal.deal_id.clone() };
            let link = keys::person_deal(scope, person, &write.deal.deal_id);
            transaction.write(Part::Effect, &self.table, to_item(&row, &link)?)?;
        }
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => NewsOutcome::Recorded,
            Committed::Refused(refusals) if refusals.iter().any(|refusal| refusal.name == Part::Inbox) => {
                NewsOutcome::AlreadyRecorded
            }
            Committed::Refused(_) => NewsOutcome::Stale,
        })
    }

    async fn deals_of(&self, scope: &OrgScope, person: &PersonId) -> Result<Vec<DealId>, StoreError> {
        let operation = "reading a person's deals";
        // One read: a megabyte of links is more deals of one person than there can be.
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :links)")
            .expression_attribute_values(":pk", AttributeValue::S(keys::person_partition(scope, person)))
            .expression_attribute_values(":links", AttributeValue::S(keys::DEAL_OF.to_owned()))
            .send()
            .await
            .map_err(|error| store_error(operation, &error))?;
        let items = output.items.unwrap_or_default();
        items.into_iter().map(|item| from_item::<DealLinkRow>(operation, item).map(|row| row.deal_id)).collect()
    }

    async fn settle(&self, scope: &OrgScope, settlement: &Settlement) -> Result<SettleOutcome, StoreError> {
        let referral = &settlement.referral;
        let mut transaction = Transaction::default();
        self.replace_deal(&mut transaction, scope, &settlement.deal)?;
        let item = to_item(referral, &keys::referral_row(scope, referral))?;
        self.replace(&mut transaction, Part::Effect, item, referral.version)?;
        for entry in &settlement.audit {
            transaction.create(Part::Effect, &self.table, to_item(entry, &keys::audit(scope, &referral.id, entry))?)?;
        }
        for event in &settlement.events {
            transaction.create(Part::Effect, &self.outbox_table, super::outbox::item(event)?)?;
        }
        self.wait_for_the_clock(&mut transaction, Part::Effect, scope, referral)?;
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => SettleOutcome::Settled,
            Committed::Refused(_) => SettleOutcome::Stale,
        })
    }
}

impl Ledger {
    /// Writes a deal whose stored version is one less than its own; the first is of a deal that nobody had heard of.
    fn replace_deal(
        &self,
        transaction: &mut Transaction<Part>,
        scope: &OrgScope,
        deal: &Deal,
    ) -> Result<(), StoreError> {
        let item = to_item(deal, &keys::deal(scope, &deal.deal_id))?;
        if deal.version == 1 {
            return transaction.create(Part::Effect, &self.table, item);
        }
        self.replace(transaction, Part::Effect, item, deal.version)
    }
}
