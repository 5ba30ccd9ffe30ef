//! Pages of a list: in one order, a bounded number of reads, and the place where the page ended.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::{
    Ledger,
    error::{store_error, unreadable_row},
    keys::{self, Keys, Listing},
    rows::from_item,
    transaction::Attributes,
};
use crate::{
    domain::time::Timestamp,
    ports::{Page, Position, StoreError},
};

/// Reads per answer at most, however little a filter lets through; then the caller gets a cursor.
pub(super) const MAX_READS: usize = 4;
/// Rows read at a time where a filter drops some of them.
pub(super) const FILTERED_READ: u32 = 100;

/// Rows that stand where a list has rows.
pub(super) trait Placed {
    fn position(&self) -> Position;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

/// What of a listing is wanted.
pub(super) struct Wanted<'a, R> {
    pub listing: &'a Listing,
    pub order: Order,
    /// Created at this time or later.
    pub from: Option<Timestamp>,
    /// Created before this time.
    pub to: Option<Timestamp>,
    /// What the listing does not tell apart; None when it has nothing but what is wanted.
    pub admits: Option<&'a (dyn Fn(&R) -> bool + Sync)>,
    /// Where the last page ended, with the table key of the row there.
    pub after: Option<(Keys, &'a Position)>,
    pub limit: u32,
}

impl Ledger {
    pub(super) async fn page<R: DeserializeOwned + Placed>(
        &self,
        operation: &'static str,
        wanted: Wanted<'_, R>,
    ) -> Result<Page<R>, StoreError> {
        let Wanted { listing, order, from, to, admits, after, limit } = wanted;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let range = listing.range(from, to);
        let limit_rows = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut start = after.map(|(row, position)| to_attributes(&listing.start_key(&row, position)));
        let mut items: Vec<R> = Vec::new();
        for _ in 0..MAX_READS {
            // One row more than asked for shows whether there is a next page.
            let missing = limit.saturating_add(1).saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
            let per_read = if admits.is_some() { missing.max(FILTERED_READ) } else { missing };
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .set_index_name(listing.index.name.map(str::to_owned))
                .consistent_read(listing.index.name.is_none())
                .scan_index_forward(order == Order::OldestFirst)
                .limit(i32::try_from(per_read).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start.take())
                .expression_attribute_names("#partition", listing.index.partition)
                .expression_attribute_values(":partition", AttributeValue::S(listing.partition.clone()));
            query = match &range {
                None => query.key_condition_expression("#partition = :partition"),
                Some([first, last]) => query
                    .key_condition_expression("#partition = :partition AND #sort BETWEEN :first AND :last")
                    .expression_attribute_names("#sort", listing.index.sort)
                    .expression_attribute_values(":first", AttributeValue::S(first.clone()))
                    .expression_attribute_values(":last", AttributeValue::S(last.clone())),
            };
            let output = query.send().await.map_err(|error| store_error(operation, &error))?;
            for item in output.items.unwrap_or_default() {
                let row = from_item(operation, item)?;
                if admits.is_none_or(|admits| admits(&row)) {
                    items.push(row);
                }
            }
            start = output.last_evaluated_key;
            if items.len() > limit_rows || start.is_none() {
                break;
            }
        }
        if items.len() > limit_rows {
            items.truncate(limit_rows);
            let next = items.last().map(Placed::position);
            return Ok(Page { items, next });
        }
        let next = match &start {
            None => None,
            Some(key) => {
                let sort = key.get(listing.index.sort).and_then(|value| value.as_s().ok());
                Some(sort.and_then(|sort| keys::position(sort)).ok_or_else(|| unreadable_row(operation))?)
            }
        };
        Ok(Page { items, next })
    }
}

fn to_attributes(keys: &Keys) -> Attributes {
    keys.all().map(|(name, value)| (name.to_owned(), value)).collect()
}
