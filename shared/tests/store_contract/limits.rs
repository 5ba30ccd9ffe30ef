//! Exactly the limit, however many come at once.

use referrals::{
    domain::{rate_limit::Limits, time::Timestamp},
    ports::{Admission, Counted, RateLimiter as _},
    usecase::capture_referral::Captured,
};
use referrals_testing::{Fixtures, TestStore, contact, submission};

use crate::world::World;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

const LIMITS: Limits = Limits { per_minute: 20, per_window: 30, window_seconds: 3_600 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_at_once_exactly_the_limit_is_admitted() {
    let limiter = TestStore::start().await.limiter();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                limiter.admit(Counted::Network("hash"), LIMITS, at("2026-11-22T07:10:30Z")).await.unwrap()
            })
        })
        .collect();
    let mut admitted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Admission::Admitted => admitted += 1,
            Admission::Refused { retry_after_seconds } => assert_eq!(retry_after_seconds, 30),
        }
    }
    assert_eq!(admitted, 20);
}

#[tokio::test]
async fn both_windows_hold_and_both_end() {
    let store = TestStore::start().await;
    let limiter = store.limiter();
    let count = async |moment: &str, times: usize| {
        let mut admitted = 0;
        let mut retry_after = 0;
        for _ in 0..times {
            match limiter.admit(Counted::Network("hash"), LIMITS, at(moment)).await.unwrap() {
                Admission::Admitted => admitted += 1,
                Admission::Refused { retry_after_seconds } => retry_after = retry_after_seconds,
            }
        }
        (admitted, retry_after)
    };
    assert_eq!(count("2026-11-22T07:00:10Z", 25).await, (20, 50));
    // The next minute: ten are left of the hour.
    assert_eq!(count("2026-11-22T07:01:00Z", 25).await, (10, 59 * 60));
    assert_eq!(count("2026-11-22T07:59:59Z", 1).await, (0, 1));
    // The next hour, with the last one's counter still in the table.
    assert_eq!(count("2026-11-22T08:00:00Z", 25).await, (20, 60));
}

#[tokio::test]
async fn one_is_not_counted_for_another() {
    let limiter = TestStore::start().await.limiter();
    let one = Limits { per_minute: 1, ..LIMITS };
    let slug = Fixtures::slug();
    for counted in [Counted::Network("a"), Counted::Network("b"), Counted::Slug(&slug)] {
        assert_eq!(limiter.admit(counted, one, at("2026-11-22T07:00:00Z")).await, Ok(Admission::Admitted));
    }
}

#[tokio::test]
async fn a_slug_whose_quota_is_used_up_takes_nothing_and_another_does() {
    let mut world = World::new().await;
    world.slug_limits = Limits { per_minute: 2, per_window: 100, window_seconds: 86_400 };
    for friend in ["a@example.com", "b@example.com"] {
        world.capture(contact("pat@example.com", ""), contact(friend, "")).await;
    }
    let form = submission(contact("pat@example.com", ""), contact("c@example.com", ""));
    let Captured::Refused { retry_after_seconds } = world.submit(&form).await.unwrap() else { panic!("not refused") };
    assert!((1..=60).contains(&retry_after_seconds));
    assert_eq!(world.rows("REFERRAL").await.len(), 2);
    assert!(matches!(world.submit_to("omar-reyes-homes", &form).await, Ok(Captured::Recorded(..))));
    // What stores nothing uses up nothing.
    let mut trapped = form.clone();
    trapped.is_trapped = true;
    assert!(matches!(world.submit(&trapped).await, Ok(Captured::Trapped(_))));
}
