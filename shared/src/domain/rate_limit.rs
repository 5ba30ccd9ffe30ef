//! How often somebody may come: fixed windows, each with its own limit.

use std::net::{IpAddr, Ipv6Addr};

use super::time::Timestamp;

/// Two windows over one counter: a short one within a long one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Admissions in each minute.
    pub per_minute: u32,
    /// Admissions in each long window.
    pub per_window: u32,
    /// Length of the long window in seconds: a whole number of minutes.
    pub window_seconds: u32,
}

/// Where a moment lies in its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Start of the long window, epoch seconds.
    pub window_start: i64,
    /// Number of the minute within the long window.
    pub minute: i64,
    /// Epoch seconds.
    pub now: i64,
}

const MINUTE: i64 = 60;

impl Limits {
    #[must_use]
    pub fn place(&self, at: Timestamp) -> Place {
        let now = at.epoch_seconds();
        let window_start = now - now.rem_euclid(i64::from(self.window_seconds));
        Place { window_start, minute: (now - window_start) / MINUTE, now }
    }

    /// When the long window is over, epoch seconds.
    #[must_use]
    pub fn window_end(&self, place: Place) -> i64 {
        place.window_start + i64::from(self.window_seconds)
    }

    /// Seconds until somebody who was refused may come again, given what the long window has counted: at least one.
    #[must_use]
    pub fn retry_after_seconds(&self, place: Place, counted_in_window: u32) -> u32 {
        let until = if counted_in_window >= self.per_window {
            self.window_end(place)
        } else {
            place.window_start + (place.minute + 1) * MINUTE
        };
        u32::try_from(until - place.now).unwrap_or(1).max(1)
    }
}

/// The network that a client comes from: an IPv4 address as it is, an IPv6 address by its /64, which is what one
/// subscriber gets. None for what is no address.
#[must_use]
pub fn network_of(source_ip: &str) -> Option<String> {
    Some(match source_ip.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            format!("{}/64", Ipv6Addr::from(network))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Limits = Limits { per_minute: 10, per_window: 60, window_seconds: 3_600 };

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn windows_start_with_the_clock() {
        let place = HOUR.place(at("2026-11-22T07:59:59.999Z"));
        assert_eq!((place.minute, HOUR.window_end(place) - place.now), (59, 1));
        let next = HOUR.place(at("2026-11-22T08:00:00Z"));
        assert_eq!((next.minute, next.window_start), (0, HOUR.window_end(place)));
    }

    #[test]
    fn whoever_is_refused_is_told_when_to_come_again() {
        let place = HOUR.place(at("2026-11-22T07:30:45Z"));
        assert_eq!(HOUR.retry_after_seconds(place, 10), 15);
        assert_eq!(HOUR.retry_after_seconds(place, 60), 29 * 60 + 15);
        assert_eq!(HOUR.retry_after_seconds(HOUR.place(at("2026-11-22T07:59:59Z")), 60), 1);
    }

    #[test]
    fn one_subscriber_is_one_network() {
        for (one, other, same) in [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ] {
            assert_eq!(network_of(one) == network_of(other), same, "{one} {other}");
        }
        for text in ["", "localhost", "203.0.113.7, 10.0.0.1", "203.0.113"] {
            assert_eq!(network_of(text), None, "{text}");
        }
    }
}
