//! Deals that were heard of, and what they make of their referrals.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger,
    error::store_error,
    keys,
    rows::{DealLinkRow, from_item, to_item},
    transaction::{Committed, Transaction},
};
use crate::{
    domain::{
        deal::Deal,
        id::{DealId, PersonId},
        scope::OrgScope,
    },
    ports::{DealBook, NewsOutcome, SettleOutcome, Settlement, StoreError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part;

impl DealBook for Ledger {
    async fn find_deal(&self, scope: &OrgScope, id: &DealId) -> Result<Option<Deal>, StoreError> {
        self.get("reading a deal", &keys::deal(scope, id)).await
    }

    async fn record_news(&self, scope: &OrgScope, deal: &Deal) -> Result<NewsOutcome, StoreError> {
        let mut transaction = Transaction::default();
        self.replace_deal(&mut transaction, scope, deal)?;
        for person in deal.news.iter().flat_map(|news| &news.person_ids) {
            let row = DealLinkRow { deal_id: deal.deal_id.clone() };
            let link = keys::person_deal(scope, person, &deal.deal_id);
            transaction.write(Part, &self.table, to_item(&row, &link)?)?;
        }
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => NewsOutcome::Recorded,
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
        let mut transaction = Transaction::default();
        for deal in std::iter::once(&settlement.deal).chain(settlement.let_go.as_deref()) {
            self.replace_deal(&mut transaction, scope, deal)?;
        }
        if let Some(referral) = &settlement.referral {
            let item = to_item(referral, &keys::referral_row(scope, referral))?;
            self.replace(&mut transaction, Part, item, referral.version)?;
            for entry in &settlement.audit {
                transaction.create(Part, &self.table, to_item(entry, &keys::audit(scope, &referral.id, entry))?)?;
            }
            self.wait_for_the_clock(&mut transaction, Part, scope, referral)?;
        }
        for event in &settlement.events {
            transaction.create(Part, &self.outbox_table, super::outbox::item(event)?)?;
        }
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
            return transaction.create(Part, &self.table, item);
        }
        self.replace(transaction, Part, item, deal.version)
    }
}
