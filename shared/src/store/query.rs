//! Pages of a list: newest first, a bounded number of reads, and the place where the page ended.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::{
    Ledger,
    error::{store_error, unreadable_row},
    keys::{self, Keys, Listing},
    rows::from_item,
    transaction::Attributes,
};
use crate::ports::{Page, Position, StoreError};

/// Reads per answer at most, however little a filter lets through; then the caller gets a cursor.
const MAX_READS: usize = 4;
/// Rows read at a time where a filter drops some of them.
const FILTERED_READ: u32 = 100;

/// An equality that rows must have and that no index covers.
pub struct Filter {
    pub attribute: &'static str,
    pub value: String,
}

impl Ledger {
    /// `position_of` tells where a row stands; `after` is a position with the table key of the row there.
    pub(super) async fn page<R: DeserializeOwned>(
        &self,
        operation: &'static str,
        listing: &Listing,
        filter: Option<&Filter>,
        after: Option<(Keys, &Position)>,
        limit: u32,
        position_of: impl Fn(&R) -> Position,
    ) -> Result<Page<R>, StoreError> {
        let limit_rows = usize::try_from(limit).unwrap_or(usize::MAX);
        // One row more than asked for shows whether there is a next page.
        let per_read = if filter.is_some() { FILTERED_READ } else { limit.saturating_add(1) };
        let mut start = after.map(|(row, position)| to_attributes(&listing.start_key(&row, position)));
        let mut items: Vec<R> = Vec::new();
        for _ in 0..MAX_READS {
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(listing.index.name)
                .scan_index_forward(false)
                .limit(i32::try_from(per_read).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start.take())
                .expression_attribute_names("#partition", listing.index.partition)
                .expression_attribute_values(":partition", AttributeValue::S(listing.partition.clone()));
            query = if listing.prefix.is_empty() {
                query.key_condition_expression("#partition = :partition")
            } else {
                query
                    .key_condition_expression("#partition = :partition AND begins_with(#sort, :prefix)")
                    .expression_attribute_names("#sort", listing.index.sort)
                    .expression_attribute_values(":prefix", AttributeValue::S(listing.prefix.clone()))
            };
            if let Some(filter) = filter {
                query = query
                    .filter_expression("#filter = :filter")
                    .expression_attribute_names("#filter", filter.attribute)
                    .expression_attribute_values(":filter", AttributeValue::S(filter.value.clone()));
            }
            let output = query.send().await.map_err(|error| store_error(operation, &error))?;
            for item in output.items.unwrap_or_default() {
                items.push(from_item(operation, item)?);
            }
            start = output.last_evaluated_key;
            if items.len() > limit_rows || start.is_none() {
                break;
            }
        }
        if items.len() > limit_rows {
            items.truncate(limit_rows);
            let next = items.last().map(position_of);
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
