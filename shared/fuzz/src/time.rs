//! Points in time, time zones, days and months. The lines are a zone, a day or a month, and times.
//!
//! A time is written in one width, so that the order of texts is the order of times, and is read again as the same; so are
//! zones and months. A day begins at its first moment: just before it was another one.

use referrals::domain::{
    calendar::{Month, Zone},
    time::Timestamp,
};

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let zone = Zone::parse(lines.next().unwrap_or_default()).unwrap_or(Zone::utc());
    assert_eq!(Zone::parse(zone.as_str()).as_ref(), Ok(&zone));
    let date = lines.next().unwrap_or_default();
    day(&zone, date);
    if let Ok(month) = Month::parse(date) {
        assert_eq!(month.to_string(), date);
        counted(month);
    }
    let mut before: Option<Timestamp> = None;
    for at in lines.take(8).filter_map(|line| Timestamp::parse(line).ok()) {
        moment(at, &zone);
        if let Some(before) = before {
            assert_eq!(before.cmp(&at), before.to_string().cmp(&at.to_string()));
        }
        before = Some(at);
    }
}

fn day(zone: &Zone, date: &str) {
    let Ok(begins) = zone.day_begins(date) else { return };
    moment(begins, zone);
    // A day that the zone has skipped begins as the next one does.
    assert!(zone.day_of(begins).as_str() >= date);
    let just_before = begins.plus_millis(-1);
    if begins.epoch_millis() > 0 {
        assert!(zone.day_of(just_before).as_str() < date);
    }
}

fn moment(at: Timestamp, zone: &Zone) {
    let written = at.to_string();
    assert_eq!(written.len(), "2026-11-22T07:00:00.000Z".len());
    assert_eq!(Timestamp::parse(&written), Ok(at));
    assert_eq!(i64::try_from(at.epoch_millis() / 1_000), Ok(at.epoch_seconds()));
    for later in [at.plus_seconds(86_400), at.plus_seconds(i64::MAX), at.plus_millis(1)] {
        assert!(later >= at);
        assert_eq!(Timestamp::parse(&later.to_string()), Ok(later));
    }

    let month = Month::of(at, zone);
    assert_eq!(Month::parse(&month.to_string()), Ok(month));
    assert!(zone.day_of(at).starts_with(&month.to_string()) || month.to_string() == "1970-01");
    counted(month);
}

fn counted(month: Month) {
    assert_eq!((month.minus(0), month.months_to(month)), (month, 1));
    let year_before = month.minus(12);
    assert!(year_before <= month && (1..=13).contains(&year_before.months_to(month)));
    let number = u16::try_from(year_before.months_to(month)).unwrap_or_default();
    assert_eq!(month.minus(number - 1), year_before);
}
