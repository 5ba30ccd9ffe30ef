//! Rewards that wait for the clock: let go when their time comes, once, whatever became of them meanwhile.

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::{
    domain::{
        audit::AuditAction,
        change::{Patch, ReferralChange},
        id::{DealId, ReferralId},
        lifecycle::Step,
        referral::{Referral, RewardStatus, RewardType},
        reward::{ComplianceGate, HoldReason},
        reward_action::RewardAction,
        text::Reason,
        time::Timestamp,
        version::Expected,
    },
    ports::{Clock as _, Ids as _, PolicyBook as _, ReferralReader as _},
    store::{keys, rows},
    system::RandomIds,
    usecase::{
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        release_holds::{Released, release_holds},
    },
};
use referrals_testing::{Fixtures, contact};

use crate::world::World;

const DAY: i64 = 86_400;

struct Holds {
    world: World,
}

impl Holds {
    /// Rewards wait for 14 days.
    async fn new(gate: ComplianceGate) -> Self {
        let world = World::new().await;
        let mut policy = world.ledger.find_policy(&Fixtures::scope()).await.unwrap();
        policy.reward_type = RewardType::GiftCard;
        policy.reward_value = Some(5_000);
        policy.holding_period_days = 14;
        policy.compliance_gate = gate;
        policy.version = 1;
        assert_eq!(world.ledger.save_policy(&Fixtures::scope(), &policy).await, Ok(true));
        Self { world }
    }

    async fn change(&self, id: &ReferralId, change: ReferralChange) -> Referral {
        let (owner, found) = (Fixtures::owner(), self.world.referral(id).await);
        let request = ChangeRequest { change: &change, expected: &Expected::Any, request_id: "request-4", named: None };
        let clock = &*self.world.clock;
        match change_referral(&self.world.ledger, clock, &RandomIds, &owner, found, &request).await {
            Ok(ChangeOutcome::Done(referral)) => *referral,
            other => panic!("not done but {other:?}"),
        }
    }

    /// A referral that converts now.
    async fn won(&self, number: usize) -> ReferralId {
        let referred = contact(&format!("friend{number}@example.com"), "");
        let id = self.world.capture(contact("pat@example.com", ""), referred).await;
        let won = ReferralChange {
            step: Some(Step::Convert),
            resulting_deal_id: Patch::Set(DealId::parse(&format!("deal_{number}")).unwrap()),
            ..ReferralChange::default()
        };
        assert_eq!(self.change(&id, won).await.reward_status, RewardStatus::Held);
        id
    }

    async fn act(&self, id: &ReferralId, action: impl Fn(Reason) -> RewardAction) {
        let action = action(Reason::parse("because").unwrap().unwrap());
        self.change(id, ReferralChange { reward_action: Some(action), ..ReferralChange::default() }).await;
    }

    async fn run(&self) -> Released {
        self.run_while(|| true).await
    }

    async fn run_while(&self, has_time: impl Fn() -> bool) -> Released {
        let id = RandomIds.ulid(self.world.clock.now()).to_string();
        release_holds(&self.world.ledger, &*self.world.clock, &RandomIds, &id, has_time).await.unwrap()
    }

    async fn waiting(&self) -> usize {
        let items = self.world.store.items().await;
        items.iter().filter(|item| item.text("pk") == keys::DUE_HOLDS).count()
    }

    async fn ready(&self) -> usize {
        let items = self.world.store.outbox_items().await;
        items.iter().filter(|item| item.text("detailType") == "REWARD_READY").count()
    }

    async fn put(&self, item: std::collections::HashMap<String, AttributeValue>) {
        let store = &self.world.store;
        store.client.put_item().table_name(&store.table).set_item(Some(item)).send().await.unwrap();
    }

    /// A note that a referral waits.
    async fn note(&self, id: &ReferralId, until: Timestamp) {
        let scope = Fixtures::scope();
        let row = rows::DueHoldRow { organization_id: scope.organization().clone(), referral_id: id.clone(), until };
        self.put(rows::to_item(&row, &keys::due_hold(until, &scope, id)).unwrap()).await;
    }
}

fn counts(released: usize, dropped: usize, failed: usize) -> Released {
    Released { released, dropped, failed }
}

#[tokio::test]
async fn a_reward_is_let_go_when_its_time_has_come_and_not_before() {
    let holds = Holds::new(ComplianceGate::Warn).await;
    let id = holds.won(1).await;
    holds.world.clock.advance_seconds(14 * DAY - 1);
    assert_eq!((holds.run().await, holds.waiting().await), (counts(0, 0, 0), 1));
    assert_eq!(holds.world.referral(&id).await.reward_status, RewardStatus::Held);
    holds.world.clock.advance_seconds(1);
    let before = holds.world.referral(&id).await;
    assert_eq!(holds.run().await, counts(1, 0, 0));
    let after = holds.world.referral(&id).await;
    assert_eq!((after.reward_status, after.version), (RewardStatus::Pending, before.version + 1));
    assert_eq!((holds.waiting().await, holds.ready().await), (0, 1));
    let entry = holds.world.ledger.find_history(&Fixtures::scope(), &id).await.unwrap().entries.pop().unwrap();
    let told = (entry.action, entry.actor.as_str(), entry.from.as_deref(), entry.to.as_deref());
    assert_eq!(told, (AuditAction::RewardChanged, "system:hold-release", Some("HELD"), Some("PENDING")));
    assert!(entry.event_id.is_some());
    assert_eq!(holds.run().await, counts(0, 0, 0));
    assert_eq!(holds.world.referral(&id).await, after, "once");
}

#[tokio::test]
async fn the_clock_takes_its_own_reason_and_no_other() {
    let holds = Holds::new(ComplianceGate::Hold).await;
    let id = holds.won(1).await;
    holds.world.clock.advance_seconds(14 * DAY);
    assert_eq!(holds.run().await, counts(1, 0, 0));
    let after = holds.world.referral(&id).await;
    assert_eq!(after.reward_status, RewardStatus::Held);
    let reward = after.reward.unwrap();
    assert_eq!(
        (reward.hold_reasons.into_iter().collect::<Vec<_>>(), reward.hold_until),
        (vec![HoldReason::Compliance], None)
    );
    assert_eq!((holds.waiting().await, holds.ready().await), (0, 0));
    let entry = holds.world.ledger.find_history(&Fixtures::scope(), &id).await.unwrap().entries.pop().unwrap();
    assert_eq!((entry.action, entry.fields), (AuditAction::Edited, vec!["holdReasons".to_owned()]));
}

#[tokio::test]
async fn where_nothing_is_to_be_done_the_note_goes() {
    let holds = Holds::new(ComplianceGate::Warn).await;
    let (released, canceled) = (holds.won(1).await, holds.won(2).await);
    holds.act(&released, RewardAction::Release).await;
    holds.act(&canceled, RewardAction::Cancel).await;
    let gone = ReferralId::parse("ref_gone").unwrap();
    holds.note(&gone, holds.world.clock.now()).await;
    // Held until another time than this note says.
    let moved = holds.won(3).await;
    holds.note(&moved, holds.world.clock.now()).await;
    let rows = [holds.world.referral(&released).await, holds.world.referral(&canceled).await];
    assert_eq!((holds.run().await, holds.waiting().await), (counts(0, 2, 0), 3), "those of now");
    assert_eq!(holds.world.referral(&moved).await.reward_status, RewardStatus::Held);
    holds.world.clock.advance_seconds(15 * DAY);
    assert_eq!((holds.run().await, holds.waiting().await), (counts(1, 2, 0), 0));
    assert_eq!([holds.world.referral(&released).await, holds.world.referral(&canceled).await], rows);
    assert_eq!(holds.world.referral(&moved).await.reward_status, RewardStatus::Pending);
}

#[tokio::test]
async fn one_that_fails_keeps_no_other_waiting() {
    let holds = Holds::new(ComplianceGate::Warn).await;
    let scope = Fixtures::scope();
    // A referral that cannot be read, and a note that cannot, both due before the good one.
    let broken = ReferralId::parse("ref_broken").unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item: std::collections::HashMap<_, _> =
        keys::referral(&scope, &broken).all().map(|(name, value)| (name.to_owned(), value)).collect();
    item.insert("status".to_owned(), text("NONSENSE"));
    holds.put(item).await;
    holds.note(&broken, holds.world.clock.now()).await;
    let until = holds.world.clock.now();
    let odd = keys::due_hold(until, &scope, &ReferralId::parse("ref_odd").unwrap());
    holds.put(odd.all().map(|(name, value)| (name.to_owned(), value)).collect()).await;
    let good = holds.won(1).await;
    holds.world.clock.advance_seconds(14 * DAY);
    assert_eq!(holds.run().await, counts(1, 0, 2));
    assert_eq!(holds.world.referral(&good).await.reward_status, RewardStatus::Pending);
    assert_eq!(holds.waiting().await, 2, "they are there for whoever looks");
}

#[tokio::test]
async fn many_are_done_page_by_page_and_what_there_is_no_time_for_is_the_next_runs() {
    let holds = Holds::new(ComplianceGate::Warn).await;
    for number in 0..30 {
        holds.won(number).await;
    }
    holds.world.clock.advance_seconds(14 * DAY + 60);
    let left = std::cell::Cell::new(27);
    let has_time = || {
        left.set(left.get() - 1);
        left.get() >= 0
    };
    assert_eq!(holds.run_while(has_time).await, counts(27, 0, 0));
    assert_eq!(holds.run().await, counts(3, 0, 0));
    assert_eq!((holds.waiting().await, holds.ready().await), (0, 30));
}

#[tokio::test]
async fn runs_that_meet_let_go_once() {
    let holds = Holds::new(ComplianceGate::Warn).await;
    let id = holds.won(1).await;
    holds.world.clock.advance_seconds(14 * DAY);
    let (one, two, three, four) = tokio::join!(holds.run(), holds.run(), holds.run(), holds.run());
    let released = [one, two, three, four].iter().map(|run| run.released).sum::<usize>();
    assert_eq!((released, holds.ready().await, holds.waiting().await), (1, 1, 0));
    assert_eq!(holds.world.referral(&id).await.reward_status, RewardStatus::Pending);
}
