//! From a batch of queue messages to bus events and back to a partial batch response, for every consumer.
//!
//! A message is done only when its handler says so. Everything else goes back to the queue, and after five receives to
//! the dead-letter queue: nothing is acknowledged silently, and no message blocks another.

use std::{
    future::Future,
    time::{Duration, SystemTime},
};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::Instrument as _;

use crate::{events::UnreadableEvent, ports::StoreError, system::has_time};

/// An event as EventBridge delivers it. The detail stays raw: its reader decides what it may be.
#[derive(Debug, Deserialize)]
pub struct BusMessage<'a> {
    pub id: String,
    pub source: String,
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    #[serde(borrow)]
    pub detail: &'a RawValue,
}

/// What a handler did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It was applied before.
    AlreadyDone,
    /// There is nothing to do, and never will be, for this reason.
    Ignored(&'static str),
}

/// Why an event was not handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// May work later.
    Retry(String),
    /// Will never work. It still goes the way of the dead-letter queue, where somebody sees it.
    Reject(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if error.is_retryable() { Self::Retry(error.to_string()) } else { Self::Reject(error.to_string()) }
    }
}

impl From<UnreadableEvent> for Failure {
    fn from(error: UnreadableEvent) -> Self {
        Self::Reject(error.to_string())
    }
}

/// A message is not begun with less time left than this: a killed invocation would fail its whole batch.
const ENOUGH: Duration = Duration::from_secs(6);

/// Hands each message to `handle`, one after the other, and names those that failed or could not be begun before
/// `deadline`.
pub async fn consume<H, F>(batch: &SqsEvent, deadline: SystemTime, handle: H) -> SqsBatchResponse
where
    H: Fn(&SqsMessage) -> F,
    F: Future<Output = Result<Outcome, Failure>>,
{
    let mut response = SqsBatchResponse::default();
    for message in &batch.records {
        let id = message.message_id.clone().unwrap_or_default();
        let span = tracing::info_span!("message", message.id = %id);
        async {
            let result = if has_time(deadline, ENOUGH) {
                handle(message).await
            } else {
                Err(Failure::Retry("no time was left to begin".to_owned()))
            };
            match result {
                Ok(outcome) => tracing::info!(event.outcome = ?outcome, "handled"),
                Err(Failure::Retry(reason)) => {
                    tracing::warn!(event.outcome = "Retry", event.reason = %reason, "not handled");
                    response.add_failure(id.clone());
                }
                Err(Failure::Reject(reason)) => {
                    tracing::error!(event.outcome = "Reject", event.reason = %reason, "not handled");
                    response.add_failure(id.clone());
                }
            }
        }
        .instrument(span)
        .await;
    }
    response
}

/// Reads a message as an event of the bus.
///
/// # Errors
/// When the body is no such event.
pub fn read(message: &SqsMessage) -> Result<BusMessage<'_>, Failure> {
    let body = message.body.as_deref().unwrap_or_default();
    serde_json::from_str(body).map_err(|_| Failure::Reject("the message is not an event of the bus".to_owned()))
}
