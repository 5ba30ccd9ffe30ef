//! Months as an organization counts them: in its own time zone.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::time::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a time zone")]
pub struct InvalidZone;

/// A time zone by its IANA name, for example `America/New_York`. The database is part of the program: what a month is does
/// not depend on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// # Errors
    /// When the name is not in the database.
    pub fn parse(name: &str) -> Result<Self, InvalidZone> {
        let zone = TimeZone::get(name).map_err(|_| InvalidZone)?;
        if zone.iana_name().is_some() { Ok(Self(zone)) } else { Err(InvalidZone) }
    }

    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// When the day begins here, `YYYY-MM-DD`. A day whose midnight the clocks skip begins at the first time that it has.
    ///
    /// # Errors
    /// When the text is no day since 1970.
    pub fn day_begins(&self, day: &str) -> Result<Timestamp, InvalidDay> {
        let is_plain = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date: jiff::civil::Date = day.parse().map_err(|_| InvalidDay)?;
        let begins = date.to_zoned(self.0.clone()).map_err(|_| InvalidDay)?.timestamp();
        if is_plain && begins >= jiff::Timestamp::UNIX_EPOCH {
            Ok(Timestamp::from_jiff(begins))
        } else {
            Err(InvalidDay)
        }
    }

    /// The day that it is here, `YYYY-MM-DD`.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> String {
        at.in_zone(&self.0).date().to_string()
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    fn try_from(name: String) -> Result<Self, InvalidZone> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.as_str().to_owned()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a day since 1970")]
pub struct InvalidDay;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a month since 1970")]
pub struct InvalidMonth;

/// A month, written `YYYY-MM`, so that text order is time order. From 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// # Errors
    /// When the text is not `YYYY-MM`, or before 1970.
    pub fn parse(text: &str) -> Result<Self, InvalidMonth> {
        let is_plain = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let (year, month) = text.split_once('-').filter(|(year, _)| is_plain && year.len() == 4).ok_or(InvalidMonth)?;
        let (year, month) = (year.parse().map_err(|_| InvalidMonth)?, month.parse().map_err(|_| InvalidMonth)?);
        if year >= 1970 && (1..=12).contains(&month) { Ok(Self { year, month }) } else { Err(InvalidMonth) }
    }

    /// The month of a point in time.
    #[must_use]
    pub fn of(at: Timestamp, zone: &Zone) -> Self {
        let date = at.in_zone(&zone.0);
        // Just after the beginning of 1970 it is still 1969 in the west; months begin where times do.
        if date.year() < 1970 { Self { year: 1970, month: 1 } } else { Self { year: date.year(), month: date.month() } }
    }

    /// The one that is `months` before it; January 1970 at the earliest.
    #[must_use]
    pub fn minus(self, months: u16) -> Self {
        let number = (self.number() - i32::from(months)).max(0);
        let year = i16::try_from(1970 + number / 12).unwrap_or(i16::MAX);
        Self { year, month: i8::try_from(number % 12 + 1).unwrap_or(1) }
    }

    /// How many months the range has, both ends included; nought when it ends before it begins.
    #[must_use]
    pub fn months_to(self, last: Self) -> u32 {
        u32::try_from(last.number() - self.number() + 1).unwrap_or(0)
    }

    /// Months since January 1970.
    fn number(self) -> i32 {
        (i32::from(self.year) - 1970) * 12 + i32::from(self.month) - 1
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl TryFrom<String> for Month {
    type Error = InvalidMonth;

    fn try_from(text: String) -> Result<Self, InvalidMonth> {
        Self::parse(&text)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn zones_are_those_of_the_database() {
        assert_eq!(zone("America/New_York").as_str(), "America/New_York");
        for name in ["", "New York", "America/Nowhere", "+02:00", "EST5EDT,M3.2.0,M11.1.0", "../etc/passwd"] {
            assert_eq!(Zone::parse(name), Err(InvalidZone), "{name:?}");
        }
    }

    #[test]
    fn a_month_is_the_zones() {
        for (time, name, month) in [
            ("2026-12-01T04:59:59.999Z", "America/New_York", "2026-11"),
            ("2026-12-01T05:00:00.000Z", "America/New_York", "2026-12"),
            ("2026-06-30T14:00:00.000Z", "Pacific/Kiritimati", "2026-07"),
            ("2026-07-01T03:59:59.999Z", "America/New_York", "2026-06"),
            ("1970-01-01T00:00:00.000Z", "America/New_York", "1970-01"),
            ("1970-06-15T00:00:00.000Z", "UTC", "1970-06"),
            ("9999-12-30T00:00:00.000Z", "UTC", "9999-12"),
        ] {
            assert_eq!(Month::of(at(time), &zone(name)).to_string(), month, "{time} {name}");
        }
    }

    #[test]
    fn months_are_written_one_way() {
        assert_eq!(Month::parse("2026-02").unwrap().to_string(), "2026-02");
        for text in
            ["", "2026", "2026-2", "2026-00", "2026-13", "1969-12", "2026/02", "2026-02-01", "+026-02", "２０２６-02"]
        {
            assert_eq!(Month::parse(text), Err(InvalidMonth), "{text:?}");
        }
    }

    #[test]
    fn months_are_counted() {
        let month = |text| Month::parse(text).unwrap();
        for (from, back, wanted) in [("2026-11", 11, "2025-12"), ("2026-01", 1, "2025-12"), ("1970-03", 9, "1970-01")] {
            assert_eq!(month(from).minus(back), month(wanted));
        }
        for (from, to, wanted) in [("2026-01", "2026-01", 1), ("2025-12", "2026-02", 3), ("2026-02", "2026-01", 0)] {
            assert_eq!(month(from).months_to(month(to)), wanted);
        }
    }

    #[test]
    fn a_day_begins_at_its_first_moment_there() {
        for (day, name, wanted) in [
            ("2026-11-22", "America/New_York", "2026-11-22T05:00:00.000Z"),
            ("2026-07-04", "America/New_York", "2026-07-04T04:00:00.000Z"),
            // The clocks went from midnight to one.
            ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z"),
            ("1970-01-01", "UTC", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(zone(name).day_begins(day), Ok(at(wanted)), "{day} {name}");
        }
        for day in ["", "2026-02-30", "22.11.2026", "2026-11-22T00:00", "20261122", "1969-12-31", "-002026-1"] {
            assert_eq!(zone("UTC").day_begins(day), Err(InvalidDay), "{day:?}");
        }
    }

    #[test]
    fn a_day_is_the_zones() {
        let time = at("2026-12-01T04:59:59Z");
        assert_eq!(
            (zone("America/New_York").day_of(time), zone("UTC").day_of(time)),
            ("2026-11-30".into(), "2026-12-01".into())
        );
    }

    #[test]
    fn what_is_stored_is_read_again_and_checked() {
        let (zone, month) = (zone("America/New_York"), Month::parse("2026-02").unwrap());
        assert_eq!(serde_json::to_value(&zone).unwrap(), "America/New_York");
        assert_eq!(serde_json::from_str::<Zone>("\"America/New_York\"").unwrap(), zone);
        assert!(serde_json::from_str::<Zone>("\"America/Nowhere\"").is_err());
        assert_eq!(serde_json::to_value(month).unwrap(), "2026-02");
        assert_eq!(serde_json::from_str::<Month>("\"2026-02\"").unwrap(), month);
        assert!(serde_json::from_str::<Month>("\"2026-13\"").is_err());
        assert_eq!(Zone::utc().as_str(), "UTC");
    }
}
