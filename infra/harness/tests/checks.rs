//! The harness itself: a check that finds nothing is worth nothing unless it can find something, and a fault is one only
//! when the SDK sees it as such.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{Client, error::ProvideErrorMetadata as _, types::AttributeValue};
use referrals::{aws, settings::AwsSettings};
use referrals_harness::{Answer, Fault, Line, Mode, Name, Plan, Proxy, Scenario, World, violations};
use referrals_testing::{Item, TestStore};

/// A world in which one referral has become a lead.
async fn quiet() -> World {
    let mut world = World::start().await;
    let work = Scenario::CaptureStranger.prepare(&mut world).await.unwrap();
    Scenario::CaptureStranger.finish(&mut world, &work, None).await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
    world
}

async fn row(world: &World, kind: &str) -> Item {
    world.store.items().await.into_iter().find(|item| item.kind() == kind && !item.text("pk").contains("_111")).unwrap()
}

async fn put(world: &World, table: &str, item: Item) {
    world.store.client.put_item().table_name(table).set_item(Some(item.0)).send().await.unwrap();
}

async fn delete(world: &World, item: &Item) {
    let mut request = world.store.client.delete_item().table_name(&world.store.table);
    for name in ["pk", "sk"] {
        request = request.key(name, item.0[name].clone());
    }
    request.send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_row_is_noticed() {
    for kind in ["REFERRAL", "PERSON", "LEAD_OF", "INBOX", "PAIR", "AUDIT", "CONTACT", "ATTRIBUTION"] {
        let world = quiet().await;
        let ledger = world.store.table.clone();
        let found = row(&world, kind).await;
        delete(&world, &found).await;
        assert!(!violations(&world).await.is_empty(), "{kind}");
        put(&world, &ledger, found).await;
        assert_eq!(violations(&world).await, Vec::<String>::new(), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_row_of_an_import_is_noticed() {
    let mut world = World::start().await;
    let work = Scenario::ImportChunk.prepare(&mut world).await.unwrap();
    assert!(!violations(&world).await.is_empty(), "a chunk waits");
    Scenario::ImportChunk.finish(&mut world, &work, None).await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
    let ledger = world.store.table.clone();
    for kind in ["REFERRAL", "ORIGIN", "REPORT", "AUDIT", "CONTACT", "IMPORT", "ATTRIBUTION"] {
        let found = row(&world, kind).await;
        delete(&world, &found).await;
        assert!(!violations(&world).await.is_empty(), "{kind}");
        put(&world, &ledger, found).await;
        assert_eq!(violations(&world).await, Vec::<String>::new(), "{kind}");
    }
    let mut twice = row(&world, "REFERRAL").await;
    for name in ["pk", "id"] {
        let other = format!("{}9", twice.text(name));
        twice.0.insert(name.to_owned(), AttributeValue::S(other));
    }
    put(&world, &ledger, twice).await;
    assert!(!violations(&world).await.is_empty(), "a row that is there twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_second_effect_is_noticed() {
    let world = quiet().await;
    let ledger = world.store.table.clone();
    for (kind, attribute, value) in
        [("PERSON", "totalReferrals", "7"), ("REFERRAL", "version", "3"), ("ATTRIBUTION", "lost", "1")]
    {
        let found = row(&world, kind).await;
        let mut changed = found.clone();
        changed.0.insert(attribute.to_owned(), AttributeValue::N(value.to_owned()));
        put(&world, &ledger, changed).await;
        assert!(!violations(&world).await.is_empty(), "{kind}");
        put(&world, &ledger, found).await;
    }
    for kind in ["REFERRAL", "LEAD_OF", "INBOX", "PAIR", "AUDIT", "PERSON", "CONTACT"] {
        let mut second = row(&world, kind).await;
        for name in ["pk", "id"] {
            let text = format!("{}X", second.text(name));
            second.0.insert(name.to_owned(), AttributeValue::S(text));
        }
        put(&world, &ledger, second.clone()).await;
        assert!(!violations(&world).await.is_empty(), "{kind}");
        delete(&world, &second).await;
    }
    assert_eq!(violations(&world).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_in_the_outbox_or_tells_somebody_is_noticed() {
    let world = quiet().await;
    let mut item = Item(HashMap::new());
    for (name, value) in [("pk", "PENDING#1"), ("sk", "evt_1"), ("detail", "{}")] {
        item.0.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
    }
    let outbox = world.store.outbox_table.clone();
    put(&world, &outbox, item.clone()).await;
    assert!(violations(&world).await.iter().any(|violation| violation.contains("pending")));
    item.0.insert("pk".to_owned(), AttributeValue::S("POISON#1".to_owned()));
    item.0.insert("detail".to_owned(), AttributeValue::S("{\"name\":\"Pat Quokka 1\"}".to_owned()));
    put(&world, &outbox, item).await;
    let found = violations(&world).await;
    assert!(found.iter().any(|violation| violation.contains("set aside")), "{found:?}");
    assert!(found.iter().any(|violation| violation.contains("outbox tell a name")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_told_is_noticed() {
    let mut world = World::start().await;
    let form = world.fill_in();
    world.submit(&form).await.unwrap();
    assert!(violations(&world).await.iter().any(|violation| violation.contains("on the bus")));
}

/// A world with a deal that was won, and whose reward has come up.
async fn sold() -> World {
    let mut world = World::start().await;
    let work = Scenario::WinLinked.prepare(&mut world).await.unwrap();
    assert!(!violations(&world).await.is_empty(), "a deal that nobody has heard of");
    Scenario::WinLinked.finish(&mut world, &work, None).await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_that_is_lost_or_comes_twice_is_noticed() {
    let world = sold().await;
    let ledger = world.store.table.clone();
    let items: Vec<Item> = world.store.items().await;
    let referral = items.iter().find(|item| item.kind() == "REFERRAL").unwrap();
    for (attribute, value) in [("rewardStatus", "NONE"), ("status", "QUALIFIED"), ("resultingDealId", "deal_other")] {
        let mut changed = referral.clone();
        changed.0.insert(attribute.to_owned(), AttributeValue::S(value.to_owned()));
        put(&world, &ledger, changed).await;
        assert!(!violations(&world).await.is_empty(), "{attribute}");
    }
    put(&world, &ledger, referral.clone()).await;
    for action in ["STATUS_CHANGED", "REWARD_CHANGED"] {
        let entry = items.iter().find(|item| item.text("action") == action).unwrap();
        delete(&world, entry).await;
        assert!(!violations(&world).await.is_empty(), "{action}");
        let mut jumped = entry.clone();
        jumped.0.insert("from".to_owned(), AttributeValue::S("SENT".to_owned()));
        put(&world, &ledger, jumped).await;
        assert!(!violations(&world).await.is_empty(), "{action}");
        put(&world, &ledger, entry.clone()).await;
    }
    assert_eq!(violations(&world).await, Vec::<String>::new());
    // Told again under its own id is one; under another it is a second.
    let entries = world.bus.entries();
    let ready = entries.iter().find(|entry| entry.detail_type == "REWARD_READY").unwrap();
    let other = ready.detail.replace(&ready.metadata("id"), "evt_other");
    for (detail, is_noticed) in [(ready.detail.clone(), false), (other, true)] {
        world.bus.put(&serde_json::json!({"Entries": [{
            "EventBusName": ready.bus, "Source": ready.source, "DetailType": ready.detail_type, "Detail": detail,
        }]}));
        assert_eq!(!violations(&world).await.is_empty(), is_noticed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_the_bus_refuses_stay_pending_or_are_set_aside() {
    let mut world = World::start().await;
    let mut forms = Vec::new();
    for _ in 0..3 {
        let form = world.fill_in();
        world.submit(&form).await.unwrap();
        forms.push(form);
    }
    world.bus.script([None, Some("ThrottlingException"), None]);
    let Some(Answer::Response(response)) = world.relay().await else { panic!("the relay answers") };
    assert_eq!(response["batchItemFailures"].as_array().unwrap().len(), 1);
    assert_eq!(world.store.outbox_items().await.len(), 1);
    world.settle().await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
}

fn client(endpoint: String) -> Client {
    Client::new(&aws::sdk_config(&AwsSettings {
        region: "us-east-1".to_owned(),
        access_key_id: "test".to_owned(),
        secret_access_key: "test".to_owned(),
        session_token: None,
        endpoint_url: Some(endpoint),
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_sees_each_fault_as_what_it_is() {
    let store = TestStore::start().await;
    let proxy =
        Proxy::start(store.settings.endpoint_url.as_ref().unwrap(), Arc::default(), Arc::default(), Line::default())
            .await;
    let client = client(proxy.endpoint());
    let put = |id: &'static str| {
        let put = client.put_item().table_name(&store.table).item("pk", AttributeValue::S(id.to_owned()));
        put.item("sk", AttributeValue::S("ROW".to_owned())).send()
    };
    for (fault, id, stored, code) in [
        (Fault::Refuse, "refused", false, None),
        (Fault::ForwardAndDrop, "dropped", true, None),
        (Fault::Delay(Duration::from_secs(5)), "delayed", true, None),
        (Fault::ServerError, "500", false, Some("InternalServerError")),
        (Fault::Throttle, "throttled", false, Some("ThrottlingException ProvisionedThroughputExceededException")),
        (Fault::Conflict, "met", true, None),
    ] {
        proxy.reset(Some(Plan::At { index: 0, fault, mode: Mode::Persistent }));
        let answer = put(id).await;
        let calls = proxy.calls();
        if fault == Fault::Conflict {
            assert!(answer.is_ok() && calls.len() == 1, "a put does not conflict");
        } else {
            let error = answer.unwrap_err();
            assert_eq!(error.code().is_some(), code.is_some(), "{fault:?}: {error:?}");
            assert!(error.code().is_none_or(|found| code.unwrap().contains(found)), "{fault:?}: {error:?}");
            assert!(calls.len() > 1, "the SDK repeats what may be repeated: {fault:?}");
        }
        assert!(calls.iter().all(|call| call.operation == "PutItem"));
        let found = store.items().await.iter().any(|item| item.text("pk") == id);
        assert_eq!(found, stored, "{fault:?}");
        // Once: the SDK gets by.
        proxy.reset(Some(Plan::At { index: 0, fault, mode: Mode::Once }));
        put("again").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_gone_is_started_again() {
    let mut world = World::start().await;
    let form = world.fill_in();
    world.arm_kill(Name::PublicCapture, 0, referrals_harness::Stage::BeforeForwarding);
    assert_eq!(world.post(&form).await.status, 502);
    assert!(world.proxy.has_sprung());
    assert_eq!(world.post(&form).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_or_kept_wrongly_is_noticed() {
    let mut world = World::start().await;
    let work = Scenario::ExpireCapture.prepare(&mut world).await.unwrap();
    let posted = Scenario::ExpireCapture.act(&mut world, &work).await;
    Scenario::ExpireCapture.finish(&mut world, &work, posted).await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new());
    let ledger = world.store.table.clone();
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    let contact = AttributeValue::M([("email".to_owned(), text("sam@example.com").unwrap())].into());
    for (what, kind, attribute, value) in [
        ("erased, and known", "PERSON", "name", text("Sam Lee")),
        ("erased, and to be reached", "PERSON", "email", text("sam@example.com")),
        ("kept, and needed by nobody", "PERSON", "erasedAt", None),
        ("erased, and needed", "REFERRAL", "expiredAt", None),
        ("shown by the referral", "REFERRAL", "referredName", text("Sam Lee")),
        ("to be reached by the referral", "REFERRAL", "referredContact", Some(contact)),
    ] {
        let found = row(&world, kind).await;
        let mut changed = found.clone();
        match value {
            Some(value) => drop(changed.0.insert(attribute.to_owned(), value)),
            None => drop(changed.0.remove(attribute)),
        }
        put(&world, &ledger, changed).await;
        assert!(!violations(&world).await.is_empty(), "{what}");
        put(&world, &ledger, found).await;
    }
    assert_eq!(violations(&world).await, Vec::<String>::new());
}
