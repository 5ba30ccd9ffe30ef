//! Points in time: UTC, cut to milliseconds, written as RFC 3339 with a fixed width so that text order is time order.
//! Reading the clock is not done here; see `ports::Clock`.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a time since 1970")]
pub struct InvalidTime;

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z, not before it and not after the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Cuts to milliseconds.
    #[must_use]
    pub fn from_jiff(at: jiff::Timestamp) -> Self {
        // Not by way of its milliseconds: `jiff` makes none of those of the last second that there is.
        let cut = jiff::Timestamp::new(at.as_second(), at.subsec_nanosecond() / 1_000_000 * 1_000_000);
        Self(cut.unwrap_or(at))
    }

    /// Reads RFC 3339, and the like of it that `jiff` reads (a space for the `T`, no seconds, a zone in brackets).
    ///
    /// # Errors
    /// When the text is none of it, has no offset, or is before 1970: text order would not be time order any more.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let at: jiff::Timestamp = text.parse().map_err(|_| InvalidTime)?;
        if at < jiff::Timestamp::UNIX_EPOCH { Err(InvalidTime) } else { Ok(Self::from_jiff(at)) }
    }

    /// Saturates at the end of time, which is the year 9999.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_jiff(self.0.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(self.0))
    }

    /// Days of 24 hours. Saturates as [`Self::plus_seconds`].
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Saturates as [`Self::plus_seconds`].
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_jiff(self.0.saturating_add(SignedDuration::from_millis(millis)).unwrap_or(self.0))
    }

    /// As the clocks and calendars of a zone show it.
    #[must_use]
    pub(super) fn in_zone(self, zone: &jiff::tz::TimeZone) -> jiff::Zoned {
        self.0.to_zoned(zone.clone())
    }

    /// Whole seconds since 1970: the unit of DynamoDB's TTL attribute.
    #[must_use]
    pub fn epoch_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Milliseconds since 1970: the unit of a ULID's time part.
    #[must_use]
    pub fn epoch_millis(self) -> u64 {
        u64::try_from(self.0.as_millisecond()).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_exactly_three_decimals() {
        for (given, written) in [
            ("2026-11-22T07:00:00Z", "2026-11-22T07:00:00.000Z"),
            ("2026-11-22T07:00:00.123999Z", "2026-11-22T07:00:00.123Z"),
            ("2026-11-22T09:00:00.5+02:00", "2026-11-22T07:00:00.500Z"),
            ("9999-12-30T22:00:00.999999999Z", "9999-12-30T22:00:00.999Z"),
        ] {
            assert_eq!(Timestamp::parse(given).unwrap().to_string(), written);
            assert_eq!(Timestamp::parse(given), Timestamp::parse(written));
        }
    }

    #[test]
    fn begins_in_1970() {
        assert!(Timestamp::parse("1970-01-01T00:00:00Z").is_ok());
        for text in ["1969-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z", "-000001-01-01T00:00:00Z", "2026-11-22", ""] {
            assert_eq!(Timestamp::parse(text), Err(InvalidTime), "{text}");
        }
    }

    #[test]
    fn adds_seconds() {
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        assert_eq!(at.plus_seconds(30 * 86_400).to_string(), "2026-12-22T07:00:00.000Z");
        let last = at.plus_seconds(i64::MAX);
        assert_eq!(last.to_string(), "9999-12-30T22:00:00.999Z");
        assert_eq!([last.plus_millis(1), Timestamp::parse(&last.to_string()).unwrap()], [last; 2]);
    }

    #[test]
    fn adds_and_counts_milliseconds() {
        let at = Timestamp::parse("1970-01-01T00:00:01.500Z").unwrap();
        assert_eq!((at.epoch_seconds(), at.epoch_millis()), (1, 1_500));
        assert_eq!(at.plus_millis(250).to_string(), "1970-01-01T00:00:01.750Z");
        assert_eq!(at.plus_millis(i64::MAX).to_string().get(..4), Some("9999"));
    }

    #[test]
    fn what_is_stored_is_read_again_and_checked() {
        let at = Timestamp::parse("2026-11-22T07:00:00.123Z").unwrap();
        assert_eq!(serde_json::to_value(at).unwrap(), "2026-11-22T07:00:00.123Z");
        assert_eq!(serde_json::from_str::<Timestamp>("\"2026-11-22T07:00:00.123Z\"").unwrap(), at);
        assert!(serde_json::from_str::<Timestamp>("\"1969-12-31T23:59:59Z\"").is_err());
    }
}
