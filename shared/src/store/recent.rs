//! Answers of a directory, remembered for at most thirty seconds.

use std::{collections::HashMap, hash::Hash, sync::Mutex};

use crate::{domain::time::Timestamp, ports::Clock};

/// What was withdrawn or suspended goes on being served for so long.
pub const MAX_AGE_SECONDS: i64 = 30;
const MAX_ENTRIES: usize = 1_000;

/// The age is told by the wall clock: the monotonic one stands still while Lambda freezes the process, and an entry of
/// ten minutes ago would thaw as new.
#[derive(Debug)]
pub(super) struct Recent<K, V, C> {
    clock: C,
    entries: Mutex<HashMap<K, (Timestamp, V)>>,
}

impl<K: Clone + Eq + Hash, V: Clone, C: Clock> Recent<K, V, C> {
    pub(super) fn new(clock: C) -> Self {
        Self { clock, entries: Mutex::new(HashMap::new()) }
    }

    /// What is remembered of `key`, or else the time from which a read of it counts: what a read sees cannot be older
    /// than its beginning.
    pub(super) fn find(&self, key: &K) -> Result<V, Timestamp> {
        let now = self.clock.now();
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A clock that was set back makes nothing young again.
        let is_fresh = |read_at: Timestamp| read_at <= now && now < read_at.plus_seconds(MAX_AGE_SECONDS);
        entries.get(key).filter(|(read_at, _)| is_fresh(*read_at)).map(|(_, value)| value.clone()).ok_or(now)
    }

    pub(super) fn remember(&self, key: &K, read_at: Timestamp, value: &V) {
        let mut entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(key.clone(), (read_at, value.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Default)]
    struct Millis(AtomicI64);

    impl Clock for &Millis {
        fn now(&self) -> Timestamp {
            Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_millis(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn an_answer_is_young_for_thirty_seconds_from_before_its_read() {
        let millis = Millis::default();
        let recent = Recent::new(&millis);
        let read_at = recent.find(&"key").unwrap_err();
        millis.0.store(5_000, Ordering::Relaxed);
        recent.remember(&"key", read_at, &7);
        for (at, found) in [(29_999, true), (30_000, false), (-1, false)] {
            millis.0.store(at, Ordering::Relaxed);
            assert_eq!(recent.find(&"key").is_ok(), found, "{at}");
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let millis = Millis::default();
        let recent = Recent::new(&millis);
        for number in 0..=MAX_ENTRIES {
            recent.remember(&number, (&&millis).now(), &());
        }
        assert!(recent.entries.lock().unwrap().len() <= MAX_ENTRIES);
    }
}
