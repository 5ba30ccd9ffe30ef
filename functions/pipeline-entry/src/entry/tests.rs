use referrals::{
    domain::id::ReferralId,
    ports::ReferralReader as _,
    usecase::capture_referral::{Arrival, Capture, Captured},
};
use referrals_testing::{Fixtures, TestStore, batch, contact, failed, in_a_minute, submission};
use serde_json::{Value, json};

use super::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../events/bus/referral-received.v1.json")).unwrap()
}

async fn captured(store: &TestStore) -> ReferralId {
    let (ledger, form) = (store.ledger(), submission(contact("pat@example.com", ""), contact("sam@example.com", "")));
    let capture = Capture {
        profiles: &store.directory(),
        limiter: &store.limiter(),
        slug_limits: Fixtures::LIMITS,
        store: &ledger,
        clock: &SystemClock,
        ids: &RandomIds,
    };
    let arrival = Arrival { request_id: "request", named: None };
    match capture.capture(Some(&Fixtures::slug()), &form, arrival).await.unwrap() {
        Captured::Recorded(_, id) => id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_batch_names_only_the_messages_that_failed() {
    let store = TestStore::start().await;
    Fixtures::load(&store).await;
    let id = captured(&store).await;
    let mut good = golden();
    good["detail"]["data"]["referralId"] = json!(id);
    let with = |path: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(path).unwrap() = value;
        event.to_string()
    };
    let bodies = [
        "not json".to_owned(),
        with("/detail", json!("text")),
        with("/detail/metadata/version", json!(2)),
        with("/detail/metadata/organizationId", json!("org_1#PERSON")),
        with("/detail/data/referralId", Value::Null),
        with("/source", json!("somebody.else")),
        with("/detail-type", json!("REFERRAL_LOST")),
        good.to_string(),
        good.to_string(),
    ];
    let ledger = store.ledger();
    let response = handle(&ledger, &batch(&bodies), in_a_minute()).await;
    assert_eq!(
        failed(&response),
        ["message-0", "message-1", "message-2", "message-3", "message-4", "message-5", "message-6"]
    );
    let referral = ledger.find_referral(&Fixtures::scope(), &id).await.unwrap().unwrap();
    assert!(referral.referred_person_id.is_some());
    assert_eq!(referral.version, 2, "delivered twice, applied once");
}

#[tokio::test]
async fn the_golden_event_is_read_and_its_referral_is_nobodys() {
    let store = TestStore::start().await;
    let response = handle(&store.ledger(), &batch(&[golden().to_string()]), in_a_minute()).await;
    assert!(failed(&response).is_empty());
}

#[tokio::test]
async fn a_store_that_does_not_answer_sends_the_message_back() {
    let store = TestStore::start().await;
    let nowhere = Ledger::new(store.client.clone(), "no-such-table".to_owned(), "no-such-table".to_owned());
    let response = handle(&nowhere, &batch(&[golden().to_string()]), in_a_minute()).await;
    assert_eq!(failed(&response), ["message-0"]);
}

#[tokio::test]
async fn without_time_left_no_message_is_begun() {
    let store = TestStore::start().await;
    let response = handle(&store.ledger(), &batch(&[golden().to_string()]), SystemTime::UNIX_EPOCH).await;
    assert_eq!(failed(&response), ["message-0"]);
    assert!(store.calls.take().is_empty());
}
