//! A conflict that outlives its budget: the caller is told to come again, and nothing has been stored.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::{collections::HashMap, time::Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals_harness::{Answer, Fault, Mode, Plan, Scenario, Work, World, violations};
use referrals_testing::Item;

/// Everything that is stored, in an order that can be compared.
async fn stored(world: &World) -> Vec<HashMap<String, AttributeValue>> {
    let items: Vec<Item> = [world.store.items().await, world.store.outbox_items().await].concat();
    let mut rows: Vec<_> = items.into_iter().map(|item| item.0).collect();
    rows.sort_by_key(|row| format!("{:?}{:?}", row["pk"], row["sk"]));
    rows
}

fn forever(index: usize) -> Plan {
    Plan::At { index, fault: Fault::Conflict, mode: Mode::Persistent }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_answered_503_with_retry_after_and_stores_nothing() {
    for scenario in [Scenario::CaptureStranger, Scenario::CaptureReturning, Scenario::CaptureNamed] {
        let calls = scenario.calls().await.unwrap();
        for index in (0..calls.len()).filter(|index| calls[*index] == "TransactWriteItems") {
            let mut world = World::start().await;
            let work = scenario.prepare(&mut world).await.unwrap();
            let before = stored(&world).await;
            world.arm(scenario.function(), Some(forever(index)));
            let begun = Instant::now();
            let posted = scenario.act(&mut world, &work).await.unwrap();
            let took = begun.elapsed().as_secs_f64();
            assert_eq!(posted.status, 503, "{scenario:?} {index}: {posted:?}");
            let retry_after: u32 = posted.retry_after.clone().expect("Retry-After").parse().unwrap();
            assert!(retry_after > 0);
            assert!((2.0..5.0).contains(&took), "the budget is three seconds, it took {took}");
            assert!(world.proxy.calls().len() > index + 5, "a conflict is repeated");
            assert_eq!(stored(&world).await, before, "{scenario:?} {index}");
            // And it is worth coming again.
            scenario.finish(&mut world, &work, Some(posted)).await.unwrap();
            assert_eq!(violations(&world).await, Vec::<String>::new(), "{scenario:?} {index}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_back_to_the_queue_and_stores_nothing() {
    let scenario = Scenario::EnterNew;
    let mut world = World::start().await;
    let work = scenario.prepare(&mut world).await.unwrap();
    assert!(matches!(work, Work::Waiting));
    let before = stored(&world).await;
    world.arm(scenario.function(), Some(forever(0)));
    let Some(Answer::Response(response)) = world.enter().await else { panic!("the function answers") };
    assert_eq!(response["batchItemFailures"].as_array().unwrap().len(), 1);
    assert_eq!(stored(&world).await, before);
    scenario.finish(&mut world, &work, None).await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
}
