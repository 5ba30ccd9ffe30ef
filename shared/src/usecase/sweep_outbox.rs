//! What the relay has left in the outbox goes to the bus: events whose stream record was lost, whose publication failed for
//! longer than the stream repeats, or that were sent and not taken out.

use super::relay_events::{AfterFailure, Relayed, relay_events};
use crate::{
    domain::time::Timestamp,
    ports::{EventPublisher, Outbox, OutboxRecord, StoreError},
};

/// Entries read at a time: two calls to the bus, so that a bus that hangs is noticed between pages.
const PAGE: u32 = 20;
/// Pages of one shard in one sweep. What is left is the next sweep's.
const MAX_PAGES: usize = 50;

/// What one sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub published: usize,
    pub set_aside: usize,
    pub still_pending: usize,
    /// When the oldest event that waited had happened.
    pub oldest: Option<Timestamp>,
}

/// Publishes what has been pending since before `before`, for as long as `has_time` says so. Each sweep begins at another
/// shard, so that no shard is always the one for which no time was left.
///
/// # Errors
/// When a shard cannot be read; the others were swept all the same. What was published stays published.
pub async fn sweep_outbox(
    publisher: &impl EventPublisher,
    outbox: &impl Outbox,
    before: Timestamp,
    now: Timestamp,
    has_time: impl Fn() -> bool,
) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    let mut unreadable = None;
    let shards = outbox.shards();
    let first = u32::try_from(now.epoch_seconds() / 60 % i64::from(shards)).unwrap_or(0);
    for shard in (0..shards).map(|step| (first + step) % shards) {
        for _ in 0..MAX_PAGES {
            if !has_time() {
                tracing::warn!("no time was left; the rest is the next sweep's");
                return unreadable.map_or(Ok(swept), Err);
            }
            let records = match outbox.pending_before(shard, before, PAGE).await {
                Ok(records) => records,
                Err(error) => {
                    unreadable = Some(error);
                    break;
                }
            };
            let stuck_before = swept.still_pending;
            let outcomes = relay_events(publisher, outbox, &records, AfterFailure::GoOn, now).await;
            for (record, outcome) in records.iter().zip(outcomes) {
                swept.see(record);
                swept.count(&record.key().sk, outcome);
            }
            // The next page would begin with what is stuck in this one.
            let is_stuck = swept.still_pending > stuck_before;
            if is_stuck || records.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                break;
            }
        }
    }
    unreadable.map_or(Ok(swept), Err)
}

impl Swept {
    fn see(&mut self, record: &OutboxRecord) {
        if let OutboxRecord::Entry(entry) = record {
            let at = entry.occurred_at;
            self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
        }
    }

    fn count(&mut self, id: &str, outcome: Relayed) {
        match outcome {
            Relayed::Done => self.published += 1,
            Relayed::SetAside(reason) => {
                tracing::error!(event.id = %id, event.reason = %reason, "poison, set aside");
                self.set_aside += 1;
            }
            Relayed::Retry(reason) => {
                tracing::warn!(event.id = %id, event.reason = %reason, "still pending");
                self.still_pending += 1;
            }
        }
    }
}
