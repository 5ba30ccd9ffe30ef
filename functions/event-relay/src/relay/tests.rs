use std::sync::Mutex;

use referrals::ports::{OutboxEntry, Publication};
use referrals_testing::TestStore;

use super::*;

#[derive(Default)]
struct Bus(Mutex<Vec<OutboxEntry>>, Option<&'static str>);

impl EventPublisher for Bus {
    async fn publish(&self, entries: &[OutboxEntry]) -> Vec<Publication> {
        self.0.lock().unwrap().extend_from_slice(entries);
        let answer = self.1.map_or(Publication::Accepted, |reason| Publication::Retry(reason.to_owned()));
        vec![answer; entries.len()]
    }
}

fn golden() -> Event {
    serde_json::from_str(include_str!("../../../../events/stream/outbox-insert.json")).unwrap()
}

#[tokio::test]
async fn the_golden_record_goes_to_the_bus_as_it_was_stored() {
    let outbox = TestStore::start().await.outbox();
    let bus = Bus::default();
    let response = handle(&bus, &outbox, &golden()).await;
    assert!(response.batch_item_failures.is_empty());
    let sent = bus.0.into_inner().unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].detail_type.as_str(), sent[0].key.sk.as_str()),
        ("REFERRAL_RECEIVED", "evt_01KAMXBSW0Q9W1Y3M5A7C9E1G3")
    );
    let on_the_bus: serde_json::Value =
        serde_json::from_str(include_str!("../../../../events/bus/referral-received.v1.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&sent[0].detail).unwrap(), on_the_bus["detail"]);
}

#[tokio::test]
async fn what_stays_pending_is_named_by_its_sequence_number() {
    let outbox = TestStore::start().await.outbox();
    let response = handle(&Bus(Mutex::default(), Some("ThrottlingException")), &outbox, &golden()).await;
    let named: Vec<_> = response.batch_item_failures.iter().filter_map(|f| f.item_identifier.as_deref()).collect();
    assert_eq!(named, ["4421584500000000017450439091"]);
}

#[tokio::test]
async fn a_malformed_record_is_set_aside_and_its_neighbours_go_on() {
    let outbox = TestStore::start().await.outbox();
    let mut event: serde_json::Value =
        serde_json::from_str(include_str!("../../../../events/stream/outbox-insert.json")).unwrap();
    let good = event["Records"][0].clone();
    let mut no_detail = good.clone();
    no_detail["dynamodb"]["NewImage"].as_object_mut().unwrap().remove("detail");
    no_detail["dynamodb"]["Keys"]["sk"]["S"] = "evt_1".into();
    let mut not_json = good.clone();
    not_json["dynamodb"]["NewImage"]["detail"]["S"] = "{".into();
    not_json["dynamodb"]["Keys"]["sk"]["S"] = "evt_2".into();
    let mut poison = good.clone();
    poison["dynamodb"]["Keys"]["pk"]["S"] = "POISON#3".into();
    let mut removed = good.clone();
    removed["eventName"] = "REMOVE".into();
    event["Records"] = serde_json::json!([no_detail, poison, not_json, removed, good]);
    let bus = Bus::default();
    let response = handle(&bus, &outbox, &serde_json::from_value(event).unwrap()).await;
    assert!(response.batch_item_failures.is_empty());
    assert_eq!(bus.0.into_inner().unwrap().len(), 1);
}
