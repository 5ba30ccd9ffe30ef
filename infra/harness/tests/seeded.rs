//! Faults of all kinds at calls that a seed chooses, over whole flows: forms of strangers, of known advocates, of rivals,
//! repeated and named ones, and a deal that is won, reopened and won, with all functions at work. Here a call that lost its answer may meet a
//! conflict next, which no single fault shows.
//!
//! `SEEDED=100` plays so many seeds (the short form: 6), from `SEEDED_FROM` on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::time::Instant;

use referrals_harness::{Call, Carrier, Fault, Name, Plan, Submitted, World, each_seed, violations};
use referrals_testing::setting;

const STEPS: usize = 8;
const PERCENT: u8 = 25;

/// How many calls met a fault.
async fn play(seed: u64) -> Result<usize, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::start().await;
    world.proxy.reset(Some(Plan::Seeded { seed, percent: PERCENT }));
    let mut forms: Vec<Submitted> = Vec::new();
    for _ in 0..STEPS {
        let known = (!forms.is_empty()).then(|| forms[random.usize(0..forms.len())].clone());
        let form = match (random.u8(0..5), known) {
            (0, Some(known)) => world.fill_in_again(&known),
            (1, Some(known)) => world.fill_in_rival(&known),
            (2, Some(known)) => known,
            (3, _) => world.fill_in_named(),
            _ => world.fill_in(),
        };
        world.post(&form).await;
        if !forms.contains(&form) {
            forms.push(form);
        }
        match random.u8(0..7) {
            0 | 1 => drop(world.relay().await),
            2 => drop(world.sweep().await),
            3 | 4 => drop(world.enter().await),
            5 => drop(world.consume(Name::DealWon).await),
            _ => {}
        }
    }
    let mut injected = world.proxy.calls().iter().filter(|call| call.fault.is_some()).count();
    world.proxy.heal();
    let sold = world.fill_in();
    forms.push(sold.clone());
    for form in &forms {
        world.submit(form).await?;
    }
    world.redrive();
    world.settle().await?;
    injected += sell(&mut world, &sold, &mut random).await;
    world.redrive();
    world.settle().await?;
    // What the stream never showed is the sweeper's.
    world.carrier = Carrier::Sweeper;
    world.settle().await?;
    let found = violations(&world).await;
    if found.is_empty() { Ok(injected) } else { Err(format!("{found:#?}")) }
}

/// A deal is told of, some news of it more than once, while calls fail. How many did.
async fn sell(world: &mut World, form: &Submitted, random: &mut fastrand::Rng) -> usize {
    let deal = world.deal_out_of_order(form);
    world.proxy.reset(Some(Plan::Seeded { seed: random.u64(..), percent: PERCENT }));
    for (place, detail_type) in ["DEAL_WON", "DEAL_REOPENED", "DEAL_WON"].into_iter().enumerate() {
        world.tell(deal, detail_type).await;
        if random.bool() {
            world.tell_again(deal);
        }
        // News of one deal is told in order here, and taken in whatever order failures leave.
        if random.bool() || place == 2 {
            drop(world.consume(Name::DealWon).await);
        }
        drop(world.relay().await);
    }
    let injected = world.proxy.calls().iter().filter(|call| call.fault.is_some()).count();
    world.proxy.heal();
    injected
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_together_nothing_is_lost() {
    let begun = Instant::now();
    let (from, count) = (setting("SEEDED_FROM").unwrap_or(1), setting("SEEDED").unwrap_or(6));
    let outcomes = each_seed(from..from + count, play).await;
    let injected: usize = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).sum();
    let took = begun.elapsed().as_secs_f64();
    println!("seeded: seeds {from} to {}, {injected} calls met a fault, {took:.1} s", from + count - 1);
    let failed: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(injected > 0 && outcomes.len() == usize::try_from(count).unwrap());
}

#[test]
fn a_seed_says_which_calls_fail() {
    let mut counts = vec![0; Fault::ALL.len()];
    let mut calls = Vec::new();
    for _ in 0..1_000 {
        calls.push(Call { operation: "UpdateItem".to_owned(), fault: None, units: 0.0 });
        let fault = Plan::Seeded { seed: 7, percent: PERCENT }.fault(&calls);
        assert_eq!(fault, Plan::Seeded { seed: 7, percent: PERCENT }.fault(&calls));
        if let Some(fault) = fault {
            counts[Fault::ALL.iter().position(|known| *known == fault).unwrap()] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
}
