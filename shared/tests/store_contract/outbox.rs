//! The outbox after the bus.

use std::sync::Mutex;

use referrals::{
    domain::time::Timestamp,
    ports::{EventPublisher, OutboxEntry, OutboxKey, OutboxRecord, Publication},
    store::rows::OutboxRow,
    usecase::{
        relay_events::{AfterFailure, Relayed, relay_events},
        sweep_outbox::{Swept, sweep_outbox},
    },
};
use referrals_testing::{Item, STARTED_AT, contact};

use crate::world::World;

/// A bus that answers as told, and keeps what it was sent.
struct Bus {
    answer: fn(usize) -> Publication,
    sent: Mutex<Vec<usize>>,
}

impl EventPublisher for Bus {
    async fn publish(&self, entries: &[OutboxEntry]) -> Vec<Publication> {
        let mut sent = self.sent.lock().unwrap();
        let before: usize = sent.iter().sum();
        sent.push(entries.len());
        (0..entries.len()).map(|place| (self.answer)(before + place)).collect()
    }
}

async fn with_pending(count: usize) -> (World, Vec<OutboxRecord>) {
    let world = World::new().await;
    for number in 0..count {
        world.capture(contact(&format!("referrer{number}@example.com"), ""), contact("", "")).await;
    }
    let items = world.store.outbox_items().await;
    let records = items
        .into_iter()
        .map(|item| {
            let key = OutboxKey { pk: item.text("pk").to_owned(), sk: item.text("sk").to_owned() };
            let row: OutboxRow = serde_dynamo::from_item(item.0).unwrap();
            OutboxRecord::Entry(OutboxEntry {
                key,
                detail_type: row.detail_type,
                occurred_at: row.occurred_at,
                detail: row.detail,
            })
        })
        .collect();
    (world, records)
}

/// When the oldest event of these had happened.
fn oldest_of(items: &[Item]) -> Option<Timestamp> {
    items.iter().map(|item| Timestamp::parse(item.text("occurredAt")).unwrap()).min()
}

async fn relay(
    world: &World,
    answer: fn(usize) -> Publication,
    records: &[OutboxRecord],
) -> (Vec<Relayed>, Vec<usize>) {
    let bus = Bus { answer, sent: Mutex::default() };
    let at = Timestamp::parse(STARTED_AT).unwrap();
    let outcomes = relay_events(&bus, &world.store.outbox(), records, AfterFailure::Stop, at).await;
    (outcomes, bus.sent.into_inner().unwrap())
}

#[tokio::test]
async fn what_the_bus_accepts_leaves_the_outbox_ten_at_a_time() {
    let (world, records) = with_pending(12).await;
    let (outcomes, sent) = relay(&world, |_| Publication::Accepted, &records).await;
    assert_eq!(outcomes, vec![Relayed::Done; 12]);
    assert_eq!(sent, [10, 2]);
    assert!(world.store.outbox_items().await.is_empty());
}

#[tokio::test]
async fn each_entry_has_its_own_fate() {
    let (world, records) = with_pending(3).await;
    let answer = |place| match place {
        0 => Publication::Accepted,
        1 => Publication::Retry("ThrottlingException".to_owned()),
        _ => Publication::Refused("MalformedDetail".to_owned()),
    };
    let (outcomes, _) = relay(&world, answer, &records).await;
    assert_eq!(
        outcomes,
        [
            Relayed::Done,
            Relayed::Retry("ThrottlingException".to_owned()),
            Relayed::SetAside("MalformedDetail".to_owned())
        ]
    );
    let left = world.store.outbox_items().await;
    let pending = left.iter().filter(|item| item.text("pk").starts_with("PENDING#")).count();
    let poison: Vec<_> = left.iter().filter(|item| item.text("pk").starts_with("POISON#")).collect();
    assert_eq!((pending, poison.len()), (1, 1));
    assert_eq!(poison[0].text("poisonReason"), "MalformedDetail");
    // Nothing of it is lost.
    assert!(poison[0].text("detail").contains("metadata"));
}

#[tokio::test]
async fn an_unreadable_item_is_set_aside_without_the_bus_and_blocks_nobody() {
    let (world, mut records) = with_pending(2).await;
    let OutboxRecord::Entry(entry) = records[0].clone() else { panic!("an entry") };
    records[0] = OutboxRecord::Unreadable(entry.key);
    let (outcomes, sent) = relay(&world, |_| Publication::Accepted, &records).await;
    assert_eq!(outcomes, [Relayed::SetAside("unreadable".to_owned()), Relayed::Done]);
    assert_eq!(sent, [1]);
    // Told again, as streams do: it is aside already.
    let (again, _) = relay(&world, |_| Publication::Accepted, &records[..1]).await;
    assert_eq!(again, [Relayed::SetAside("unreadable".to_owned())]);
}

#[tokio::test]
async fn behind_a_failure_nothing_more_is_sent() {
    let (world, records) = with_pending(25).await;
    let answer = |place| if place == 3 { Publication::Retry("throttled".to_owned()) } else { Publication::Accepted };
    let (outcomes, sent) = relay(&world, answer, &records).await;
    assert_eq!(sent, [10]);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Relayed::Done).count(), 9);
    assert_eq!(world.store.outbox_items().await.len(), 16);
}

#[tokio::test]
async fn a_sweep_sends_what_has_waited_long_enough_and_goes_around_what_is_stuck() {
    let (world, _) = with_pending(12).await;
    let start = Timestamp::parse(STARTED_AT).unwrap();
    let outbox = world.store.outbox();
    let bus = Bus { answer: |_| Publication::Accepted, sent: Mutex::default() };
    assert_eq!(sweep_outbox(&bus, &outbox, start, start, || true).await, Ok(Swept::default()), "too young");
    let much_later = start.plus_seconds(7_200);
    let without_time = sweep_outbox(&bus, &outbox, much_later, much_later, || false).await;
    assert_eq!(without_time, Ok(Swept::default()), "no time");

    let stuck = Bus {
        answer: |place| if place == 0 { Publication::Retry("x".to_owned()) } else { Publication::Accepted },
        sent: Mutex::default(),
    };
    let later = start.plus_seconds(3_600);
    let oldest = oldest_of(&world.store.outbox_items().await);
    let swept = sweep_outbox(&stuck, &outbox, later, later, || true).await.unwrap();
    assert_eq!(swept, Swept { published: 11, set_aside: 0, still_pending: 1, oldest });
    let oldest = oldest_of(&world.store.outbox_items().await);
    let swept = sweep_outbox(&bus, &outbox, later, later, || true).await.unwrap();
    assert_eq!(swept, Swept { published: 1, set_aside: 0, still_pending: 0, oldest });
    assert!(world.store.outbox_items().await.is_empty());
}
