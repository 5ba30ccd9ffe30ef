//! Reading referrals.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Ledger,
    error::store_error,
    keys,
    query::{FILTERED_READ, MAX_READS, Order, Placed, Wanted},
    rows::{LinkRow, from_item},
};
use crate::{
    domain::{
        audit::AuditEntry,
        filter::ReferralFilter,
        id::{PersonId, ReferralId},
        referral::Referral,
        scope::OrgScope,
    },
    ports::{History, Page, Position, ReferralReader, StoreError},
};

const LISTING: &str = "listing referrals";

/// Entries of one history at most.
const MAX_ENTRIES: usize = 1_000;
/// Read at a time: the entries and the row.
const MAX_HISTORY: i32 = 1_001;

impl Placed for Referral {
    fn position(&self) -> Position {
        Position { created_at: self.created_at, id: self.id.as_str().to_owned() }
    }
}

impl Placed for LinkRow {
    fn position(&self) -> Position {
        Position { created_at: self.created_at, id: self.referral_id.as_str().to_owned() }
    }
}

impl ReferralReader for Ledger {
    async fn find_referral(&self, scope: &OrgScope, id: &ReferralId) -> Result<Option<Referral>, StoreError> {
        self.get("reading a referral", &keys::referral(scope, id)).await
    }

    async fn list_referrals(
        &self,
        scope: &OrgScope,
        filter: &ReferralFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Page<Referral>, StoreError> {
        if let Some(referrer) = &filter.referrer {
            return self.list_by_referrer(scope, filter, referrer, after.cloned(), limit).await;
        }
        // What the listing itself tells apart is taken out of what is left to filter.
        let mut rest = ReferralFilter { from: None, to: None, ..filter.clone() };
        let listing = if let Some(agent) = rest.agent.take() {
            keys::referrals_of(scope, &agent)
        } else if let Some(status) = rest.status.take() {
            keys::referrals_in(scope, status)
        } else {
            keys::referrals(scope)
        };
        let admits = |row: &Referral| rest.admits(row);
        let has_rest = rest != ReferralFilter::default();
        let wanted = Wanted {
            listing: &listing,
            order: Order::NewestFirst,
            from: filter.from,
            to: filter.to,
            admits: has_rest.then_some(&admits),
            after: after.map(|position| row_at(scope, position).map(|row| (row, position))).transpose()?,
            limit,
        };
        self.page(LISTING, wanted).await
    }

    async fn find_history(&self, scope: &OrgScope, id: &ReferralId) -> Result<History, StoreError> {
        let operation = "reading a history";
        let mut history = History { referral: None, entries: Vec::new() };
        let mut start = None;
        loop {
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .scan_index_forward(false)
                .limit(MAX_HISTORY)
                .set_exclusive_start_key(start)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(keys::referral_partition(scope, id)))
                .send()
                .await
                .map_err(|error| store_error(operation, &error))?;
            for item in output.items.unwrap_or_default() {
                let sort = item.get(keys::SK).and_then(|sk| sk.as_s().ok()).map_or("", String::as_str);
                if sort.starts_with(keys::AUDIT) {
                    history.entries.push(from_item::<AuditEntry>(operation, item)?);
                } else if sort == keys::REFERRAL {
                    history.referral = Some(from_item(operation, item)?);
                }
                // Messages stand there too; the entries say what became of them.
            }
            start = output.last_evaluated_key;
            // A read ends at a megabyte, however few entries that is.
            if start.is_none() || history.entries.len() >= MAX_ENTRIES {
                break;
            }
        }
        history.entries.truncate(MAX_ENTRIES);
        history.entries.reverse();
        Ok(history)
    }
}

/// The table key of the row where a page ended.
pub(super) fn row_at(scope: &OrgScope, position: &Position) -> Result<keys::Keys, StoreError> {
    let id = ReferralId::parse(&position.id)
        .map_err(|_| StoreError::Failed { operation: LISTING, reason: "a position of another list".to_owned() })?;
    Ok(keys::referral(scope, &id))
}

impl Ledger {
    /// One referrer's referrals, by the links in their partition: each round is a page of links and their rows.
    async fn list_by_referrer(
        &self,
        scope: &OrgScope,
        filter: &ReferralFilter,
        referrer: &PersonId,
        mut after: Option<Position>,
        limit: u32,
    ) -> Result<Page<Referral>, StoreError> {
        let listing = keys::referrals_by(scope, referrer);
        let limit_rows = usize::try_from(limit).unwrap_or(usize::MAX);
        let rest = ReferralFilter { referrer: None, from: None, to: None, ..filter.clone() };
        let per_read = if rest == ReferralFilter::default() { limit } else { limit.max(FILTERED_READ) };
        let mut items: Vec<Referral> = Vec::new();
        for _ in 0..MAX_READS {
            let after_link = after.as_ref().map(|position| row_at(scope, position).map(|row| (row, position)));
            let links: Page<LinkRow> = self
                .page(
                    LISTING,
                    Wanted {
                        listing: &listing,
                        order: Order::NewestFirst,
                        from: filter.from,
                        to: filter.to,
                        admits: None,
                        after: after_link.transpose()?,
                        limit: per_read,
                    },
                )
                .await?;
            let mut ids: Vec<ReferralId> = links.items.into_iter().map(|link| link.referral_id).collect();
            // A link of a wrong time may name a referral a second time.
            let mut named = HashSet::new();
            ids.retain(|id| named.insert(id.clone()));
            let keys: Vec<keys::Keys> = ids.iter().map(|id| keys::referral(scope, id)).collect();
            let rows: Vec<Referral> = self.get_all(LISTING, &keys).await?;
            let mut rows: HashMap<ReferralId, Referral> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
            // A row that went away between the two reads is left out.
            items.extend(ids.iter().filter_map(|id| rows.remove(id)).filter(|row| filter.admits(row)));
            after = links.next;
            if items.len() >= limit_rows || after.is_none() {
                break;
            }
        }
        if items.len() > limit_rows {
            items.truncate(limit_rows);
            after = items.last().map(Placed::position);
        }
        Ok(Page { items, next: after })
    }
}
