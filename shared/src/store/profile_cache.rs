//! Open profiles, remembered for at most thirty seconds: the one read that every capture would repeat.

use std::{collections::HashMap, sync::Mutex};

use crate::{
    domain::{
        organization::{PublishedProfile, Slug},
        time::Timestamp,
    },
    ports::{Clock, ProfileDirectory, StoreError},
};

/// A withdrawn profile, or a suspended organization, goes on being served for so long.
pub const MAX_AGE_SECONDS: i64 = 30;
const MAX_ENTRIES: usize = 1_000;

/// Remembers hits only. A miss is asked again each time, so that a profile is open as soon as it is published and a
/// guesser cannot fill the memory.
///
/// The age is told by the wall clock: the monotonic one stands still while Lambda freezes the process, and an entry of
/// ten minutes ago would thaw as new.
#[derive(Debug)]
pub struct ProfileCache<D, C> {
    directory: D,
    clock: C,
    entries: Mutex<HashMap<Slug, (Timestamp, PublishedProfile)>>,
}

impl<D, C> ProfileCache<D, C> {
    pub fn new(directory: D, clock: C) -> Self {
        Self { directory, clock, entries: Mutex::new(HashMap::new()) }
    }

    fn remembered(&self, slug: &Slug, now: Timestamp) -> Option<PublishedProfile> {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A clock that was set back makes nothing young again.
        let is_fresh = |read_at: Timestamp| read_at <= now && now < read_at.plus_seconds(MAX_AGE_SECONDS);
        entries.get(slug).filter(|(read_at, _)| is_fresh(*read_at)).map(|(_, open)| open.clone())
    }

    fn remember(&self, slug: &Slug, read_at: Timestamp, open: &PublishedProfile) {
        let mut entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(slug.clone(), (read_at, open.clone()));
    }
}

impl<D: ProfileDirectory, C: Clock> ProfileDirectory for ProfileCache<D, C> {
    async fn find_open_profile(&self, slug: &Slug) -> Result<Option<PublishedProfile>, StoreError> {
        // The age counts from before the read: what the read saw cannot be older than that.
        let now = self.clock.now();
        if let Some(open) = self.remembered(slug, now) {
            return Ok(Some(open));
        }
        let open = self.directory.find_open_profile(slug).await?;
        if let Some(open) = &open {
            self.remember(slug, now, open);
        }
        Ok(open)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

    use super::*;
    use crate::domain::id::{OrgId, UserId};

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
    async fn a_clock_that_was_set_back_makes_nothing_young() {
        let directory = Directory::default();
        let cache = ProfileCache::new(&directory, &directory);
        let slug = Slug::parse("jane-doe").unwrap();
        assert!(cache.find_open_profile(&slug).await.unwrap().is_some());
        directory.closed.store(true, Ordering::Relaxed);
        directory.millis.store(-1, Ordering::Relaxed);
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

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let directory = Directory::default();
        let cache = ProfileCache::new(&directory, &directory);
        for number in 0..=MAX_ENTRIES {
            cache.find_open_profile(&Slug::parse(&format!("slug-{number}")).unwrap()).await.unwrap();
        }
        assert!(cache.entries.lock().unwrap().len() <= MAX_ENTRIES);
    }
}
