//! One run.

use std::time::{Duration, SystemTime};

use referrals::{
    ports::{Clock as _, OrganizationList, PersonalData, PolicyBook, ReferralReader, StoreError},
    system::{RandomIds, SystemClock, has_time},
    usecase::expire_captures::{Expired, expire_captures},
};

use crate::retention::Retention;

/// One capture has two people and itself, and each may meet conflicts for six seconds, the last of which waits for two slow
/// calls.
const ENOUGH: Duration = Duration::from_mins(1);

/// # Errors
/// When it cannot be read what there is, or some of it stays open that was to be closed.
pub async fn handle(
    ledger: &(impl OrganizationList + PolicyBook + ReferralReader + PersonalData),
    retention: Retention,
    request_id: &str,
    deadline: SystemTime,
) -> Result<(), StoreError> {
    let Some(cutoff) = retention.cutoff(SystemClock.now()) else {
        tracing::info!("captures are kept for ever");
        return Ok(());
    };
    let has_time = || has_time(deadline, ENOUGH);
    let done = expire_captures(ledger, &SystemClock, &RandomIds, cutoff, request_id, has_time).await?;
    tracing::info!(
        captures.expired = done.captures,
        people.erased = done.people,
        captures.failed = done.failed,
        "expired"
    );
    // Each is in the log. The next run is a day away, so somebody is to know of it now, and Lambda calls once more.
    let reason = match done {
        Expired { failed: 0, ran_out: false, .. } => return Ok(()),
        Expired { failed: 0, .. } => "no time was left for the rest".to_owned(),
        Expired { failed, .. } => format!("{failed} of them"),
    };
    Err(StoreError::Failed { operation: "expiring captures", reason })
}
