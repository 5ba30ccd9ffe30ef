//! One sweep.

use referrals::{
    ports::{Clock as _, EventPublisher, Outbox, StoreError},
    system::SystemClock,
    usecase::sweep_outbox::sweep_outbox,
};

/// # Errors
/// When the outbox cannot be read. The next sweep is a minute away.
pub async fn handle(bus: &impl EventPublisher, outbox: &impl Outbox, after_seconds: i64) -> Result<(), StoreError> {
    let now = SystemClock.now();
    let swept = sweep_outbox(bus, outbox, now.plus_seconds(-after_seconds), now).await?;
    tracing::info!(
        outbox.published = swept.published,
        outbox.set_aside = swept.set_aside,
        outbox.still_pending = swept.still_pending,
        "swept"
    );
    Ok(())
}
