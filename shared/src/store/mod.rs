//! The ledger in DynamoDB: the only module here that speaks to it. Keys come from `keys`, and nowhere else.

mod account_cache;
mod answers;
mod attribution;
mod batch;
mod deals;
mod directory;
mod error;
mod import_chunks;
mod imports;
pub mod keys;
mod links;
mod members;
mod messages;
mod organizations;
mod outbox;
mod people;
mod personal_data;
mod pipeline;
mod profile_cache;
mod profiles;
mod provision;
mod query;
mod rate_limiter;
mod recent;
mod record_referral;
mod referrals;
mod revise_person;
mod revision;
mod rewards;
pub mod rows;
pub mod transaction;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use serde::de::DeserializeOwned;

pub use account_cache::AccountCache;
pub use directory::Directory;
pub use outbox::{OutboxTable, record as outbox_record};
pub use profile_cache::ProfileCache;
pub use provision::{Provision, ProvisionError, Provisioned};
pub use rate_limiter::RateLimitTable;

use crate::ports::StoreError;

/// The ledger's table, and the outbox that its transactions write to.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
    outbox_table: String,
}

impl Ledger {
    #[must_use]
    pub fn new(client: Client, table: String, outbox_table: String) -> Self {
        Self { client, table, outbox_table }
    }

    async fn get<R: DeserializeOwned>(
        &self,
        operation: &'static str,
        keys: &keys::Keys,
    ) -> Result<Option<R>, StoreError> {
        get(&self.client, &self.table, operation, keys).await
    }

    /// The rows of a partition whose sort key begins with `prefix`, strongly consistent. Nearly always one read, which
    /// takes a megabyte.
    async fn rows_under<R: DeserializeOwned>(
        &self,
        operation: &'static str,
        partition: String,
        prefix: &str,
    ) -> Result<Vec<R>, StoreError> {
        let items = self.items_under(operation, partition, prefix).await?;
        items.into_iter().map(|item| rows::from_item(operation, item)).collect()
    }

    async fn items_under(
        &self,
        operation: &'static str,
        partition: String,
        prefix: &str,
    ) -> Result<Vec<transaction::Attributes>, StoreError> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .expression_attribute_values(":pk", AttributeValue::S(partition.clone()))
                .set_exclusive_start_key(start);
            // No key begins with nothing, says DynamoDB.
            let query = if prefix.is_empty() {
                query.key_condition_expression("pk = :pk")
            } else {
                query
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            };
            let output = query.send().await.map_err(|error| error::store_error(operation, &error))?;
            items.extend(output.items.unwrap_or_default());
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }
}

/// Reads one row, strongly consistent.
async fn get<R: DeserializeOwned>(
    client: &Client,
    table: &str,
    operation: &'static str,
    keys: &keys::Keys,
) -> Result<Option<R>, StoreError> {
    let output = client
        .get_item()
        .table_name(table)
        .set_key(Some(transaction::primary(keys)))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| error::store_error(operation, &error))?;
    output.item.map(|item| rows::from_item(operation, item)).transpose()
}
