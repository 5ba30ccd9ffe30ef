//! A batch of the outbox's stream, and a partial batch response that names what is still pending.

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use referrals::{
    ports::{Clock as _, EventPublisher, Outbox, OutboxKey, OutboxRecord},
    store::{keys, outbox_record},
    system::SystemClock,
    usecase::relay_events::{AfterFailure, Relayed, relay_events},
};

pub async fn handle(bus: &impl EventPublisher, outbox: &impl Outbox, event: &Event) -> DynamoDbEventResponse {
    let mut sequence_numbers = Vec::new();
    let mut records = Vec::new();
    for record in event.records.iter().filter(|record| record.event_name == "INSERT") {
        if let Some(read) = read(record) {
            sequence_numbers.push(record.change.sequence_number.clone());
            records.push(read);
        }
    }
    let outcomes = relay_events(bus, outbox, &records, AfterFailure::Stop, SystemClock.now()).await;

    let mut response = DynamoDbEventResponse::default();
    for ((record, outcome), sequence_number) in records.iter().zip(outcomes).zip(sequence_numbers) {
        let id = &record.key().sk;
        match outcome {
            Relayed::Done => tracing::info!(event.id = %id, "relayed"),
            Relayed::SetAside(reason) => tracing::error!(event.id = %id, event.reason = %reason, "poison, set aside"),
            Relayed::Retry(reason) => {
                tracing::warn!(event.id = %id, event.reason = %reason, "still pending");
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = sequence_number;
                response.batch_item_failures.push(failure);
            }
        }
    }
    response
}

/// None for what is no pending item.
fn read(record: &EventRecord) -> Option<OutboxRecord> {
    let key = |name: &str| match record.change.keys.get(name) {
        Some(serde_dynamo::AttributeValue::S(value)) => Some(value.clone()),
        _ => None,
    };
    let key = OutboxKey { pk: key(keys::PK)?, sk: key(keys::SK)? };
    if !key.pk.starts_with(keys::PENDING) {
        return None;
    }
    Some(outbox_record(key, serde_dynamo::from_item(record.change.new_image.clone()).ok()))
}

#[cfg(test)]
mod tests;
