//! One run.

use std::time::{Duration, SystemTime};

use referrals::{
    ports::{HoldBook, ReferralReader, StoreError},
    system::{RandomIds, SystemClock, has_time},
    usecase::release_holds::release_holds,
};

/// One reward takes attempts of six seconds, the last of which may wait for conflicts and for two slow calls.
const ENOUGH: Duration = Duration::from_secs(17);

/// # Errors
/// When it cannot be read what is due, or some of it stays held.
pub async fn handle(
    ledger: &(impl HoldBook + ReferralReader),
    request_id: &str,
    deadline: SystemTime,
) -> Result<(), StoreError> {
    let has_time = || has_time(deadline, ENOUGH);
    let done = release_holds(ledger, &SystemClock, &RandomIds, request_id, has_time).await?;
    tracing::info!(
        holds.released = done.released,
        holds.dropped = done.dropped,
        holds.failed = done.failed,
        "released"
    );
    // Each is in the log. What stays held is money that nobody else asks for, so somebody is to know of it.
    if done.failed > 0 {
        return Err(StoreError::Failed { operation: "releasing rewards", reason: format!("{} of them", done.failed) });
    }
    Ok(())
}
