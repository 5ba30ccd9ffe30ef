//! Deals heard of in whatever order chance gives: one right state in the end, and a way there of legal steps only.

use std::collections::BTreeMap;

use referrals::system::RandomIds;
use referrals::{
    domain::{
        change::{Patch, ReferralChange},
        deal::DealState,
        id::DealId,
        referral::{Channel, ReferralStatus, RewardStatus},
        reward::Conversion,
        time::Timestamp,
    },
    events::DealTold,
    usecase::{hear_of_deal::hear_of_deal, settle_deal::Settled},
};
use referrals_testing::contact;

use crate::deals::{Deals, told};

const SEEDS: u64 = 40;
const COPIES: usize = 5;

/// The steps of a reward that the contract knows.
const REWARD_STEPS: [(&str, &str); 5] =
    [("NONE", "PENDING"), ("PENDING", "CANCELED"), ("CANCELED", "PENDING"), ("PENDING", "SENT"), ("SENT", "THANKED")];
const STATUS_STEPS: [(&str, &str); 3] =
    [("RECEIVED", "CONVERTED"), ("CONVERTED", "QUALIFIED"), ("QUALIFIED", "CONVERTED")];

/// From where to where, in order, by kind of entry.
async fn history(deals: &Deals) -> BTreeMap<String, Vec<(String, String)>> {
    let mut rows = deals.world.rows("AUDIT").await;
    rows.retain(|row| row.text("pk").ends_with(deals.referral.as_str()));
    rows.sort_by(|one, other| one.text("at").cmp(other.text("at")));
    let mut steps: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.text("from").is_empty()) {
        let step = (row.text("from").to_owned(), row.text("to").to_owned());
        steps.entry(row.text("action").to_owned()).or_default().push(step);
    }
    steps
}

fn assert_legal(steps: &[(String, String)], known: &[(&str, &str)], what: &str) {
    for (from, to) in steps {
        assert!(known.contains(&(from, to)), "{what}: {from} to {to}");
    }
    assert!(steps.windows(2).all(|pair| pair[0].1 == pair[1].0), "{what}: {steps:?}");
}

/// A win, a reversal, a lower revision that comes late and a second win, five times each, in every order that chance gives.
#[tokio::test]
async fn in_any_order_the_highest_revision_is_what_holds() {
    let mut deals = Deals::new().await;
    for seed in 0..SEEDS {
        let (referrer, friend) = (format!("pat{seed}@example.com"), format!("sam{seed}@example.com"));
        deals.referral = deals.world.capture(contact(&referrer, ""), contact(&friend, "")).await;
        let received = deals.world.event_of(&deals.referral).await;
        deals.world.enter(&received).await;
        let lead = deals.lead().await;
        let mut stream = Vec::new();
        for (revision, state, price) in [
            (1, DealState::Lost, 1),
            (2, DealState::Won, 40_000_000),
            (3, DealState::Reopened, 2),
            (5, DealState::Won, 50_000_000),
        ] {
            let mut news = told(&format!("{seed}-{revision}"), revision, state, &[&lead]);
            news.deal_id = DealId::parse(&format!("deal_{seed}")).unwrap();
            news.news.at = Timestamp::parse(&format!("2026-12-2{revision}T12:00:00Z")).unwrap();
            news.news.revenue.as_mut().unwrap().sale_price_minor = Some(price);
            stream.extend(vec![news; COPIES]);
        }
        fastrand::Rng::with_seed(seed).shuffle(&mut stream);
        for news in &stream {
            deals.hear(news).await;
        }
        let last = stream.iter().max_by_key(|news| news.news.revision).unwrap();
        let referral = deals.now().await;
        assert_eq!(referral.status, ReferralStatus::Converted, "seed {seed}");
        assert_eq!(referral.reward_status, RewardStatus::Pending, "seed {seed}");
        assert_eq!(referral.reward.as_ref().unwrap().amount_minor, Some(31_250), "seed {seed}");
        let wanted = Conversion { converted_at: last.news.at, revenue: last.news.revenue.clone() };
        assert_eq!(referral.conversion, Some(wanted), "seed {seed}");

        let steps = history(&deals).await;
        assert_legal(&steps["STATUS_CHANGED"], &STATUS_STEPS, "status");
        assert_legal(&steps["REWARD_CHANGED"], &REWARD_STEPS, "reward");
        for (status, detail_type) in [("PENDING", "REWARD_READY"), ("CANCELED", "REWARD_CANCELED")] {
            let entries = steps["REWARD_CHANGED"].iter().filter(|(_, to)| to == status).count();
            assert_eq!(deals.events(detail_type).await, entries, "seed {seed}: once for each time {status} is entered");
        }
        assert_eq!(deals.events("REFERRAL_LINKED").await, 0, "a deal does not tell itself of its own link");
    }
}

/// All at once, as several instances of the function take them.
#[tokio::test]
async fn together_they_leave_one_state_too() {
    for round in 0..8 {
        let deals = Deals::new().await.entered().await;
        let lead = deals.lead().await;
        let hear = async |news: DealTold| {
            // A message whose rows keep moving goes back to the queue.
            for _ in 0..5 {
                if let Ok(settled) =
                    hear_of_deal(&deals.world.ledger, &referrals::system::SystemClock, &RandomIds, &news).await
                {
                    return settled;
                }
            }
            panic!("not heard of");
        };
        let (first, second) = (told("1", 1, DealState::Won, &[&lead]), told("2", 2, DealState::Reopened, &[&lead]));
        let third = told("3", 3, DealState::Won, &[&lead]);
        let settled: [Settled; 6] = tokio::join!(
            hear(first.clone()),
            hear(second.clone()),
            hear(third.clone()),
            hear(third.clone()),
            hear(second),
            hear(first)
        )
        .into();
        assert!(!settled.iter().any(|settled| matches!(settled, Settled::Ignored("only an agent has named the deal"))));
        let referral = deals.now().await;
        assert_eq!(
            (referral.status, referral.reward_status),
            (ReferralStatus::Converted, RewardStatus::Pending),
            "{round}"
        );
        assert_eq!(referral.channel, Channel::PublicProfile);
        assert_eq!(deals.events("REWARD_READY").await, deals.events("REWARD_CANCELED").await + 1, "{round}");
    }
}

/// An agent names the deal while it is told: whoever commits second finds the other.
#[tokio::test]
async fn an_agents_link_and_a_win_at_once_always_meet() {
    for round in 0..12 {
        let deals = Deals::new().await.entered().await;
        let won = told("1", 1, DealState::Won, &[]);
        let resulting_deal_id = Patch::Set(won.deal_id.clone());
        let patch = ReferralChange { resulting_deal_id, ..ReferralChange::default() };
        let link = async {
            deals.change(&patch).await;
            deals.link(None, Some(&won.deal_id)).await
        };
        let (heard, linked) = tokio::join!(deals.hear(&won), link);
        assert!([heard, linked].contains(&Settled::Done), "{round}: {heard:?} {linked:?}");
        let referral = deals.now().await;
        assert_eq!((referral.status, referral.reward_status), (ReferralStatus::Converted, RewardStatus::Pending));
        assert_eq!(deals.events("REWARD_READY").await, 1, "{round}");
    }
}
