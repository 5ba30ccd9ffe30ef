//! The checks about messages: each finds what it is for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use referrals_harness::{Accepted, Channel, Scenario, World, violations};
use referrals_testing::Item;

/// A world after one piece of work, of which nothing is wrong.
async fn after(scenario: Scenario) -> World {
    let mut world = World::start().await;
    let work = scenario.prepare(&mut world).await.unwrap();
    assert!(!violations(&world).await.is_empty(), "{scenario:?}: nothing has come of it");
    scenario.finish(&mut world, &work, None).await.unwrap();
    assert_eq!(violations(&world).await, Vec::<String>::new(), "{scenario:?}");
    world
}

async fn noticed(world: &World, words: &str) {
    let found = violations(world).await;
    assert!(found.iter().any(|violation| violation.contains(words)), "{words}: {found:?}");
}

async fn row(world: &World, kind: &str, is_meant: impl Fn(&Item) -> bool) -> Item {
    world.store.items().await.into_iter().find(|item| item.kind() == kind && is_meant(item)).unwrap()
}

async fn put(world: &World, item: &Item) {
    let put = world.store.client.put_item().table_name(&world.store.table);
    put.set_item(Some(item.0.clone())).send().await.unwrap();
}

async fn delete(world: &World, item: &Item) {
    let mut request = world.store.client.delete_item().table_name(&world.store.table);
    for name in ["pk", "sk"] {
        request = request.key(name, item.0[name].clone());
    }
    request.send().await.unwrap();
}

/// The row with another text, for as long as it takes to look.
async fn noticed_with(world: &World, item: &Item, attribute: &str, text: &str, words: &str) {
    let mut changed = item.clone();
    changed.0.insert(attribute.to_owned(), AttributeValue::S(text.to_owned()));
    put(world, &changed).await;
    noticed(world, words).await;
    put(world, item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_thank_you_is_noticed() {
    let world = after(Scenario::ThankOnBoth).await;
    let mails: Vec<Accepted> = world.post_office.accepted();
    assert_eq!(mails.iter().map(|mail| mail.channel).collect::<Vec<_>>(), [Channel::Email, Channel::Sms]);
    for mail in mails {
        let channel = if mail.channel == Channel::Email { "EMAIL" } else { "SMS" };
        world.post_office.accept(Accepted { id: "another".to_owned(), ..mail.clone() });
        noticed(&world, "2 thank-yous for").await;
        world.post_office.accept(Accepted { id: "one more".to_owned(), ..mail });
        let found = violations(&world).await;
        let is_found = found.iter().any(|it| it.starts_with("3 thank-yous for") && it.ends_with(channel));
        assert!(is_found, "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thank_you_without_consent_is_noticed() {
    let asked = after(Scenario::ThankByMail).await;
    let mail = asked.post_office.accepted().remove(0);
    let world = after(Scenario::ThankWithoutConsent).await;
    assert_eq!(world.post_office.accepted(), []);
    let referral = row(&world, "REFERRAL", |_| true).await.text("id").to_owned();
    let message = row(&world, "MESSAGE", |row| row.text("channel") == "EMAIL").await;
    noticed_with(&world, &message, "reason", "SUPPRESSED", "was skipped for SUPPRESSED").await;
    noticed_with(&world, &message, "status", "UNKNOWN", "is in doubt").await;
    noticed_with(&world, &message, "status", "CLAIMED", "is stuck").await;
    let mut tags = mail.tags.clone();
    tags.insert("referral".to_owned(), referral);
    world.post_office.accept(Accepted { tags, to: "pat@example.com".to_owned(), ..mail });
    noticed(&world, "without consent").await;
    noticed(&world, "nobody is to be thanked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_is_not_told_is_noticed() {
    for scenario in [Scenario::NoticeOfLead, Scenario::NoticeOfReward] {
        let world = after(scenario).await;
        let mut mails = world.post_office.accepted();
        assert_eq!(mails.len(), 1);
        world.post_office.forget();
        noticed(&world, "the agent is not told").await;
        // To somebody else is not to the agent.
        mails[0].to = "olivia.grant@doe-realty.example".to_owned();
        world.post_office.accept(mails.remove(0));
        noticed(&world, "the agent is not told").await;
        let message = row(&world, "MESSAGE", |_| true).await;
        delete(&world, &message).await;
        noticed(&world, "0 messages about").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thanked_without_a_thank_you_is_noticed() {
    let world = after(Scenario::ThankWithoutConsent).await;
    let referral = row(&world, "REFERRAL", |_| true).await;
    noticed_with(&world, &referral, "rewardStatus", "THANKED", "is THANKED with 0").await;

    let world = after(Scenario::ThankByMail).await;
    let referral = row(&world, "REFERRAL", |_| true).await;
    noticed_with(&world, &referral, "rewardStatus", "SENT", "is SENT with 1").await;
    let message = row(&world, "MESSAGE", |_| true).await;
    for (status, words) in [("FAILED", "is THANKED with 0"), ("FAILED", "its history says"), ("UNKNOWN", "in doubt")] {
        noticed_with(&world, &message, "status", status, words).await;
    }
    noticed_with(&world, &message, "providerMessageId", "another", "was accepted as").await;
    let is_end = |row: &Item| row.text("action") == "MESSAGE_CHANGED" && row.text("to") == "SUBMITTED";
    let end = row(&world, "AUDIT", is_end).await;
    delete(&world, &end).await;
    noticed(&world, "its history says").await;
    put(&world, &end).await;
    assert_eq!(violations(&world).await, Vec::<String>::new());
    let told = world.bus.entries().into_iter().find(|entry| entry.detail_type == "REFERRER_THANKED").unwrap();
    let other = told.detail.replace(&told.metadata("id"), "evt_other");
    world.bus.put(&serde_json::json!({"Entries": [{
        "EventBusName": told.bus, "Source": told.source, "DetailType": told.detail_type, "Detail": other,
    }]}));
    noticed(&world, "was thanked in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_is_lost_is_noticed() {
    for (scenario, flag) in [
        (Scenario::HearBounce, "emailMarketingConsent"),
        (Scenario::HearComplaint, "emailMarketingConsent"),
        (Scenario::ThankStopped, "smsMarketingConsent"),
    ] {
        let world = after(scenario).await;
        let mut person = row(&world, "PERSON", |row| row.text("relationshipStage") == "ADVOCATE").await;
        let kept = person.clone();
        person.0.insert(flag.to_owned(), AttributeValue::Bool(true));
        put(&world, &person).await;
        noticed(&world, "true instead of false").await;
        put(&world, &kept).await;
        let entry = row(&world, "CONSENT", |row| row.text("decision") == "REVOKED").await;
        noticed_with(&world, &entry, "method", "AGENT", "ended").await;
        delete(&world, &entry).await;
        noticed(&world, "ended").await;
        put(&world, &entry).await;
        if scenario != Scenario::ThankStopped {
            let suppressed = row(&world, "SUPPRESSED", |_| true).await;
            delete(&world, &suppressed).await;
            noticed(&world, "is suppressed: false").await;
            let message = row(&world, "MESSAGE", |_| true).await;
            noticed_with(&world, &message, "delivery", "DELIVERED", "\"DELIVERED\" noted").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_tells_somebody_is_noticed() {
    let world = after(Scenario::ThankByMail).await;
    let mail = world.post_office.accepted().remove(0);
    let tags = HashMap::from([("name".to_owned(), "Pat Quokka 1".to_owned())]);
    world.post_office.accept(Accepted { tags: tags.into_iter().collect(), ..mail });
    noticed(&world, "tags tell").await;
}
