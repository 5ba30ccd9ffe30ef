//! The outbox: events written in the transaction of what they announce, and what becomes of them after the bus.
//! It has a table of its own, so that its stream and whoever reads it never see a person's data.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, DeleteRequest, WriteRequest},
};

use super::{
    error::store_error,
    keys,
    rows::{OutboxRow, to_item},
    transaction::{Attributes, Committed, Transaction},
};
use crate::{
    domain::time::Timestamp,
    events::NewEvent,
    ports::{Outbox, OutboxEntry, OutboxKey, OutboxRecord, StoreError},
};

/// `BatchWriteItem` takes at most 25 requests.
const MAX_DELETES: usize = 25;

/// The outbox item of a new event.
pub(super) fn item(event: &NewEvent) -> Result<Attributes, StoreError> {
    let row = OutboxRow {
        detail_type: event.detail_type.to_owned(),
        occurred_at: event.occurred_at,
        detail: event.detail.clone(),
    };
    to_item(&row, &keys::pending_event(&event.id))
}

/// A pending item, read. An event whose detail is no JSON object could never be read by anybody.
#[must_use]
pub fn record(key: OutboxKey, row: Option<OutboxRow>) -> OutboxRecord {
    let readable =
        row.filter(|row| serde_json::from_str::<serde_json::Value>(&row.detail).is_ok_and(|detail| detail.is_object()));
    match readable {
        Some(row) => OutboxRecord::Entry(OutboxEntry {
            key,
            detail_type: row.detail_type,
            occurred_at: row.occurred_at,
            detail: row.detail,
        }),
        None => OutboxRecord::Unreadable(key),
    }
}

/// The outbox's table, for those who empty it.
#[derive(Debug, Clone)]
pub struct OutboxTable {
    client: Client,
    table: String,
}

impl OutboxTable {
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The keys that were not deleted.
    async fn delete(&self, chunk: &[OutboxKey]) -> Vec<OutboxKey> {
        let mut requests = Vec::with_capacity(chunk.len());
        for key in chunk {
            if let Ok(delete) = DeleteRequest::builder().set_key(Some(attributes(key))).build() {
                requests.push(WriteRequest::builder().delete_request(delete).build());
            }
        }
        let output = match self.client.batch_write_item().request_items(&self.table, requests).send().await {
            Ok(output) => output,
            Err(error) => {
                tracing::warn!(error.message = %store_error("BatchWriteItem", &error), "published events stay pending");
                return chunk.to_vec();
            }
        };
        let unprocessed: Vec<Attributes> = output
            .unprocessed_items
            .unwrap_or_default()
            .into_values()
            .flatten()
            .filter_map(|request| request.delete_request.map(|delete| delete.key))
            .collect();
        chunk.iter().filter(|key| unprocessed.contains(&attributes(key))).cloned().collect()
    }
}

impl Outbox for OutboxTable {
    async fn settle(&self, keys: &[OutboxKey]) -> Vec<OutboxKey> {
        let mut left = Vec::new();
        for chunk in keys.chunks(MAX_DELETES) {
            left.extend(self.delete(chunk).await);
        }
        left
    }

    async fn pending_before(&self, shard: u32, before: Timestamp, limit: u32) -> Result<Vec<OutboxRecord>, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :before")
            .expression_attribute_values(":pk", AttributeValue::S(keys::pending_shard(shard)))
            .expression_attribute_values(":before", AttributeValue::S(keys::events_before(before)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| store_error("reading the outbox", &error))?;
        let text = |item: &Attributes, name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Ok(output
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(|item| {
                let key = OutboxKey { pk: text(&item, keys::PK)?, sk: text(&item, keys::SK)? };
                Some(record(key, serde_dynamo::from_item(item).ok()))
            })
            .collect())
    }

    fn shards(&self) -> u32 {
        keys::OUTBOX_SHARDS
    }

    async fn set_aside(&self, key: &OutboxKey, reason: &str, at: Timestamp) -> Result<(), StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(attributes(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| store_error("reading an outbox item", &error))?;
        let Some(mut item) = output.item else { return Ok(()) };
        item.extend(keys::poison_event(&key.pk, &key.sk).all().map(|(name, value)| (name.to_owned(), value)));
        item.insert("poisonReason".to_owned(), AttributeValue::S(reason.to_owned()));
        item.insert("poisonedAt".to_owned(), AttributeValue::S(at.to_string()));
        let mut transaction = Transaction::default();
        transaction.create((), &self.table, item)?;
        transaction.delete((), &self.table, attributes(key))?;
        match transaction.commit(&self.client).await? {
            // Refused: an earlier attempt has set it aside already.
            Committed::Done | Committed::Refused(_) => Ok(()),
        }
    }
}

fn attributes(key: &OutboxKey) -> Attributes {
    [(keys::PK, &key.pk), (keys::SK, &key.sk)]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.clone())))
        .into()
}
