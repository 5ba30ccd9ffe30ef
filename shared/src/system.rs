//! The system's clock and generator of ids, behind the ports of the same names.

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
