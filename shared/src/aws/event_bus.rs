//! Publishing to EventBridge, answer by answer: `PutEvents` succeeds as a call while entries of it fail.

use aws_sdk_eventbridge::{Client, error::ProvideErrorMetadata, primitives::DateTime, types::PutEventsRequestEntry};

use crate::{
    events::SOURCE,
    ports::{EventPublisher, OutboxEntry, Publication},
};

/// Codes of an entry that will never be accepted.
const PERMANENT: [&str; 4] =
    ["InvalidArgument", "MalformedDetail", "NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException"];

#[derive(Debug, Clone)]
pub struct EventBridgeBus {
    client: Client,
    bus: String,
}

impl EventBridgeBus {
    /// `bus` is the name or ARN of a bus that exists: putting to any other drops events without an error.
    #[must_use]
    pub fn new(client: Client, bus: String) -> Self {
        Self { client, bus }
    }

    fn request(&self, entry: &OutboxEntry) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(&entry.detail_type)
            .detail(&entry.detail)
            .time(DateTime::from_millis(i64::try_from(entry.occurred_at.epoch_millis()).unwrap_or(0)))
            .build()
    }
}

impl EventPublisher for EventBridgeBus {
    async fn publish(&self, entries: &[OutboxEntry]) -> Vec<Publication> {
        let requests = entries.iter().map(|entry| self.request(entry)).collect();
        let output = match self.client.put_events().set_entries(Some(requests)).send().await {
            Ok(output) => output,
            Err(error) => {
                // The call failed as a whole, so nothing is known about any single entry.
                let reason = error.code().unwrap_or("no answer").to_owned();
                return vec![Publication::Retry(reason); entries.len()];
            }
        };
        let mut answers: Vec<Publication> = output
            .entries()
            .iter()
            .map(|entry| match entry.error_code() {
                None => Publication::Accepted,
                Some(code) if PERMANENT.contains(&code) => Publication::Refused(code.to_owned()),
                Some(code) => Publication::Retry(code.to_owned()),
            })
            .collect();
        answers.resize(entries.len(), Publication::Retry("no answer for the entry".to_owned()));
        answers
    }
}
