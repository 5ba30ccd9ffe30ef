//! Deals: heard of in any order and any number of times, matched whichever side comes first, rewarded once.

use referrals::{
    domain::{
        change::ReferralChange,
        deal::{DealNews, DealState},
        id::{DealId, EventId, OrgId, PersonId, ReferralId},
        lifecycle::Step,
        money::Currency,
        referral::{Referral, ReferralStatus, RewardStatus, RewardType},
        reward::{Revenue, RewardPolicy},
        text::Reason,
        time::Timestamp,
        version::Expected,
    },
    events::DealTold,
    ports::PolicyBook as _,
    system::RandomIds,
    usecase::{
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        hear_of_deal::{hear_of_deal, hear_of_link},
        settle_deal::Settled,
    },
};
use referrals_testing::{Fixtures, contact};

use crate::world::World;

/// News of `deal_1`.
pub fn told(event: &str, revision: u64, state: DealState, people: &[&PersonId]) -> DealTold {
    DealTold {
        event_id: EventId::parse(&format!("evt_{event}")).unwrap(),
        organization_id: OrgId::parse(Fixtures::ORGANIZATION).unwrap(),
        deal_id: DealId::parse("deal_1").unwrap(),
        news: DealNews {
            revision,
            state,
            at: Timestamp::parse("2026-12-24T12:00:00Z").unwrap(),
            agent_user_id: None,
            person_ids: people.iter().map(|id| (*id).clone()).collect(),
            named_referral_id: None,
            revenue: Some(Revenue {
                currency: Currency::us_dollar(),
                sale_price_minor: Some(50_000_000),
                gross_commission_minor: Some(1_250_000),
            }),
        },
    }
}

pub struct Deals {
    pub world: World,
    pub referral: ReferralId,
}

impl Deals {
    /// A referral that is in the pipeline, and a policy of 2.5 % of the commission.
    pub async fn new() -> Self {
        let world = World::new().await;
        let mut policy = world.ledger.find_policy(&Fixtures::scope()).await.unwrap();
        (policy.reward_type, policy.reward_value, policy.version) = (RewardType::CommissionShare, Some(250), 1);
        assert_eq!(world.ledger.save_policy(&Fixtures::scope(), &policy).await, Ok(true));
        assert_eq!(world.ledger.save_policy(&Fixtures::scope(), &policy).await, Ok(false));
        let referral = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
        Self { world, referral }
    }

    pub async fn entered(self) -> Self {
        self.world.enter_all().await;
        self
    }

    pub async fn now(&self) -> Referral {
        self.world.referral(&self.referral).await
    }

    pub async fn lead(&self) -> PersonId {
        self.now().await.referred_person_id.unwrap()
    }

    /// The link side, for another event each time.
    pub async fn link(&self, person: Option<&PersonId>, deal: Option<&DealId>) -> Settled {
        self.world.clock.advance_seconds(1);
        let metadata = self.world.event_of(&self.referral).await.metadata;
        let ledger = &self.world.ledger;
        hear_of_link(ledger, &*self.world.clock, &RandomIds, &metadata, person, deal).await.unwrap()
    }

    pub async fn hear(&self, told: &DealTold) -> Settled {
        self.world.clock.advance_seconds(1);
        hear_of_deal(&self.world.ledger, &*self.world.clock, &RandomIds, told).await.unwrap()
    }

    pub async fn step(&self, step: Step, reason: Option<&str>) -> Referral {
        let lost_reason = reason.and_then(|reason| Reason::parse(reason).unwrap());
        self.change(&ReferralChange { step: Some(step), lost_reason, ..ReferralChange::default() }).await
    }

    /// What the owner does with the referral.
    pub async fn change(&self, change: &ReferralChange) -> Referral {
        let request = ChangeRequest { change, expected: &Expected::Any, request_id: "request-4", named: None };
        let owner = Fixtures::owner();
        let found = self.now().await;
        match change_referral(&self.world.ledger, &*self.world.clock, &RandomIds, &owner, found, &request).await {
            Ok(ChangeOutcome::Done(referral)) => *referral,
            other => panic!("not done but {other:?}"),
        }
    }

    /// How many events of that type tell of the referral.
    pub async fn events(&self, detail_type: &str) -> usize {
        let items = self.world.store.outbox_items().await;
        let own = |text: &str| text.contains(self.referral.as_str());
        items.iter().filter(|item| item.text("detailType") == detail_type && own(item.text("detail"))).count()
    }
}

#[tokio::test]
async fn a_won_deal_converts_its_leads_referral_and_the_reward_comes_up() {
    let deals = Deals::new().await.entered().await;
    let won = told("1", 1, DealState::Won, &[&deals.lead().await]);
    assert_eq!(deals.hear(&won).await, Settled::Done);
    let referral = deals.now().await;
    assert_eq!((referral.status, referral.reward_status), (ReferralStatus::Converted, RewardStatus::Pending));
    assert_eq!(referral.resulting_deal_id, Some(won.deal_id.clone()));
    assert_eq!(referral.conversion.as_ref().unwrap().converted_at, won.news.at);
    assert_eq!(referral.reward.as_ref().unwrap().amount_minor, Some(31_250));
    assert_eq!((deals.events("REFERRAL_CONVERTED").await, deals.events("REWARD_READY").await), (1, 1));
    for _ in 0..4 {
        assert_eq!(deals.hear(&won).await, Settled::AlreadyDone);
    }
    assert_eq!(deals.now().await, referral, "heard of five times is heard of once");
    assert_eq!((deals.events("REFERRAL_CONVERTED").await, deals.events("REWARD_READY").await), (1, 1));
}

#[tokio::test]
async fn a_deal_and_a_link_find_each_other_whichever_is_first() {
    // The deal first: its person is in People already, but not linked yet.
    let deals = Deals::new().await;
    let pat = deals.now().await.referrer_person_id;
    let won = told("1", 1, DealState::Won, &[&pat]);
    assert_eq!(deals.hear(&won).await, Settled::Ignored("no referral of this deal"));
    // Somebody else sends Pat.
    let second = deals.world.capture(contact("kim@example.com", ""), contact("pat@example.com", "")).await;
    deals.world.enter_all().await;
    let event = deals.world.event_of(&second).await;
    let linked = hear_of_link(&deals.world.ledger, &*deals.world.clock, &RandomIds, &event.metadata, Some(&pat), None);
    assert_eq!(linked.await, Ok(Settled::Done));
    assert_eq!(deals.world.referral(&second).await.status, ReferralStatus::Converted);

    // Both at once, many times.
    for round in 0..10 {
        let deals = Deals::new().await;
        let pat = deals.now().await.referrer_person_id;
        let won = told("1", 1, DealState::Won, &[&pat]);
        let second = deals.world.capture(contact("kim@example.com", ""), contact("pat@example.com", "")).await;
        let event = deals.world.event_of(&second).await;
        let link = async {
            deals.world.enter(&event).await;
            let ledger = &deals.world.ledger;
            hear_of_link(ledger, &*deals.world.clock, &RandomIds, &event.metadata, Some(&pat), None).await.unwrap()
        };
        tokio::join!(deals.hear(&won), link);
        assert_eq!(deals.world.referral(&second).await.status, ReferralStatus::Converted, "round {round}");
    }
}

#[tokio::test]
async fn a_deal_that_an_agent_names_brings_its_revenue_and_no_second_reward() {
    let deals = Deals::new().await.entered().await;
    let change = ReferralChange {
        resulting_deal_id: referrals::domain::change::Patch::Set(DealId::parse("deal_1").unwrap()),
        step: Some(Step::Convert),
        ..ReferralChange::default()
    };
    let referral = deals.change(&change).await;
    assert_eq!(referral.reward_status, RewardStatus::Pending);
    assert_eq!(referral.reward.unwrap().amount_minor, None, "nobody has told the commission");
    assert_eq!(deals.hear(&told("1", 1, DealState::Won, &[])).await, Settled::Done);
    let referral = deals.now().await;
    assert_eq!(referral.reward.unwrap().amount_minor, Some(31_250));
    assert!(referral.conversion.unwrap().revenue.is_some());
    assert_eq!((deals.events("REFERRAL_CONVERTED").await, deals.events("REWARD_READY").await), (1, 1));
}

#[tokio::test]
async fn a_lost_one_converts_inside_the_window_only() {
    for (days, status) in [(730, ReferralStatus::Converted), (20, ReferralStatus::Lost)] {
        let deals = Deals::new().await.entered().await;
        let mut policy: RewardPolicy = deals.world.ledger.find_policy(&Fixtures::scope()).await.unwrap();
        (policy.attribution_window_days, policy.version) = (days, 2);
        deals.world.ledger.save_policy(&Fixtures::scope(), &policy).await.unwrap();
        deals.step(Step::Lose, Some("went quiet")).await;
        // Won a month after the referral.
        deals.hear(&told("1", 1, DealState::Won, &[&deals.lead().await])).await;
        let referral = deals.now().await;
        assert_eq!(referral.status, status, "{days}");
        assert_eq!(referral.lost_reason.is_some(), status == ReferralStatus::Lost);
    }
}

#[tokio::test]
async fn what_was_taken_back_is_not_owed_and_what_was_won_again_is() {
    let deals = Deals::new().await.entered().await;
    let lead = deals.lead().await;
    for (event, revision, state, status, reward) in [
        ("1", 1, DealState::Won, ReferralStatus::Converted, RewardStatus::Pending),
        ("2", 2, DealState::Reopened, ReferralStatus::Qualified, RewardStatus::Canceled),
        ("3", 3, DealState::Lost, ReferralStatus::Qualified, RewardStatus::Canceled),
        ("4", 4, DealState::Won, ReferralStatus::Converted, RewardStatus::Pending),
    ] {
        deals.hear(&told(event, revision, state, &[&lead])).await;
        let referral = deals.now().await;
        assert_eq!((referral.status, referral.reward_status), (status, reward), "{event}");
    }
    assert_eq!(deals.events("REWARD_CANCELED").await, 1);
    assert_eq!(deals.events("REFERRAL_STATUS_CHANGED").await, 1, "from CONVERTED to QUALIFIED");
}
