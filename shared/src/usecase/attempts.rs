//! Trying again when a row moved between reading and writing.

use std::time::Duration;

use crate::ports::StoreError;

/// A row moved under each of so many attempts: somebody changes it all the time.
pub(super) const MAX_ATTEMPTS: usize = 8;

/// Longest pause before the rows are read again.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Somebody else was quicker; a moment apart, two who keep meeting do not meet again.
pub(super) async fn pause() {
    tokio::time::sleep(LONGEST_PAUSE.mul_f64(fastrand::f64())).await;
}

pub(super) fn gave_up(operation: &'static str) -> StoreError {
    StoreError::Unavailable { operation, reason: "rows keep moving".to_owned() }
}
