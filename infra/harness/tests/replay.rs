//! Replay: every event comes one to five times, in any order, in batches of any size, some when everything else is over,
//! and some batches again although they were taken. What comes of it is what comes of each event once and in order.
//!
//! `REPLAY=1000` plays so many streams (the short form: 8), from seed `REPLAY_FROM` on. A stream is one of a hundred stories by
//! its seed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use referrals_harness::{Name, News, Portrait, Redelivered, Submitted, World, each_seed, violations};
use referrals_testing::setting;

const STORIES: u64 = 100;
const STEPS: usize = 5;

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

/// Met as seeds 252, 692, 845 and 981 of the long form, in which the checker wanted a notice of each reward.
#[tokio::test(flavor = "multi_thread")]
async fn a_reward_that_is_over_before_its_notice_is_not_announced() {
    let mut world = World::start().await;
    world.open_post(true);
    let form = world.fill_in();
    world.submit(&form).await.unwrap();
    world.settle().await.unwrap();
    let told = world.post_office.accepted().len();
    let deal = world.deal_out_of_order(&form);
    for detail_type in ["DEAL_WON", "DEAL_REOPENED"] {
        world.tell(deal, detail_type).await;
        world.consume(Name::DealWon).await.unwrap();
        // What it announces is in the messenger's queue, and stays there.
        world.relay().await.unwrap();
    }
    world.settle().await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
    assert_eq!(world.post_office.accepted().len(), told);
    world.tell(deal, "DEAL_WON").await;
    world.settle().await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
    assert_eq!(world.post_office.accepted().len(), told + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_and_whenever_events_come_the_end_is_the_same() {
    let begun = Instant::now();
    let (from, count) = (setting("REPLAY_FROM").unwrap_or(1), setting("REPLAY").unwrap_or(8));
    // Of so many seeds in a row, each is another story.
    let first = from..from + count.min(STORIES);
    let told = each_seed(first, |seed| wanted(seed % STORIES)).await;
    let wanted: BTreeMap<u64, Portrait> = told.into_iter().map(|(seed, portrait)| (seed % STORIES, portrait)).collect();
    let (stories, wanted) = (wanted.len(), Arc::new(wanted));
    let outcomes = each_seed(from..from + count, move |seed| {
        let wanted = wanted.clone();
        async move { play(seed, &wanted[&(seed % STORIES)]).await }
    })
    .await;
    let mut total = Redelivered::default();
    for counts in outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
        total.copies += counts.copies;
        total.late += counts.late;
        total.batches += counts.batches;
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "replay: {count} streams of {stories} stories, seeds {from} to {}: {total:?}, {took:.1} s",
        from + count - 1
    );
    let failed: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(outcomes.len(), usize::try_from(count).unwrap());
    assert!(total.copies > 0 && total.late > 0 && total.batches > 0);
}
