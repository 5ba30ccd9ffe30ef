//! Trying again when a row moved between reading and writing.

use std::time::Duration;

use crate::{
    domain::time::Timestamp,
    ports::{Clock, StoreError},
};

/// A row moved under each of so many attempts: somebody changes it all the time.
pub(super) const MAX_ATTEMPTS: usize = 8;

/// No attempt is begun so long after the first, in seconds: one may wait three for conflicts, and whoever asked has to get
/// an answer within the function's time.
const PATIENCE_SECONDS: i64 = 6;

/// Longest pause before the rows are read again.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// The attempts of one operation.
pub(super) struct Attempts<'a, C> {
    clock: &'a C,
    until: Timestamp,
    made: usize,
}

impl<'a, C: Clock> Attempts<'a, C> {
    pub(super) fn begin(clock: &'a C) -> Self {
        Self { clock, until: clock.now().plus_seconds(PATIENCE_SECONDS), made: 0 }
    }

    /// Whether there is another attempt, the first one always.
    pub(super) fn go_on(&mut self) -> bool {
        self.made += 1;
        self.made == 1 || (self.made <= MAX_ATTEMPTS && self.clock.now() < self.until)
    }
}

/// Somebody else was quicker; a moment apart, two who keep meeting do not meet again.
pub(super) async fn pause() {
    tokio::time::sleep(LONGEST_PAUSE.mul_f64(fastrand::f64())).await;
}

pub(super) fn gave_up(operation: &'static str) -> StoreError {
    StoreError::Unavailable { operation, reason: "rows keep moving".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    struct Seconds(AtomicI64);

    impl Clock for Seconds {
        fn now(&self) -> Timestamp {
            Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_seconds(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn attempts_end_by_number_and_by_time_but_there_is_always_one() {
        for (step, wanted) in [(0, MAX_ATTEMPTS), (2, 3), (PATIENCE_SECONDS, 1), (60, 1)] {
            let clock = Seconds(AtomicI64::new(0));
            let mut attempts = Attempts::begin(&clock);
            let mut made = 0;
            while attempts.go_on() {
                made += 1;
                clock.0.fetch_add(step, Ordering::Relaxed);
            }
            assert_eq!(made, wanted, "{step}");
        }
    }
}
