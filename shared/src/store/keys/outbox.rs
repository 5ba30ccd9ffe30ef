//! Keys of events that wait for the bus, or that it will never take.

use super::Keys;
use crate::domain::{id::EventId, time::Timestamp};

/// Prefix of partitions with outbox items that wait for the bus.
pub const PENDING: &str = "PENDING#";
/// Prefix of partitions with outbox items that the bus will never take.
pub const POISON: &str = "POISON#";
/// Partitions over which pending outbox items are spread; each takes 1,000 write units a second.
pub const OUTBOX_SHARDS: u32 = 8;

/// Exception: pending events of all organizations, spread over shards.
#[must_use]
pub fn pending_event(id: &EventId) -> Keys {
    let sum: u32 = id.as_str().bytes().map(u32::from).sum();
    Keys::new(pending_shard(sum % OUTBOX_SHARDS), id.as_str())
}

/// Partition of one shard of the pending events.
#[must_use]
pub fn pending_shard(shard: u32) -> String {
    format!("{PENDING}{shard}")
}

/// Sort key that every event made before `at` stands before.
#[must_use]
pub fn events_before(at: Timestamp) -> String {
    EventId::from_ulid(ulid::Ulid::from_parts(at.epoch_millis(), 0)).as_str().to_owned()
}

/// Where an outbox item goes that the bus will never take.
#[must_use]
pub fn poison_event(pk: &str, sk: &str) -> Keys {
    let shard = pk.strip_prefix(PENDING).unwrap_or(pk);
    Keys::new(format!("{POISON}{shard}"), sk)
}
