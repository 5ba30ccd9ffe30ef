//! What the relay has left in the outbox goes to the bus: events whose stream record was lost, whose publication failed for
//! longer than the stream repeats, or that were sent and not taken out.

use super::relay_events::{AfterFailure, Relayed, relay_events};
use crate::{
    domain::time::Timestamp,
    ports::{EventPublisher, Outbox, StoreError},
};

/// Entries read at a time.
const PAGE: u32 = 100;
/// Pages of one shard in one sweep. What is left is the next sweep's.
const MAX_PAGES: usize = 10;

/// What one sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub published: usize,
    pub set_aside: usize,
    pub still_pending: usize,
}

/// Publishes what has been pending since before `before`.
///
/// # Errors
/// When the outbox cannot be read. What was published before stays published.
pub async fn sweep_outbox(
    publisher: &impl EventPublisher,
    outbox: &impl Outbox,
    before: Timestamp,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    for shard in 0..outbox.shards() {
        for _ in 0..MAX_PAGES {
            let records = outbox.pending_before(shard, before, PAGE).await?;
            let outcomes = relay_events(publisher, outbox, &records, AfterFailure::GoOn, now).await;
            let mut stuck = 0;
            for (record, outcome) in records.iter().zip(outcomes) {
                let id = &record.key().sk;
                match outcome {
                    Relayed::Done => swept.published += 1,
                    Relayed::SetAside(reason) => {
                        tracing::error!(event.id = %id, event.reason = %reason, "poison, set aside");
                        swept.set_aside += 1;
                    }
                    Relayed::Retry(reason) => {
                        tracing::warn!(event.id = %id, event.reason = %reason, "still pending");
                        stuck += 1;
                    }
                }
            }
            swept.still_pending += stuck;
            // The next page would begin with what is stuck in this one.
            if stuck > 0 || records.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                break;
            }
        }
    }
    Ok(swept)
}
