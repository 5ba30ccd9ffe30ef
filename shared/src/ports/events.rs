//! Events on their way: the outbox and the bus.

use std::future::Future;

use super::StoreError;
use crate::domain::time::Timestamp;

/// The key of an outbox item, as the stream shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKey {
    pub pk: String,
    pub sk: String,
}

/// An outbox item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    pub key: OutboxKey,
    pub detail_type: String,
    pub occurred_at: Timestamp,
    pub detail: String,
}

/// A pending item of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxRecord {
    Entry(OutboxEntry),
    /// An item that no event can be read from.
    Unreadable(OutboxKey),
}

impl OutboxRecord {
    #[must_use]
    pub fn key(&self) -> &OutboxKey {
        match self {
            Self::Entry(entry) => &entry.key,
            Self::Unreadable(key) => key,
        }
    }
}

/// What the bus said to one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    Accepted,
    /// Not now: the entry stays pending.
    Retry(String),
    /// Never: the entry is poison.
    Refused(String),
}

/// The event bus.
pub trait EventPublisher: Send + Sync {
    /// One answer per entry, in order.
    fn publish(&self, entries: &[OutboxEntry]) -> impl Future<Output = Vec<Publication>> + Send;
}

/// The outbox after publication.
pub trait Outbox: Send + Sync {
    /// Takes published entries out. Those that could not be taken out are returned.
    fn settle(&self, keys: &[OutboxKey]) -> impl Future<Output = Vec<OutboxKey>> + Send;

    /// At most `limit` pending entries of one shard that are older than `before`, oldest first.
    fn pending_before(
        &self,
        shard: u32,
        before: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<OutboxRecord>, StoreError>> + Send;

    /// How many shards there are.
    fn shards(&self) -> u32;

    /// Moves an entry that can never be published out of the pending ones. One that is gone already is fine.
    fn set_aside(
        &self,
        key: &OutboxKey,
        reason: &str,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
