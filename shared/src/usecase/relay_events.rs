//! Outbox items go to the bus. What the bus accepts leaves the outbox; what it will never accept is set aside, so that
//! it blocks nobody; everything else stays pending.

use crate::{
    domain::time::Timestamp,
    metrics::{self, Unit},
    ports::{EventPublisher, Outbox, OutboxEntry, OutboxRecord, Publication},
};

/// `PutEvents` takes at most ten entries.
const MAX_ENTRIES: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relayed {
    Done,
    SetAside(String),
    /// Still pending.
    Retry(String),
}

/// What follows when an entry stays pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// The rest is not sent. For a stream, which delivers everything behind the first failure again.
    Stop,
    GoOn,
}

/// One outcome per record, in order.
pub async fn relay_events(
    publisher: &impl EventPublisher,
    outbox: &impl Outbox,
    records: &[OutboxRecord],
    after_failure: AfterFailure,
    at: Timestamp,
) -> Vec<Relayed> {
    let mut outcomes: Vec<Relayed> = Vec::with_capacity(records.len());
    for chunk in records.chunks(MAX_ENTRIES) {
        let has_failed = outcomes.iter().any(|outcome| matches!(outcome, Relayed::Retry(_)));
        if has_failed && after_failure == AfterFailure::Stop {
            outcomes.extend(chunk.iter().map(|_| Relayed::Retry("not sent yet".to_owned())));
        } else {
            outcomes.extend(relay_chunk(publisher, outbox, chunk, at).await);
        }
    }
    outcomes
}

async fn relay_chunk(
    publisher: &impl EventPublisher,
    outbox: &impl Outbox,
    records: &[OutboxRecord],
    at: Timestamp,
) -> Vec<Relayed> {
    let entries: Vec<OutboxEntry> = records
        .iter()
        .filter_map(|record| match record {
            OutboxRecord::Entry(entry) => Some(entry.clone()),
            OutboxRecord::Unreadable(_) => None,
        })
        .collect();
    let mut publications = if entries.is_empty() { vec![] } else { publisher.publish(&entries).await }.into_iter();

    let mut outcomes = Vec::with_capacity(records.len());
    let mut accepted = Vec::new();
    for record in records {
        let (key, publication) = match record {
            OutboxRecord::Entry(entry) => (
                &entry.key,
                publications.next().unwrap_or_else(|| Publication::Retry("the bus gave no answer".to_owned())),
            ),
            OutboxRecord::Unreadable(key) => (key, Publication::Refused("unreadable".to_owned())),
        };
        outcomes.push(match publication {
            Publication::Accepted => {
                accepted.push(key.clone());
                Relayed::Done
            }
            Publication::Retry(reason) => Relayed::Retry(reason),
            Publication::Refused(reason) => match outbox.set_aside(key, &reason, at).await {
                Ok(()) => Relayed::SetAside(reason),
                Err(error) => Relayed::Retry(error.to_string()),
            },
        });
    }

    // An event that was sent but not taken out is sent again: consumers know its id.
    let unsettled = if accepted.is_empty() { vec![] } else { outbox.settle(&accepted).await };
    for (record, outcome) in records.iter().zip(&mut outcomes) {
        if let OutboxRecord::Entry(entry) = record
            && unsettled.contains(&entry.key)
        {
            *outcome = Relayed::Retry("sent, but still in the outbox".to_owned());
        }
    }
    for (record, outcome) in records.iter().zip(&outcomes) {
        if let (OutboxRecord::Entry(entry), Relayed::Done) = (record, outcome) {
            metrics::put(at, "Events", Unit::Count, 1, &[("kind", &entry.detail_type)]);
        }
    }
    outcomes
}
