//! Many captures in one moment that write the same row: of one advocate, or to one slug. No local engine refuses what
//! DynamoDB refuses then, so the line before the engine does (`Contention`).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use referrals_harness::{Contention, Line, Posted, Setup, Submitted, World, violations};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Barrier;

use crate::{
    statistics::{median, milliseconds, percentile},
    throughput::environments,
};

const AT_ONCE: usize = 200;
/// How long a transaction takes at AWS, about.
const WRITE: Duration = Duration::from_millis(10);
const TIMEOUT: Duration = Duration::from_secs(15);
/// Attempts after which a sender gives up.
const PATIENCE: usize = 20;

/// Who comes at once.
#[derive(Debug, Clone, Copy)]
enum Hot {
    /// One advocate, whose row counts them.
    Advocate,
    /// One slug, whose limit counts them.
    Slug,
}

#[derive(Debug, Serialize)]
pub struct Crowd {
    name: &'static str,
    at_once: usize,
    /// How long each write holds its rows after the engine has done it.
    write_ms: f64,
    taken: usize,
    /// Answers that said to come again, which their senders did.
    sent_again: usize,
    /// Writes that another one was in the way of.
    conflicts: u64,
    /// From the first attempt until it was taken.
    p50_ms: f64,
    p99_ms: f64,
    /// What does not hold in the ledger afterwards.
    violations: Vec<String>,
}

pub async fn crowds(setup: &Setup) -> Vec<Crowd> {
    let mut crowds = Vec::new();
    for (hot, name) in [(Hot::Advocate, "one advocate"), (Hot::Slug, "one slug")] {
        eprintln!("{AT_ONCE} captures of {name} at once ...");
        crowds.push(crowd(setup, hot, name).await);
    }
    crowds
}

async fn crowd(setup: &Setup, hot: Hot, name: &'static str) -> Crowd {
    let contention = Arc::new(Contention::new(WRITE));
    let line = Line { contention: Some(contention.clone()), ..setup.line.clone() };
    let mut world = World::start_with(Setup { line, ..setup.clone() }).await;
    let mut environments = environments(&mut world, AT_ONCE).await;
    let first = world.fill_in();
    world.submit(&first).await.expect("a form is taken");
    let forms: Vec<Value> = (0..AT_ONCE).map(|_| hot.event(&mut world, &first)).collect();
    let (before, start) = (contention.conflicts(), Arc::new(Barrier::new(AT_ONCE)));
    let mut running = tokio::task::JoinSet::new();
    for form in forms {
        let (mut function, start) = (environments.pop().expect("an environment"), start.clone());
        running.spawn(async move {
            start.wait().await;
            let begun = Instant::now();
            let mut sent_again = 0;
            loop {
                let posted: Posted = function.invoke(&form, TIMEOUT).await.into();
                if posted.status == 201 {
                    return (Some(begun.elapsed()), sent_again);
                }
                assert_eq!(posted.status, 503, "{posted:?}");
                let wait = posted.retry_after.and_then(|seconds| seconds.parse().ok()).expect("when to come again");
                sent_again += 1;
                if sent_again == PATIENCE {
                    return (None, sent_again);
                }
                tokio::time::sleep(Duration::from_secs(wait)).await;
            }
        });
    }
    let done = running.join_all().await;
    let taken: Vec<Duration> = done.iter().filter_map(|(took, _)| *took).collect();
    let conflicts = contention.conflicts() - before;
    let mut looks = 0;
    while world.settle().await.is_err() {
        looks += 1;
        assert!(looks < AT_ONCE, "it is not quiet");
    }
    Crowd {
        name,
        at_once: AT_ONCE,
        write_ms: milliseconds(WRITE),
        taken: taken.len(),
        sent_again: done.iter().map(|(_, again)| again).sum(),
        conflicts,
        p50_ms: milliseconds(median(taken.clone())),
        p99_ms: milliseconds(percentile(taken, 99)),
        violations: violations(&world).await,
    }
}

impl Hot {
    fn event(self, world: &mut World, first: &Submitted) -> Value {
        let form = match self {
            Self::Advocate => world.fill_in_again(first),
            Self::Slug => world.fill_in(),
        };
        world.attempt(&form)
    }
}
