//! Seeds of a test that meets chance, side by side.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Seeds that are played at once. What is played waits for engines and timeouts more than for a processor.
const LANES: u64 = 8;

/// What came of each seed, in no order.
pub async fn each_seed<T, F, Fut>(seeds: Range<u64>, play: F) -> Vec<(u64, T)>
where
    T: Send + 'static,
    F: Fn(u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = T> + Send,
{
    let next = Arc::new(AtomicU64::new(seeds.start));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..LANES.min(seeds.end - seeds.start) {
        let (next, play) = (next.clone(), play.clone());
        running.spawn(async move {
            let mut outcomes = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return outcomes;
                }
                outcomes.push((seed, play(seed).await));
            }
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}
