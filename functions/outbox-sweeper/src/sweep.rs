//! One sweep.

use std::time::{Duration, SystemTime};

use referrals::{
    metrics::{self, Unit},
    ports::{Clock as _, EventPublisher, Outbox, StoreError},
    system::{SystemClock, has_time},
    usecase::sweep_outbox::sweep_outbox,
};

/// A page takes at most a read, two calls to the bus and a delete, of four seconds each.
const ENOUGH: Duration = Duration::from_secs(17);

/// # Errors
/// When the outbox cannot be read. The next sweep is a minute away.
pub async fn handle(
    bus: &impl EventPublisher,
    outbox: &impl Outbox,
    after_seconds: i64,
    deadline: SystemTime,
) -> Result<(), StoreError> {
    let now = SystemClock.now();
    let has_time = || has_time(deadline, ENOUGH);
    let swept = sweep_outbox(bus, outbox, now.plus_seconds(-after_seconds), now, has_time).await?;
    let age = swept.oldest.map_or(0, |oldest| now.epoch_seconds() - oldest.epoch_seconds());
    metrics::put(now, "PendingAge", Unit::Seconds, u64::try_from(age).unwrap_or(0), &[]);
    tracing::info!(
        outbox.published = swept.published,
        outbox.set_aside = swept.set_aside,
        outbox.still_pending = swept.still_pending,
        "swept"
    );
    Ok(())
}
