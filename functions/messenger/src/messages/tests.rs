//! The protocol on a real engine: what is sent, to whom, how often, and what is kept of it. Only the carrier is not AWS's.

mod consent_table;
mod last_moment;
mod protocol;

use std::sync::Mutex;

use referrals::{
    domain::{
        consent::ConsentChannel,
        id::{OrgId, PersonId, ReferralId},
        letter::Letter,
        message::{Message, MessageId, MessageKind, Sending},
        phone::Phone,
        referral::{Referral, RewardStatus, RewardType},
        reward::{RewardPolicy, ThankYouChannel},
    },
    ports::{Clock as _, MessageBook as _, ReferralReader as _},
    store::Provision,
};
use referrals_testing::{Bulk, Fixtures, TestStore, in_a_minute};
use serde_json::{Value, json};

use super::*;

/// Takes every letter, and answers as it is told to.
#[derive(Debug, Default)]
struct TestCarrier {
    sent: Mutex<Vec<Letter>>,
    /// Answers in order; when there is none left, it accepts.
    answers: Mutex<Vec<Sending>>,
    opted_out: Mutex<bool>,
}

impl Carrier for &TestCarrier {
    async fn send(&self, letter: &Letter) -> Sending {
        let mut sent = self.sent.lock().unwrap();
        sent.push(letter.clone());
        self.answers.lock().unwrap().pop().unwrap_or_else(|| Sending::Accepted(format!("m-{}", sent.len())))
    }

    async fn is_opted_out(&self, _: &Phone) -> Result<bool, StoreError> {
        Ok(*self.opted_out.lock().unwrap())
    }
}

impl TestCarrier {
    fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

struct World {
    store: TestStore,
    carrier: TestCarrier,
}

impl World {
    async fn start() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        Self { store, carrier: TestCarrier::default() }
    }

    fn app(&self, claim_seconds: i64) -> App<&TestCarrier> {
        App { ledger: self.store.ledger(), directory: self.store.directory(), carrier: &self.carrier, claim_seconds }
    }

    /// Puts a person in place, in the words of an operator's file.
    async fn person(&self, id: &str, fields: Value) -> PersonId {
        let mut person = json!({"id": id, "organizationId": Fixtures::ORGANIZATION, "name": "Pat Jones"});
        person.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let records: Provision = serde_json::from_value(json!({"people": [person]})).unwrap();
        self.store.directory().provision(&records, SystemClock.now()).await.unwrap();
        PersonId::parse(id).unwrap()
    }

    /// A referral whose reward was sent under such a policy.
    async fn rewarded(&self, id: &str, referrer: &PersonId, channel: ThankYouChannel, auto_thank: bool) -> Referral {
        let mut policy = RewardPolicy::default_of(OrgId::parse(Fixtures::ORGANIZATION).unwrap());
        policy.reward_type = RewardType::GiftCard;
        policy.reward_value = Some(5_000);
        policy.thank_you_channel = channel;
        policy.auto_thank = auto_thank;
        let at = SystemClock.now();
        let mut referral: Referral = serde_json::from_value(json!({
            "id": id, "organizationId": Fixtures::ORGANIZATION, "referrerPersonId": referrer.as_str(),
            "referredName": "Sam Lee", "agentUserId": Fixtures::AGENT, "channel": "MANUAL", "status": "CONVERTED",
            "resultingDealId": "deal_1", "resultingLeadSource": "REFERRAL", "rewardType": "none", "rewardStatus": "NONE",
            "createdAt": at, "month": "2026-11", "updatedAt": at, "version": 1,
        }))
        .unwrap();
        referral.bring_up_reward(&policy, at, at);
        let by = referrals::domain::id::UserId::parse(Fixtures::AGENT).unwrap();
        assert_eq!(referral.mark_reward_sent(&by, true, at), Ok(true));
        self.put(&referral).await;
        referral
    }

    /// Writes the row as it is.
    async fn put(&self, referral: &Referral) {
        let (client, table) = (&self.store.client, &self.store.table);
        client.put_item().table_name(table).set_item(Some(Bulk::row(referral))).send().await.unwrap();
    }

    async fn referral(&self, id: &ReferralId) -> Referral {
        self.store.ledger().find_referral(&Fixtures::scope(), id).await.unwrap().unwrap()
    }

    async fn thank_you(&self, id: &ReferralId, channel: ConsentChannel) -> Option<Message> {
        let id = MessageId::thank_you(id.clone(), channel);
        self.store.ledger().find_message(&Fixtures::scope(), &id).await.unwrap()
    }

    /// What the history says of messages: kind, channel, status, reason.
    async fn told(&self, id: &ReferralId) -> Vec<String> {
        let history = self.store.ledger().find_history(&Fixtures::scope(), id).await.unwrap();
        history
            .entries
            .iter()
            .filter_map(|entry| {
                let message = entry.message.as_ref()?;
                let reason = message.reason.as_deref().unwrap_or("-");
                let (kind, channel) = (message.kind.as_str(), message.channel.as_str());
                Some(format!("{kind} {channel} {} {reason}", entry.to.as_deref().unwrap_or("-")))
            })
            .collect()
    }
}

fn event(detail_type: &str, referral: &ReferralId, event: &str) -> Value {
    let golden = match detail_type {
        "LEAD_ENTERED_PIPELINE" => {
            include_str!("../../../../events/bus/lead-entered-pipeline.v1.json")
        }
        _ => include_str!("../../../../events/bus/referral-received.v1.json"),
    };
    let mut message: Value = serde_json::from_str(golden).unwrap();
    message["detail-type"] = json!(detail_type);
    message["detail"]["metadata"]["id"] = json!(event);
    message["detail"]["metadata"]["organizationId"] = json!(Fixtures::ORGANIZATION);
    message["detail"]["data"]["referralId"] = json!(referral);
    message["detail"]["data"]["rewardType"] = json!("gift_card");
    message
}

fn batch(events: &[Value]) -> SqsEvent {
    let body = |event: &Value| event.as_str().map_or_else(|| event.to_string(), str::to_owned);
    referrals_testing::batch(&events.iter().map(body).collect::<Vec<_>>())
}

/// Delivers one event once. Whether it was done.
async fn deliver(app: &App<&TestCarrier>, event: &Value) -> bool {
    handle(app, &batch(std::slice::from_ref(event)), in_a_minute()).await.batch_item_failures.is_empty()
}
