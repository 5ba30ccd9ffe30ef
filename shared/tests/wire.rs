//! The events of the bus, against their golden files: what is published stays readable, and the other way round.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use referrals::domain::referral::{Channel, RewardType};
use referrals::events::{
    DealTold, Detail, EventData, ImportChunkReadyV1, LeadEnteredPipelineV1, NewEvent, PersonErasedV1,
    ReferralConvertedV1, ReferralLinkedV1, ReferralReceivedV1, ReferralStatusChangedV1, ReferrerThankedV1,
    RewardCanceledV1, RewardReadyV1, RewardSentV1, SOURCE, ThankYouRequestedV1, UnreadableEvent, deal_state,
};
use serde_json::{Value, json};

fn golden<D: EventData>(json: &str) -> Detail<D> {
    let event: Value = serde_json::from_str(json).unwrap();
    assert_eq!((event["source"].as_str(), event["detail-type"].as_str()), (Some(SOURCE), Some(D::DETAIL_TYPE)));
    let detail = Detail::<D>::parse(&event["detail"].to_string()).unwrap();
    let written = NewEvent::new(detail.metadata.clone(), detail.data).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written.detail).unwrap(), event["detail"]);
    assert_eq!(written.detail_type, D::DETAIL_TYPE);
    Detail::parse(&written.detail).unwrap()
}

#[test]
fn the_golden_files_are_read_and_written_unchanged() {
    let received: Detail<ReferralReceivedV1> = golden(include_str!("../../events/bus/referral-received.v1.json"));
    let entered: Detail<LeadEnteredPipelineV1> = golden(include_str!("../../events/bus/lead-entered-pipeline.v1.json"));
    assert_eq!(entered.metadata.causation_id, Some(received.metadata.id));
    let changed: Detail<ReferralStatusChangedV1> =
        golden(include_str!("../../events/bus/referral-status-changed.v1.json"));
    let converted: Detail<ReferralConvertedV1> = golden(include_str!("../../events/bus/referral-converted.v1.json"));
    assert!(received.metadata.aggregate_version < changed.metadata.aggregate_version);
    assert!(changed.metadata.aggregate_version < converted.metadata.aggregate_version);
}

#[test]
fn the_golden_files_of_links_and_rewards_are_read_and_written_unchanged() {
    let linked: Detail<ReferralLinkedV1> = golden(include_str!("../../events/bus/referral-linked.v1.json"));
    assert!(linked.data.person_id.is_some() && linked.data.deal_id.is_some());
    let ready: Detail<RewardReadyV1> = golden(include_str!("../../events/bus/reward-ready.v1.json"));
    let sent: Detail<RewardSentV1> = golden(include_str!("../../events/bus/reward-sent.v1.json"));
    let canceled: Detail<RewardCanceledV1> = golden(include_str!("../../events/bus/reward-canceled.v1.json"));
    let thanked: Detail<ReferrerThankedV1> = golden(include_str!("../../events/bus/referrer-thanked.v1.json"));
    let requested: Detail<ThankYouRequestedV1> = golden(include_str!("../../events/bus/thank-you-requested.v1.json"));
    assert_eq!(thanked.metadata.causation_id, Some(sent.metadata.id));
    let subjects = [ready.metadata, canceled.metadata, requested.metadata].map(|metadata| metadata.subject);
    assert!(subjects.iter().all(|subject| *subject == linked.metadata.subject));
}

#[test]
fn the_golden_file_of_an_imports_chunk_is_read_and_written_unchanged() {
    let ready: Detail<ImportChunkReadyV1> = golden(include_str!("../../events/bus/import-chunk-ready.v1.json"));
    assert_eq!((ready.metadata.subject.as_str(), ready.data.chunk), (ready.data.import_id.as_str(), 1));
}

#[test]
fn the_golden_file_of_an_erasure_is_read_and_written_unchanged() {
    let erased: Detail<PersonErasedV1> = golden(include_str!("../../events/bus/person-erased.v1.json"));
    assert_eq!(erased.metadata.subject, erased.data.person_id.as_str());
}

/// An imported referral causes no event, and nothing is no reward.
#[test]
fn the_schemas_name_every_channel_and_reward_type() {
    let named = |schema: &str, field: &str| {
        let schema: Value = serde_json::from_str(schema).unwrap();
        schema["properties"]["data"]["properties"][field]["enum"].clone()
    };
    let channels: Vec<_> = Channel::ALL.into_iter().filter(|channel| *channel != Channel::Import).collect();
    assert_eq!(named(include_str!("../../infra/schemas/referral-received.v1.json"), "channel"), json!(channels));
    let rewards: Vec<_> = RewardType::ALL.into_iter().filter(|kind| *kind != RewardType::None).collect();
    assert_eq!(named(include_str!("../../infra/schemas/reward-ready.v1.json"), "rewardType"), json!(rewards));
}

fn told(json: &str) -> DealTold {
    let event: Value = serde_json::from_str(json).unwrap();
    let state = deal_state(event["detail-type"].as_str().unwrap()).unwrap();
    DealTold::parse(state, event["id"].as_str().unwrap(), &event["detail"].to_string()).unwrap()
}

#[test]
fn what_is_told_of_deals_is_read_whoever_tells_it() {
    let won = told(include_str!("../../events/bus/deal-won.json"));
    assert_eq!((won.event_id.as_str(), won.news.person_ids.len()), ("crm_9f31c2", 1));
    let closed = told(include_str!("../../events/bus/deal-closed-won.json"));
    assert!(closed.event_id.as_str().starts_with("ext_"), "without an id of its own it has the bus's");
    assert!(closed.news.person_ids.is_empty() && closed.news.named_referral_id.is_some());
    assert_eq!((&closed.news.revenue, closed.news.at), (&won.news.revenue, won.news.at));
    let reopened = told(include_str!("../../events/bus/deal-reopened.json"));
    let lost = told(include_str!("../../events/bus/deal-lost.json"));
    let revisions = [won.news.revision, reopened.news.revision, lost.news.revision];
    assert!(revisions.is_sorted() && won.deal_id == lost.deal_id);
    for name in ["DEAL_WIN", "deal_won", "DEAL.WON", "REFERRAL_LINKED", ""] {
        assert_eq!(deal_state(name), None, "{name}");
    }
}

#[test]
fn data_of_another_version_is_never_misread() {
    let event: Value = serde_json::from_str(include_str!("../../events/bus/referral-received.v1.json")).unwrap();
    let mut detail = event["detail"].clone();
    detail["metadata"]["version"] = 2.into();
    assert_eq!(Detail::<ReferralReceivedV1>::parse(&detail.to_string()), Err(UnreadableEvent::UnknownVersion(2)));
    for text in ["", "null", "{}", "[]", r#"{"metadata":{"version":1},"data":{}}"#] {
        assert_eq!(Detail::<ReferralReceivedV1>::parse(text), Err(UnreadableEvent::Malformed), "{text}");
    }
}
