//! Replay: every event comes one to five times, in any order, in batches of any size, some when everything else is over,
//! and some batches again although they were taken. What comes of it is what comes of each event once and in order.
//!
//! `REPLAY=1000` plays so many streams (the short form: 8), from seed `REPLAY_FROM` on. A stream is one of a few stories
//! by its seed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use referrals_harness::{News, Portrait, Redelivered, Submitted, World, violations};

const LANES: usize = 8;
const STORIES: u64 = 8;
const STEPS: usize = 5;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// One story, told the same way whoever delivers: forms of strangers, of known advocates and of rivals, deals with all
/// their news at once, a reversal, a reward that is sent, a thank-you and what is heard of it.
async fn live(world: &mut World, story: u64) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(story);
    world.open_post(true);
    let mut forms: Vec<Submitted> = Vec::new();
    for _ in 0..STEPS {
        let known = (!forms.is_empty()).then(|| forms[random.usize(0..forms.len())].clone());
        let form = match (random.u8(0..5), known) {
            (0, Some(known)) => world.fill_in_again(&known),
            (1, Some(known)) => world.fill_in_rival(&known),
            (2, _) => world.fill_in_named(),
            _ => world.fill_in(),
        };
        world.submit(&form).await?;
        forms.push(form);
    }
    world.settle().await?;
    let sold = world.fill_in();
    let lost = world.fill_in();
    for form in [&sold, &lost] {
        world.submit(form).await?;
    }
    world.settle().await?;
    let (won, reversed) = (world.deal_out_of_order(&sold), world.deal_out_of_order(&lost));
    world.tell(reversed, "DEAL_WON").await;
    world.settle().await?;
    world.tell(reversed, "DEAL_REOPENED").await;
    for detail_type in ["DEAL_WON", "DEAL_REOPENED", "DEAL_WON"] {
        world.tell(won, detail_type).await;
    }
    world.settle().await?;
    world.thank_for_one().await?;
    world.settle().await?;
    world.hear(match random.u8(0..3) {
        0 => News::Delivered,
        1 => News::Bounced,
        _ => News::Complained,
    });
    world.settle_late().await
}

/// What comes of the story when nothing is delivered twice, late or out of order.
async fn wanted(story: u64) -> Portrait {
    let mut world = World::start().await;
    live(&mut world, story).await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new(), "story {story}, in order");
    world.portrait().await
}

async fn play(seed: u64, wanted: &Portrait) -> Result<Redelivered, String> {
    let mut world = World::start().await;
    world.redeliver(seed);
    live(&mut world, seed % STORIES).await?;
    let mut found = violations(&world).await;
    let portrait = world.portrait().await;
    found.extend(wanted.iter().filter(|line| !portrait.contains(line)).map(|line| format!("missing: {line}")));
    found.extend(portrait.iter().filter(|line| !wanted.contains(line)).map(|line| format!("too much: {line}")));
    if found.is_empty() && portrait.len() != wanted.len() {
        found.push(format!("{} lines instead of {}", portrait.len(), wanted.len()));
    }
    if found.is_empty() { Ok(world.redelivered()) } else { Err(format!("{found:#?}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_and_whenever_events_come_the_end_is_the_same() {
    let begun = Instant::now();
    let (from, count) = (setting("REPLAY_FROM", 1), setting("REPLAY", 8));
    let mut stories = BTreeMap::new();
    for story in 0..STORIES.min(count) {
        stories.insert((from + story) % STORIES, wanted((from + story) % STORIES).await);
    }
    let stories = Arc::new(stories);
    let next = Arc::new(AtomicU64::new(from));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..LANES.min(usize::try_from(count).unwrap()) {
        let (next, stories) = (next.clone(), stories.clone());
        running.spawn(async move {
            let mut outcomes = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= from + count {
                    return outcomes;
                }
                outcomes.push((seed, play(seed, &stories[&(seed % STORIES)]).await));
            }
        });
    }
    let outcomes: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    let mut total = Redelivered::default();
    for counts in outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
        total.copies += counts.copies;
        total.late += counts.late;
        total.batches += counts.batches;
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "replay: {count} streams of {} stories, seeds {from} to {}: {total:?}, {took:.1} s",
        stories.len(),
        from + count - 1
    );
    let failed: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(outcomes.len(), usize::try_from(count).unwrap());
    assert!(total.copies > 0 && total.late > 0 && total.batches > 0);
}
