//! Forms come in from all sides while functions are killed (SIGKILL) at random moments, and the engine too, with what is
//! stored kept as a disk keeps it. Browsers send again what was not taken. When the storm is over, everything must hold.
//!
//! `STORM=20000` posts so many forms (the short form: 160) with `STORM_KILLS` kills of functions (10) and
//! `STORM_RESTARTS` restarts of the engine (2), at moments that `STORM_SEED` chooses; `STORM_LANES` says how many forms
//! are on their way at once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use referrals_harness::{Carrier, DurableEngine, Function, Name, Posted, Setup, Submitted, World, violations};
use referrals_testing::setting;
use serde_json::Value;

/// As in the template.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Between two attempts of a browser.
const PAUSE: Duration = Duration::from_millis(50);
const MOST_MILLISECONDS_AWAY: u64 = 400;
/// Kills and restarts come before so many of a hundred forms are in, so that all of them meet work.
const PERCENT: usize = 95;

/// What all parts of the storm know of each other.
#[derive(Debug, Default)]
struct Progress {
    taken: AtomicUsize,
    attempts: AtomicUsize,
    is_over: AtomicBool,
}

type Forms = Arc<Mutex<VecDeque<Value>>>;

/// Forms of strangers, of advocates who come again, and some that are sent twice.
fn forms(world: &mut World, count: usize, random: &mut fastrand::Rng) -> Vec<Value> {
    let mut known: Vec<Submitted> = Vec::new();
    let mut events = Vec::new();
    for _ in 0..count {
        let earlier = (!known.is_empty()).then(|| known[random.usize(0..known.len())].clone());
        let form = match (random.u8(0..10), earlier) {
            (0, Some(earlier)) => earlier,
            (1 | 2, Some(earlier)) => world.fill_in_again(&earlier),
            _ => world.fill_in_plain(),
        };
        events.push(world.attempt(&form));
        known.push(form);
    }
    events
}

/// One environment of the function, one form after the other, each until it is taken.
async fn post_all(mut function: Function, forms: Forms, progress: Arc<Progress>) {
    loop {
        let Some(form) = forms.lock().unwrap().pop_front() else { return };
        loop {
            progress.attempts.fetch_add(1, Ordering::Relaxed);
            let posted: Posted = function.invoke(&form, TIMEOUT).await.into();
            match posted.status {
                201 => break,
                500.. => tokio::time::sleep(PAUSE).await,
                _ => panic!("a form was refused: {posted:?}"),
            }
        }
        progress.taken.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes events on while forms come in.
async fn carry(mut world: World, progress: Arc<Progress>) -> World {
    let mut rounds = 0_usize;
    while !progress.is_over.load(Ordering::Relaxed) {
        rounds += 1;
        let mut is_work = world.relay().await.is_some();
        is_work |= world.enter().await.is_some();
        if rounds.is_multiple_of(50) {
            drop(world.sweep().await);
        }
        if !is_work {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    world
}

/// Something that happens when so many forms are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    Kill,
    Restart,
}

fn blows(captures: usize, kills: usize, restarts: usize, random: &mut fastrand::Rng) -> Vec<(usize, Blow)> {
    let all = [vec![Blow::Kill; kills], vec![Blow::Restart; restarts]].concat();
    let mut blows: Vec<_> = all.into_iter().map(|blow| (random.usize(0..=captures * PERCENT / 100), blow)).collect();
    blows.sort_unstable();
    blows
}

type Killer = Box<dyn Fn() -> bool + Send + Sync>;

/// How often each was struck; the engine's restarts are under its own name.
async fn strike(
    blows: Vec<(usize, Blow)>,
    targets: Vec<(&'static str, Killer)>,
    engine: &mut DurableEngine,
    progress: Arc<Progress>,
    mut random: fastrand::Rng,
) -> BTreeMap<&'static str, usize> {
    let mut struck = BTreeMap::new();
    for (at, blow) in blows {
        while progress.taken.load(Ordering::Relaxed) < at {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_micros(random.u64(0..20_000))).await;
        let name = match blow {
            Blow::Restart => {
                engine.restart(Duration::from_millis(random.u64(0..MOST_MILLISECONDS_AWAY))).await;
                "engine"
            }
            Blow::Kill => loop {
                let (name, kill) = &targets[random.usize(0..targets.len())];
                if kill() {
                    break *name;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            },
        };
        *struck.entry(name).or_default() += 1;
    }
    struck
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_loses_nothing() {
    let begun = Instant::now();
    let (captures, kills) = (setting("STORM").unwrap_or(160), setting("STORM_KILLS").unwrap_or(10));
    let (restarts, lanes) = (setting("STORM_RESTARTS").unwrap_or(2), setting("STORM_LANES").unwrap_or(3));
    let seed = setting("STORM_SEED").unwrap_or(1);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut engine = DurableEngine::start(env!("CARGO_BIN_EXE_referrals-engine").into()).await;
    let setup = Setup { log_level: "info", engine: Some(engine.endpoint()), ..Setup::default() };
    let mut world = World::start_with(setup).await;
    let forms: Forms = Arc::new(Mutex::new(forms(&mut world, captures, &mut random).into()));
    let progress = Arc::new(Progress::default());
    let mut targets: Vec<(&'static str, Killer)> = Vec::new();
    for name in [Name::EventRelay, Name::PipelineEntry] {
        targets.push((name.as_str(), Box::new(world.function(name).killer())));
    }
    let mut posting = tokio::task::JoinSet::new();
    for _ in 0..lanes {
        let (mut function, proxy) = world.another(Name::PublicCapture).await;
        function.keep(proxy);
        targets.push((Name::PublicCapture.as_str(), Box::new(function.killer())));
        posting.spawn(post_all(function, forms.clone(), progress.clone()));
    }
    let carrying = tokio::spawn(carry(world, progress.clone()));
    let blows = blows(captures, kills, restarts, &mut random);
    let struck = strike(blows, targets, &mut engine, progress.clone(), random).await;
    while let Some(done) = posting.join_next().await {
        done.unwrap();
    }
    progress.is_over.store(true, Ordering::Relaxed);
    let mut world = carrying.await.unwrap();
    let stormed = begun.elapsed().as_secs_f64();
    let mut dead_letters = world.redrive();
    world.settle().await.unwrap();
    dead_letters += world.redrive();
    // What the stream never showed is the sweeper's.
    world.carrier = Carrier::Sweeper;
    world.settle().await.unwrap();
    let attempts = progress.attempts.load(Ordering::Relaxed);
    println!(
        "storm: seed {seed}, {captures} forms in {attempts} attempts, struck {struck:?}, {dead_letters} dead letters \
         redriven; {stormed:.1} s, quiet and looked at after {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let found = violations(&world).await;
    println!("storm: {} violations after {:.1} s", found.len(), begun.elapsed().as_secs_f64());
    assert!(found.is_empty(), "seed {seed}: {} violations: {:#?}", found.len(), &found[..found.len().min(20)]);
    assert_eq!(progress.taken.load(Ordering::Relaxed), captures);
    let killed: usize = struck.iter().filter(|(name, _)| **name != "engine").map(|(_, count)| count).sum();
    assert_eq!((killed, struck.get("engine").copied().unwrap_or_default()), (kills, restarts));
}
