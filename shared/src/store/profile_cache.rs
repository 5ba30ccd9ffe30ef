//! Open profiles, remembered for at most thirty seconds: the one read that every capture would repeat.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{
    domain::organization::{PublishedProfile, Slug},
    ports::{ProfileDirectory, StoreError},
};

/// A withdrawn profile, or a suspended organization, goes on being served for so long.
pub const MAX_AGE: Duration = Duration::from_secs(30);
const MAX_ENTRIES: usize = 1_000;

/// Remembers hits only. A miss is asked again each time, so that a profile is open as soon as it is published and a
/// guesser cannot fill the memory.
#[derive(Debug)]
pub struct ProfileCache<D> {
    directory: D,
    entries: Mutex<HashMap<Slug, (Instant, PublishedProfile)>>,
}

impl<D> ProfileCache<D> {
    pub fn new(directory: D) -> Self {
        Self { directory, entries: Mutex::new(HashMap::new()) }
    }

    fn remembered(&self, slug: &Slug, now: Instant) -> Option<PublishedProfile> {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        entries.get(slug).filter(|(read_at, _)| now.duration_since(*read_at) < MAX_AGE).map(|(_, open)| open.clone())
    }

    fn remember(&self, slug: &Slug, read_at: Instant, open: &PublishedProfile) {
        let mut entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(slug.clone(), (read_at, open.clone()));
    }
}

impl<D: ProfileDirectory> ProfileCache<D> {
    /// The age counts from before the read: what the read saw cannot be older than that.
    async fn find_at(&self, slug: &Slug, now: Instant) -> Result<Option<PublishedProfile>, StoreError> {
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

impl<D: ProfileDirectory> ProfileDirectory for ProfileCache<D> {
    async fn find_open_profile(&self, slug: &Slug) -> Result<Option<PublishedProfile>, StoreError> {
        self.find_at(slug, Instant::now()).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::domain::id::{OrgId, UserId};

    #[derive(Default)]
    struct Directory {
        reads: AtomicUsize,
        closed: std::sync::atomic::AtomicBool,
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
        let cache = ProfileCache::new(&directory);
        let (slug, start) = (Slug::parse("jane-doe").unwrap(), Instant::now());
        assert!(cache.find_at(&slug, start).await.unwrap().is_some());
        directory.closed.store(true, Ordering::Relaxed);
        let almost = start + MAX_AGE.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(cache.find_at(&slug, almost).await.unwrap().is_some());
        assert_eq!(directory.reads.load(Ordering::Relaxed), 1);
        assert!(cache.find_at(&slug, start + MAX_AGE).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_miss_is_asked_again() {
        let directory = Directory::default();
        directory.closed.store(true, Ordering::Relaxed);
        let cache = ProfileCache::new(&directory);
        let (slug, start) = (Slug::parse("jane-doe").unwrap(), Instant::now());
        assert!(cache.find_at(&slug, start).await.unwrap().is_none());
        directory.closed.store(false, Ordering::Relaxed);
        assert!(cache.find_at(&slug, start).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let directory = Directory::default();
        let (cache, start) = (ProfileCache::new(&directory), Instant::now());
        for number in 0..=MAX_ENTRIES {
            cache.find_at(&Slug::parse(&format!("slug-{number}")).unwrap(), start).await.unwrap();
        }
        assert!(cache.entries.lock().unwrap().len() <= MAX_ENTRIES);
    }
}
