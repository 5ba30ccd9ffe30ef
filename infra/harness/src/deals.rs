//! The transaction system: it tells of deals, and knows what has to have become of them.

use std::collections::{BTreeMap, BTreeSet};

use referrals::{
    domain::{referral::RewardType, reward::RewardPolicy},
    ports::{Clock as _, PolicyBook as _},
    system::SystemClock,
};
use referrals_testing::{Fixtures, Item, TestStore};
use serde_json::{Value, json};

use crate::{
    BusEntry, Submitted, World,
    rows::{holders, last, referral_of},
    world::BUS,
};

const SOURCE: &str = "example.crm";
const REWARD_MINOR: i64 = 5_000;
const DAY_SECONDS: i64 = 86_400;

/// The steps that the contract knows, of referrals that nobody but deals moves.
const STEPS: [(&str, &str); 8] = [
    ("RECEIVED", "CONVERTED"),
    ("CONVERTED", "QUALIFIED"),
    ("QUALIFIED", "CONVERTED"),
    ("NONE", "PENDING"),
    ("PENDING", "CANCELED"),
    ("CANCELED", "PENDING"),
    ("NONE", "HELD"),
    ("HELD", "PENDING"),
];

/// Where a reward goes without a deal.
const AFTER: [&str; 2] = ["SENT", "THANKED"];

/// A deal, and what was told of it.
#[derive(Debug, Clone)]
pub(crate) struct ToldDeal {
    id: String,
    /// Whether an agent has sent the reward, or is about to.
    pub is_rewarded: bool,
    /// Whether the reward had to wait for the clock.
    pub is_held: bool,
    /// Whose referral it is, by the addresses of referrer and referred.
    pub form: Submitted,
    /// The detail types, in the order of their revisions.
    told: Vec<&'static str>,
    /// The latest, as the bus takes it.
    last: Value,
    /// Whether later news may overtake earlier, which then becomes nothing.
    may_overtake: bool,
}

impl ToldDeal {
    fn is_won(&self) -> bool {
        self.told.last().is_some_and(|last| *last == "DEAL_WON")
    }
}

/// Sets up what advocates get.
pub(crate) async fn promise(store: &TestStore) {
    let policy = RewardPolicy {
        reward_type: RewardType::GiftCard,
        reward_value: Some(REWARD_MINOR),
        version: 1,
        ..RewardPolicy::default_of(Fixtures::scope().organization().clone())
    };
    assert_eq!(store.ledger().save_policy(&Fixtures::scope(), &policy).await, Ok(true));
}

impl World {
    /// A deal of somebody, which is credited to the referral of `form`.
    pub fn deal_of(&mut self, form: &Submitted) -> usize {
        let id = format!("deal_{}", self.number());
        self.deals.push(ToldDeal {
            id,
            form: form.clone(),
            told: Vec::new(),
            last: Value::Null,
            may_overtake: false,
            is_rewarded: false,
            is_held: false,
        });
        self.deals.len() - 1
    }

    /// The same, of whose news some may overtake others.
    pub fn deal_out_of_order(&mut self, form: &Submitted) -> usize {
        let deal = self.deal_of(form);
        self.deals[deal].may_overtake = true;
        deal
    }

    /// The next news of the deal: it has the next revision, and names whoever holds the referred person's address now.
    pub async fn tell(&mut self, deal: usize, detail_type: &'static str) {
        let items = self.store.items().await;
        let person = holders(&items).remove(&self.deals[deal].form.referred.email).expect("a person");
        let known = &mut self.deals[deal];
        known.told.push(detail_type);
        let detail = json!({
            "organizationId": Fixtures::ORGANIZATION,
            "dealId": known.id,
            "dealRevision": known.told.len(),
            // After every referral of this world, and inside the window.
            "at": SystemClock.now().plus_seconds(DAY_SECONDS).to_string(),
            "personIds": [person],
            "currency": "USD",
            "grossCommissionMinor": 1_250_000,
            "metadata": {"id": format!("crm_{}_{}", known.id, known.told.len())},
        });
        known.last = json!({
            "EventBusName": BUS, "Source": SOURCE, "DetailType": detail_type, "Detail": detail.to_string(),
        });
        self.tell_again(deal);
    }

    /// The last news of the deal, as it was told.
    pub fn tell_again(&mut self, deal: usize) {
        self.bus.put(&json!({"Entries": [self.deals[deal].last]}));
    }
}

/// What does not hold about deals: each is settled as its last news says, with one reward, whose every step is legal, in
/// the history and on the bus.
pub(crate) fn violations(items: &[Item], bus: &[BusEntry], deals: &[ToldDeal]) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |holds: bool, violation: String| {
        if !holds {
            found.push(violation);
        }
    };
    let of_kind = |kind: &'static str| items.iter().filter(move |item| item.kind() == kind);
    let rows: BTreeMap<&str, &Item> = of_kind("DEAL").map(|row| (row.text("dealId"), row)).collect();
    expect(rows.len() == deals.len(), format!("{} rows of {} deals", rows.len(), deals.len()));
    for deal in deals {
        let (Some(referral), Some(row)) = (referral_of(items, &deal.form), rows.get(deal.id.as_str())) else {
            expect(false, format!("{} or its referral is not there", deal.id));
            continue;
        };
        let wanted = if deal.is_won() { ("CONVERTED", "PENDING") } else { ("QUALIFIED", "CANCELED") };
        let states = (referral.text("status"), referral.text("rewardStatus"));
        // What is made of a reward that was sent is told in `messages`.
        let wanted = if deal.is_rewarded { ("CONVERTED", states.1) } else { wanted };
        expect(states == wanted, format!("{} after {:?}: {states:?}", deal.id, deal.told));
        expect(referral.text("resultingDealId") == deal.id, format!("{} is not its referral's deal", deal.id));
        expect(row.text("referralId") == referral.text("id"), format!("{} has lost its referral", deal.id));
        let revision = i64::try_from(deal.told.len()).unwrap_or_default();
        expect(row.number("appliedRevision") == revision, format!("{} is not applied", deal.id));
        let reward = referral.0.get("reward").and_then(|reward| reward.as_m().ok());
        let amount = reward.and_then(|reward| reward.get("amountMinor")).and_then(|amount| amount.as_n().ok());
        let is_worth = amount.is_some_and(|amount| *amount == REWARD_MINOR.to_string());
        expect(is_worth == deal.is_won(), format!("the reward of {} is worth {amount:?}", deal.id));

        let id = referral.text("id");
        let mut audits: Vec<&Item> = of_kind("AUDIT").filter(|audit| last(audit.text("pk")) == id).collect();
        audits.sort_by(|one, other| one.text("at").cmp(other.text("at")));
        for action in ["STATUS_CHANGED", "REWARD_CHANGED"] {
            let steps: Vec<(&str, &str)> = audits
                .iter()
                .filter(|audit| audit.text("action") == action && !AFTER.contains(&audit.text("to")))
                .map(|audit| (audit.text("from"), audit.text("to")))
                .collect();
            let wanted = deal.told.len() + usize::from(deal.is_held && action == "REWARD_CHANGED");
            let are_all = steps.len() == wanted || (deal.may_overtake && steps.len() < wanted);
            expect(are_all, format!("{id} has {steps:?} after {:?}", deal.told));
            expect(steps.iter().all(|step| STEPS.contains(step)), format!("{id} went {steps:?}"));
            expect(steps.windows(2).all(|pair| pair[0].1 == pair[1].0), format!("{id} jumped: {steps:?}"));
        }
        // Told once for each time that it happened, and under the id that the history names.
        let on_bus = |names: &[&str]| -> BTreeSet<String> {
            let about = bus.iter().filter(|entry| names.contains(&entry.detail_type.as_str()));
            about.filter(|entry| entry.metadata("subject") == id).map(|entry| entry.metadata("id")).collect()
        };
        let named = |action: &str, to: &[&str]| -> BTreeSet<String> {
            let moves = audits.iter().filter(|audit| audit.text("action") == action && to.contains(&audit.text("to")));
            moves.map(|audit| audit.text("eventId").to_owned()).collect()
        };
        for (names, action, to) in [
            (&["REWARD_READY"][..], "REWARD_CHANGED", "PENDING"),
            (&["REWARD_CANCELED"], "REWARD_CHANGED", "CANCELED"),
            (&["REFERRAL_CONVERTED"], "STATUS_CHANGED", "CONVERTED"),
            (&["REFERRAL_STATUS_CHANGED"], "STATUS_CHANGED", "QUALIFIED"),
        ] {
            let (told, history) = (on_bus(names), named(action, &[to]));
            let moves = audits.iter().filter(|audit| audit.text("action") == action && audit.text("to") == to).count();
            expect(told == history, format!("{names:?} of {id} on the bus: {told:?} instead of {history:?}"));
            expect(history.len() == moves, format!("{id} went {moves} times to {to}, {} were told", history.len()));
        }
    }
    found
}

/// How often each referral has changed since it was linked: with a status, in what was told of its deal, or when its reward was let go or sent, or its
/// referrer thanked.
pub(crate) fn changes(items: &[Item]) -> BTreeMap<String, i64> {
    let is_change = |audit: &&Item| match audit.text("action") {
        // Later news of a deal that is won already corrects what was told of it.
        "STATUS_CHANGED" | "EDITED" => true,
        // A capture that expires is closed by the same change.
        "ERASED" => {
            let is_same = |other: &Item| ["pk", "at"].iter().all(|name| other.text(name) == audit.text(name));
            !items.iter().any(|other| other.text("action") == "STATUS_CHANGED" && is_same(other))
        }
        "REWARD_CHANGED" => AFTER.contains(&audit.text("to")) || audit.text("from") == "HELD",
        _ => false,
    };
    let mut changes = BTreeMap::new();
    for audit in items.iter().filter(|item| item.kind() == "AUDIT").filter(is_change) {
        *changes.entry(last(audit.text("pk"))).or_default() += 1;
    }
    changes
}
