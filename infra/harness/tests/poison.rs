//! Poison: what nobody can read ends among the dead letters of its own queue and holds up nobody else, and what died of a
//! fault that is mended is done after a redrive.
#![allow(clippy::unwrap_used, clippy::panic)]

use referrals_harness::{Fault, Mode, Name, Plan, Scenario, World, violations};
use serde_json::json;

/// A piece of good work for each function behind a queue.
const WORKS: [Scenario; 5] =
    [Scenario::EnterNew, Scenario::WinLinked, Scenario::ThankByMail, Scenario::ImportChunk, Scenario::HearDelivered];

const RECEIVES: usize = 5;

/// What the function reads, but for its detail.
fn detail_type(function: Name) -> &'static str {
    match function {
        Name::PipelineEntry => "REFERRAL_RECEIVED",
        Name::DealWon => "DEAL_WON",
        Name::Messenger => "REWARD_SENT",
        Name::ImportWorker => "IMPORT_CHUNK_READY",
        Name::DeliveryFeedback => "Email Delivered",
        _ => panic!("no queue"),
    }
}

fn poison(function: Name) -> Vec<String> {
    let source = if function == Name::DeliveryFeedback { "aws.ses" } else { "winnerr.referrals" };
    let told = |detail: serde_json::Value| {
        json!({"id": "1", "source": source, "detail-type": detail_type(function), "detail": detail}).to_string()
    };
    vec![
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[".repeat(10_000),
        told(json!(null)),
        told(json!("text")),
        told(json!({"metadata": {"id": "evt_1"}})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_ends_among_the_dead_letters_and_holds_up_nobody() {
    for scenario in WORKS {
        let function = scenario.function();
        let mut world = World::start().await;
        let work = scenario.prepare(&mut world).await.unwrap();
        let poison = poison(function);
        for body in &poison {
            world.enqueue(function, body.clone());
        }
        scenario.finish(&mut world, &work, None).await.unwrap();
        let wanted = vec![format!("{} messages for {} are dead letters", poison.len(), function.as_str())];
        assert_eq!(violations(&world).await, wanted, "{scenario:?}");
        // It is as unreadable as before, and does no more harm than before.
        assert_eq!(world.redrive(), poison.len(), "{scenario:?}");
        world.settle().await.unwrap();
        assert_eq!(violations(&world).await, wanted, "{scenario:?}, after a redrive");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_of_a_fault_is_done_after_a_redrive() {
    for scenario in WORKS {
        let function = scenario.function();
        let mut world = World::start().await;
        let work = scenario.prepare(&mut world).await.unwrap();
        world.arm(function, Some(Plan::At { index: 0, fault: Fault::Refuse, mode: Mode::Persistent }));
        for _ in 0..RECEIVES {
            assert!(world.consume(function).await.is_some(), "{scenario:?}");
        }
        assert!(world.consume(function).await.is_none(), "{scenario:?} is not a dead letter after {RECEIVES} times");
        world.proxy.heal();
        assert_eq!(world.redrive(), 1, "{scenario:?}");
        scenario.finish(&mut world, &work, None).await.unwrap();
        assert_eq!(violations(&world).await, Vec::<String>::new(), "{scenario:?}");
    }
}
