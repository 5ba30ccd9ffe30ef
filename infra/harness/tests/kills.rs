//! Each of the functions is killed (SIGKILL) between any two of its calls to AWS: before a call reaches the engine, or
//! after it did and before the answer came back. Some are killed again while their work is redelivered. Then everything
//! goes its way, and when all is quiet everything must hold.
//!
//! `KILLS=50` kills each function at least so often (the short form: 8), `KILLS_SEED` chooses where.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Instant,
};

use referrals_harness::{Scenario, Stage, World, violations};
use referrals_testing::setting;

const LANES: usize = 8;
const WORKS_PER_WORLD: usize = 16;
/// Deliveries of one piece of work that end in a kill. A queue gives up after five.
const MOST_IN_A_ROW: usize = 3;

/// One piece of work and where its first deliveries are killed.
#[derive(Debug, Clone)]
struct Plan {
    scenario: Scenario,
    points: Vec<(usize, Stage)>,
}

#[derive(Debug)]
struct Outcome {
    plan: Plan,
    /// The points at which a process really was killed.
    killed: Vec<(usize, Stage)>,
    found: Vec<String>,
}

/// Plans for at least `kills` kills of each function: what is killed first, and what more on redelivery.
async fn plans(kills: usize, seed: u64) -> Vec<Plan> {
    let mut calls = BTreeMap::new();
    for scenario in Scenario::ALL {
        calls.insert(scenario, Box::pin(scenario.calls()).await.unwrap().len());
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut plans = Vec::new();
    for function in Scenario::functions() {
        let scenarios: Vec<Scenario> = calls.keys().copied().filter(|known| known.function() == function).collect();
        for _ in 0..kills {
            let scenario = scenarios[random.usize(0..scenarios.len())];
            let in_a_row = (1..MOST_IN_A_ROW).find(|_| random.bool()).unwrap_or(MOST_IN_A_ROW);
            let points = (0..in_a_row).map(|_| {
                let stage = if random.bool() { Stage::BeforeForwarding } else { Stage::AfterForwarding };
                (random.usize(0..calls[&scenario]), stage)
            });
            plans.push(Plan { scenario, points: points.collect() });
        }
    }
    plans
}

async fn run(world: &mut World, plan: Plan) -> Outcome {
    let mut outcome = Outcome { plan, killed: Vec::new(), found: Vec::new() };
    if let Err(failure) = attempt(world, &mut outcome).await {
        outcome.found.push(failure);
    }
    outcome.found.extend(violations(world).await);
    outcome
}

async fn attempt(world: &mut World, outcome: &mut Outcome) -> Result<(), String> {
    let scenario = outcome.plan.scenario;
    let work = scenario.prepare(world).await?;
    let mut posted = None;
    for (index, stage) in outcome.plan.points.clone() {
        world.arm_kill(scenario.function(), index, stage);
        posted = scenario.act(world, &work).await;
        if !world.proxy.has_sprung() {
            // A redelivery of something that is done already may have no such call.
            break;
        }
        outcome.killed.push((index, stage));
    }
    scenario.finish(world, &work, posted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_function_loses_nothing() {
    let begun = Instant::now();
    let kills = setting("KILLS").unwrap_or(8);
    let seed = setting("KILLS_SEED").unwrap_or(1);
    println!("kills: seed {seed}, {kills} of each function");
    let plans = Arc::new(Mutex::new(VecDeque::from(plans(kills, seed).await)));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..LANES {
        let plans = plans.clone();
        running.spawn(async move {
            let mut outcomes: Vec<Outcome> = Vec::new();
            let mut world = World::start().await;
            loop {
                let Some(plan) = plans.lock().unwrap().pop_front() else { return outcomes };
                let is_spoilt = outcomes.last().is_some_and(|last| !last.found.is_empty());
                if is_spoilt || (outcomes.len() + 1).is_multiple_of(WORKS_PER_WORLD) {
                    world = World::start().await;
                }
                outcomes.push(run(&mut world, plan).await);
            }
        });
    }
    let outcomes: Vec<Outcome> = running.join_all().await.into_iter().flatten().collect();
    for function in Scenario::functions() {
        let of_function: Vec<_> = outcomes.iter().filter(|it| it.plan.scenario.function() == function).collect();
        let killed: usize = of_function.iter().map(|outcome| outcome.killed.len()).sum();
        let places: BTreeSet<String> = of_function
            .iter()
            .flat_map(|outcome| outcome.killed.iter().map(|point| format!("{:?} {point:?}", outcome.plan.scenario)))
            .collect();
        assert!(killed >= kills, "{function:?} was killed {killed} times only");
        println!("{:<18}{killed:>4} kills at {} places", function.as_str(), places.len());
    }
    println!("kills: {:.1} s", begun.elapsed().as_secs_f64());
    let failed: Vec<_> =
        outcomes.iter().filter(|outcome| !outcome.found.is_empty() || outcome.killed.is_empty()).collect();
    assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
}
