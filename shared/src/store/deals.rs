//! Deals that were heard of, and what they make of their referrals.

use super::{
    Ledger, keys,
    rows::{DealLinkRow, to_item},
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
        let (operation, partition) = ("reading a person's deals", keys::person_partition(scope, person));
        let rows: Vec<DealLinkRow> = self.rows_under(operation, partition, keys::DEAL_OF).await?;
        Ok(rows.into_iter().map(|row| row.deal_id).collect())
    }

    async fn settle(&self, scope: &OrgScope, settlement: &Settlement) -> Result<SettleOutcome, StoreError> {
        let mut transaction = Transaction::default();
        for deal in std::iter::once(&settlement.deal).chain(settlement.let_go.as_deref()) {
            self.replace_deal(&mut transaction, scope, deal)?;
        }
        if let Some(referral) = &settlement.referral {
            self.replace_referrals(&mut transaction, Part, scope, [&**referral])?;
            let referral = &referral.row;
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
