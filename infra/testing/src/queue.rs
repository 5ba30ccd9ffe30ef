//! A delivery of a queue to a function, and what the function says of it.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use serde_json::{Value, json};

/// Messages with these bodies; their ids are `message-0`, `message-1`, ….
#[must_use]
pub fn batch<B: AsRef<str>>(bodies: &[B]) -> SqsEvent {
    let record = |(place, body): (usize, &B)| {
        let (id, body) = (format!("message-{place}"), body.as_ref());
        json!({"messageId": id, "body": body, "attributes": {}, "messageAttributes": {}})
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({"Records": records})).unwrap()
}

/// A deadline that leaves time enough.
#[must_use]
pub fn in_a_minute() -> SystemTime {
    SystemTime::now() + Duration::from_mins(1)
}

/// The ids of the messages that are to come again.
#[must_use]
pub fn failed(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}
