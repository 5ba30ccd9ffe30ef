//! How long captures are kept that nobody takes up.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use referrals::domain::time::Timestamp;

/// None of it is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Option<Duration>);

impl Retention {
    /// An ISO 8601 duration, `P365D`; nought is for ever. A day has 24 hours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        let duration = Duration::try_from(duration).ok()?;
        Some(Self(Some(duration).filter(|duration| !duration.is_zero())))
    }

    /// What came in before this is not kept at `now`; None where everything is.
    #[must_use]
    pub fn cutoff(self, now: Timestamp) -> Option<Timestamp> {
        let millis = i64::try_from(self.0?.as_millis()).ok()?;
        Some(now.plus_millis(-millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_and_nought_is_for_ever() {
        let now = Timestamp::parse("2026-11-23T07:00:00.500Z").unwrap();
        let cutoff = |text: &str| Retention::parse(text).map(|kept| kept.cutoff(now).map(|at| at.to_string()));
        let at = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(cutoff("P365D"), at("2025-11-23T07:00:00.500Z"));
        assert_eq!(cutoff("P3650D"), at("2016-11-25T07:00:00.500Z"));
        assert_eq!(cutoff("PT0.001S"), at("2026-11-23T07:00:00.499Z"));
        assert_eq!(cutoff("P0D"), Some(None));
        for text in ["", "365", "-P1D", "P1D ", "PXD", "P"] {
            assert_eq!(Retention::parse(text), None, "{text}");
        }
    }
}
