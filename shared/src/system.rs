//! The system's clock and generator of ids, behind the ports of the same names.

use std::time::{Duration, SystemTime};

use ulid::Ulid;

use crate::{
    domain::time::Timestamp,
    ports::{Clock, Ids},
};

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_jiff(jiff::Timestamp::now())
    }
}

/// ULIDs with 80 random bits from the operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws ids")]
    fn ulid(&self, at: Timestamp) -> Ulid {
        Ulid::from_parts(at.epoch_millis(), Ulid::generate().random())
    }
}

/// Whether at least `enough` is left before the runtime's `deadline`, which is on the system's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn has_time(deadline: SystemTime, enough: Duration) -> bool {
    deadline.duration_since(SystemTime::now()).is_ok_and(|left| left >= enough)
}
