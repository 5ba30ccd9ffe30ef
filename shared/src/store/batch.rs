//! Many rows by their keys, in few reads.

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};
use serde::de::DeserializeOwned;

use super::{
    Ledger,
    error::store_error,
    keys::Keys,
    rows::from_item,
    transaction::{Attributes, Patience, primary},
};
use crate::ports::StoreError;

/// `BatchGetItem` takes at most 100 keys.
const MAX_KEYS: usize = 100;

/// The items that are there, in no order. The keys have to differ from each other.
pub(super) async fn get_all(
    client: &Client,
    table: &str,
    operation: &'static str,
    keys: &[Keys],
) -> Result<Vec<Attributes>, StoreError> {
    let mut items = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(MAX_KEYS) {
        let mut left: Vec<Attributes> = chunk.iter().map(primary).collect();
        let mut patience = Patience::new();
        while !left.is_empty() {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(left))
                .consistent_read(true)
                .build()
                .map_err(|_| StoreError::Failed { operation, reason: "an incomplete request".to_owned() })?;
            let output = client
                .batch_get_item()
                .request_items(table, request)
                .send()
                .await
                .map_err(|error| store_error(operation, &error))?;
            items.extend(output.responses.unwrap_or_default().into_values().flatten());
            // What a throttled table or a full answer left out is asked for again.
            left = output.unprocessed_keys.unwrap_or_default().into_values().flat_map(|rest| rest.keys).collect();
            if !left.is_empty() && !patience.wait().await {
                return Err(StoreError::Unavailable { operation, reason: "unprocessed keys".to_owned() });
            }
        }
    }
    Ok(items)
}

impl Ledger {
    pub(super) async fn get_all<R: DeserializeOwned>(
        &self,
        operation: &'static str,
        keys: &[Keys],
    ) -> Result<Vec<R>, StoreError> {
        let items = get_all(&self.client, &self.table, operation, keys).await?;
        items.into_iter().map(|item| from_item(operation, item)).collect()
    }
}
