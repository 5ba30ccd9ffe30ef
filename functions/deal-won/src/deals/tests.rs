//! deal-won on golden events: every name, every way to be unreadable, either side first.

use referrals::{
    domain::{
        change::{Patch, ReferralChange},
        id::{PersonId, ReferralId},
        money::Currency,
        referral::{Referral, ReferralStatus, RewardStatus, RewardType},
        reward::RewardPolicy,
        version::Expected,
    },
    events::ReferralReceivedV1,
    ports::{Clock as _, PolicyBook as _, ReferralReader as _},
    usecase::{
        capture_referral::{Arrival, Capture, Captured},
        change_referral::{ChangeRequest, change_referral},
        enter_pipeline::enter_pipeline,
    },
};
use referrals_testing::{Fixtures, TestStore, batch, contact, failed, in_a_minute, submission};
use serde_json::{Value, json};

use super::*;

const WON: &str = include_str!("../../../../events/bus/deal-won.json");
const CLOSED_WON: &str = include_str!("../../../../events/bus/deal-closed-won.json");
const REOPENED: &str = include_str!("../../../../events/bus/deal-reopened.json");
const LOST: &str = include_str!("../../../../events/bus/deal-lost.json");
const LINKED: &str = include_str!("../../../../events/bus/referral-linked.v1.json");
const ENTERED: &str = include_str!("../../../../events/bus/lead-entered-pipeline.v1.json");

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A referral whose lead is in the pipeline, and a policy of two and a half percent of the commission.
struct Scene {
    store: TestStore,
    ledger: Ledger,
    referral: ReferralId,
    lead: String,
}

impl Scene {
    async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        let ledger = store.ledger();
        let (scope, default) = (Fixtures::scope(), RewardPolicy::default_of(Fixtures::scope().organization().clone()));
        let policy =
            RewardPolicy { reward_type: RewardType::CommissionShare, reward_value: Some(250), version: 1, ..default };
        assert_eq!(ledger.save_policy(&scope, &policy).await, Ok(true));
        let capture = Capture {
            profiles: &store.directory(),
            limiter: &store.limiter(),
            slug_limits: Fixtures::LIMITS,
            store: &ledger,
            clock: &SystemClock,
            ids: &RandomIds,
        };
        let arrival = Arrival { request_id: "request", named: None };
        let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
        let Captured::Recorded(_, referral) = capture.capture(Some(&Fixtures::slug()), &form, arrival).await.unwrap()
        else {
            panic!("not recorded")
        };
        let items = store.outbox_items().await;
        let received: Detail<ReferralReceivedV1> = Detail::parse(items[0].text("detail")).unwrap();
        enter_pipeline(&ledger, &SystemClock, &RandomIds, &received).await.unwrap();
        let row = ledger.find_referral(&scope, &referral).await.unwrap().unwrap();
        let lead = row.referred_person_id.unwrap().as_str().to_owned();
        Self { store, ledger, referral, lead }
    }

    async fn now(&self) -> Referral {
        self.ledger.find_referral(&Fixtures::scope(), &self.referral).await.unwrap().unwrap()
    }

    /// What becomes of one message each, as the ids of those that failed.
    async fn handle(&self, events: &[Value]) -> Vec<String> {
        let bodies: Vec<String> = events.iter().map(Value::to_string).collect();
        let response = handle(&self.ledger, &batch(&bodies), in_a_minute()).await;
        failed(&response).into_iter().map(str::to_owned).collect()
    }

    /// The golden event about this lead, at the time when the test runs.
    fn of_lead(&self, text: &str) -> Value {
        let mut event = golden(text);
        event["detail"]["personIds"] = json!([self.lead]);
        // After the referral, which is of now, and inside the window.
        event["detail"]["wonAt"] = json!(SystemClock.now().plus_seconds(86_400).to_string());
        event
    }

    /// The agent links the referral to that person.
    async fn link_to(&self, person: &str) {
        let records = json!({"people": [{
            "id": person, "organizationId": Fixtures::ORGANIZATION, "name": "Lou Ray", "createdAt": "2026-02-01T00:00:00.000Z"
        }]});
        let records = serde_json::from_value(records).unwrap();
        self.store.directory().provision(&records, SystemClock.now()).await.unwrap();
        let change = ReferralChange {
            referred_person_id: Patch::Set(PersonId::parse(person).unwrap()),
            ..ReferralChange::default()
        };
        let request = ChangeRequest { change: &change, expected: &Expected::Any, request_id: "request-2", named: None };
        let (owner, found) = (Fixtures::owner(), self.now().await);
        change_referral(&self.ledger, &SystemClock, &RandomIds, &owner, found, &request).await.unwrap();
    }

    async fn ready(&self) -> usize {
        let items = self.store.outbox_items().await;
        items.iter().filter(|item| item.text("detailType") == "REWARD_READY").count()
    }
}

#[tokio::test]
async fn every_name_of_a_win_converts() {
    for name in ["DEAL_WON", "deal.won", "deal.closed_won"] {
        for source in ["example.crm", SOURCE, ""] {
            let scene = Scene::new().await;
            let mut event = scene.of_lead(WON);
            event["detail-type"] = json!(name);
            event["source"] = json!(source);
            assert!(scene.handle(&[event]).await.is_empty(), "{name} {source}");
            let referral = scene.now().await;
            assert_eq!((referral.status, referral.reward_status), (ReferralStatus::Converted, RewardStatus::Pending));
            assert_eq!(referral.reward.unwrap().amount_minor, Some(39_062), "of 15,625.00, cut and not rounded");
            assert_eq!(referral.reward_currency, Some(Currency::us_dollar()));
            assert_eq!(scene.ready().await, 1);
        }
    }
}

#[tokio::test]
async fn an_alias_that_names_the_referral_needs_no_people() {
    let scene = Scene::new().await;
    let mut event = scene.of_lead(CLOSED_WON);
    event["detail"].as_object_mut().unwrap().remove("personIds");
    event["detail"]["referralId"] = json!(scene.referral);
    assert!(scene.handle(&[event.clone(), event]).await.is_empty());
    assert_eq!(scene.now().await.status, ReferralStatus::Converted);
    assert_eq!(scene.ready().await, 1);
}

#[tokio::test]
async fn both_names_of_a_reversal_reverse() {
    for text in [REOPENED, LOST] {
        let scene = Scene::new().await;
        assert!(scene.handle(&[scene.of_lead(WON), golden(text), scene.of_lead(WON)]).await.is_empty());
        let referral = scene.now().await;
        assert_eq!((referral.status, referral.reward_status), (ReferralStatus::Qualified, RewardStatus::Canceled));
    }
}

#[tokio::test]
async fn a_deal_that_was_heard_of_first_is_found_by_the_link() {
    for text in [LINKED, ENTERED] {
        let scene = Scene::new().await;
        // Of a person whom no referral led to yet.
        let mut won = scene.of_lead(WON);
        won["detail"]["personIds"] = json!(["person_later"]);
        assert!(scene.handle(std::slice::from_ref(&won)).await.is_empty());
        assert_eq!(scene.now().await.status, ReferralStatus::Received);
        scene.link_to("person_later").await;
        let mut link = golden(text);
        link["detail"]["data"]["referralId"] = json!(scene.referral);
        link["detail"]["data"]["personId"] = json!("person_later");
        assert!(scene.handle(&[link.clone(), link]).await.is_empty());
        assert_eq!(scene.now().await.status, ReferralStatus::Converted);
        assert_eq!(scene.ready().await, 1);
    }
}

#[tokio::test]
async fn a_batch_names_only_the_messages_that_cannot_be_read() {
    let scene = Scene::new().await;
    let with = |path: &str, value: Value| {
        let mut event = scene.of_lead(WON);
        let (parent, name) = path.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[name] = value;
        event
    };
    let mut timeless = scene.of_lead(WON);
    timeless["detail"].as_object_mut().unwrap().remove("wonAt");
    let mut other_version = golden(LINKED);
    other_version["detail"]["metadata"]["version"] = json!(2);
    let mut not_ours = golden(LINKED);
    not_ours["source"] = json!("somebody.else");
    let many: Vec<String> = (0..26).map(|number| format!("person_{number}")).collect();
    let bad = [
        json!("text"),
        json!({"detail-type": "DEAL_WON"}),
        with("/detail", json!("text")),
        with("/detail/organizationId", json!("org_1#DEAL")),
        with("/detail/organizationId", Value::Null),
        with("/detail/dealId", json!("")),
        with("/detail/dealRevision", json!(-1)),
        with("/detail/dealRevision", json!(1.5)),
        with("/detail/dealRevision", json!("1")),
        with("/detail/wonAt", json!("yesterday")),
        timeless,
        with("/detail/currency", Value::Null),
        with("/detail/currency", json!("XYZ1")),
        with("/detail/grossCommissionMinor", json!(-1)),
        with("/detail/grossCommissionMinor", json!(0.5)),
        with("/detail/grossCommissionMinor", json!(9_007_199_254_740_992_i64)),
        with("/detail/personIds", json!(many)),
        with("/detail/personIds", json!(["sam@example.com"])),
        with("/detail/referralId", json!("no id")),
        with("/detail-type", json!("DEAL_STAGED")),
        with("/detail-type", json!("REFERRAL_RECEIVED")),
        other_version,
        not_ours,
    ];
    let good = [
        with("/detail/stage", json!({"unknown": ["to us"]})),
        with("/detail/at", json!("2026-11-22T00:00:00Z")),
        with("/detail/referralId", Value::Null),
        with("/detail/metadata", Value::Null),
        with("/detail/agentUserId", Value::Null),
    ];
    let wanted: Vec<String> = (0..bad.len()).map(|place| format!("message-{place}")).collect();
    let events: Vec<Value> = bad.into_iter().chain(good).collect();
    assert_eq!(scene.handle(&events).await, wanted);
    assert_eq!(scene.now().await.status, ReferralStatus::Converted);
    assert_eq!(scene.ready().await, 1);
}

#[tokio::test]
async fn a_deal_without_people_or_amounts_is_heard_of() {
    let scene = Scene::new().await;
    let mut event = golden(WON);
    for name in ["personIds", "currency", "salePriceMinor", "grossCommissionMinor", "agentUserId"] {
        event["detail"][name] = Value::Null;
    }
    assert!(scene.handle(&[event]).await.is_empty());
    let deals = scene.store.items().await.into_iter().filter(|item| item.kind() == "DEAL").count();
    assert_eq!((deals, scene.now().await.status), (1, ReferralStatus::Received));
}

#[tokio::test]
async fn a_store_that_does_not_answer_sends_the_message_back() {
    let store = TestStore::start().await;
    let nowhere = Ledger::new(store.client.clone(), "no-such-table".to_owned(), "no-such-table".to_owned());
    let bodies = [WON.to_owned(), LINKED.to_owned(), ENTERED.to_owned()];
    let response = handle(&nowhere, &batch(&bodies), in_a_minute()).await;
    assert_eq!(failed(&response), ["message-0", "message-1", "message-2"]);
}

#[tokio::test]
async fn without_time_left_no_message_is_begun() {
    let store = TestStore::start().await;
    let response = handle(&store.ledger(), &batch(&[WON.to_owned()]), SystemTime::UNIX_EPOCH).await;
    assert_eq!(failed(&response), ["message-0"]);
    assert!(store.calls.take().is_empty());
}
