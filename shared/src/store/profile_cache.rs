//! Open profiles, remembered for at most thirty seconds: the one read that every capture would repeat.

use super::recent::Recent;
use crate::{
    domain::organization::{PublishedProfile, Slug},
    ports::{Clock, ProfileDirectory, StoreError},
};

/// Remembers hits only. A miss is asked again each time, so that a profile is open as soon as it is published and a
/// guesser cannot fill the memory.
#[derive(Debug)]
pub struct ProfileCache<D, C> {
    directory: D,
    recent: Recent<Slug, PublishedProfile, C>,
}

impl<D, C: Clock> ProfileCache<D, C> {
    pub fn new(directory: D, clock: C) -> Self {
        Self { directory, recent: Recent::new(clock) }
    }
}

impl<D: ProfileDirectory, C: Clock> ProfileDirectory for ProfileCache<D, C> {
    async fn find_open_profile(&self, slug: &Slug) -> Result<Option<PublishedProfile>, StoreError> {
        let read_at = match self.recent.find(slug) {
            Ok(open) => return Ok(Some(open)),
            Err(now) => now,
        };
        let open = self.directory.find_open_profile(slug).await?;
        if let Some(open) = &open {
            self.recent.remember(slug, read_at, open);
        }
        Ok(open)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

    use super::*;
    use crate::domain::{
        calendar::Zone,
        id::{OrgId, UserId},
        text::PersonName,
        time::Timestamp,
    };

    #[derive(Default)]
    struct Directory {
        reads: AtomicUsize,
        closed: AtomicBool,
        millis: AtomicI64,
    }

    impl Clock for &Directory {
        fn now(&self) -> Timestamp {
            Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_millis(self.millis.load(Ordering::Relaxed))
        }
    }

    impl ProfileDirectory for &Directory {
        async fn find_open_profile(&self, _: &Slug) -> Result<Option<PublishedProfile>, StoreError> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            Ok((!self.closed.load(Ordering::Relaxed)).then(|| PublishedProfile {
                organization_id: OrgId::parse("org_1").unwrap(),
                agent_user_id: UserId::parse("user_1").unwrap(),
                display_name: PersonName::parse("Jane Doe").unwrap(),
                brokerage: PersonName::parse("Doe Realty").unwrap(),
                timezone: Zone::utc(),
            }))
        }
    }

    #[tokio::test]
    async fn a_hit_is_read_once_in_thirty_seconds_and_a_withdrawal_is_seen_after_them() {
        let directory = Directory::default();
        let cache = ProfileCache::new(&directory, &directory);
        let slug = Slug::parse("jane-doe").unwrap();
        assert!(cache.find_open_profile(&slug).await.unwrap().is_some());
        directory.closed.store(true, Ordering::Relaxed);
        directory.millis.store(29_999, Ordering::Relaxed);
        assert!(cache.find_open_profile(&slug).await.unwrap().is_some());
        assert_eq!(directory.reads.load(Ordering::Relaxed), 1);
        directory.millis.store(30_000, Ordering::Relaxed);
        assert!(cache.find_open_profile(&slug).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_miss_is_asked_again() {
        let directory = Directory::default();
        directory.closed.store(true, Ordering::Relaxed);
        let cache = ProfileCache::new(&directory, &directory);
        let slug = Slug::parse("jane-doe").unwrap();
        assert!(cache.find_open_profile(&slug).await.unwrap().is_none());
        directory.closed.store(false, Ordering::Relaxed);
        assert!(cache.find_open_profile(&slug).await.unwrap().is_some());
    }
}
