//! Whatever an office does in some years, in the order that chance gives, and the report after it. `HISTORY_OPERATIONS=20000` is
//! the long form; `HISTORY_SEED` repeats one.

use std::collections::BTreeMap;

use fastrand::Rng;
use referrals::{
    domain::{
        calendar::Zone,
        change::{Patch, ReferralChange},
        contact::Contact,
        deal::DealState,
        id::{DealId, ReferralId, UserId},
        import::{RawRow, RowOutcome},
        lifecycle::Step,
        money::Currency,
        referral::{Channel, ReferralStatus, RewardType},
        reward::{Revenue, RewardPolicy},
        reward_action::RewardAction,
        text::Reason,
        version::Expected,
    },
    ports::{Clock as _, PolicyBook as _, ReferralReader as _},
    system::RandomIds,
    usecase::{
        capture_referral::{Captured, Submission},
        change_referral::{ChangeRequest, change_referral},
        hear_of_deal::hear_of_deal,
        log_referral::{Advocate, Entry, Logged},
        release_holds::release_holds,
    },
};
use referrals_testing::{Fixtures, Item, Upload, contact, name, setting, submission};

use crate::{
    attribution::{AGENTS, all_rows, assert_report_is_right},
    deals::told,
    world::World,
};

const SHORT: u32 = 700;
const ADVOCATES: u32 = 30;
const CURRENCIES: [&str; 3] = ["USD", "EUR", "JPY"];

struct Office<'a> {
    world: &'a World,
    random: Rng,
    rows: Vec<ReferralId>,
    deals: u32,
    done: BTreeMap<&'static str, u32>,
}

impl Office<'_> {
    fn currency(&mut self) -> Currency {
        Currency::parse(self.random.choice(CURRENCIES).unwrap()).unwrap()
    }

    fn any_row(&mut self) -> Option<ReferralId> {
        self.random.choice(&self.rows).cloned()
    }

    fn new_deal(&mut self) -> DealId {
        self.deals += 1;
        DealId::parse(&format!("deal_{}", self.deals)).unwrap()
    }

    async fn step(&mut self) {
        self.world.clock.advance_seconds(self.random.i64(0..4 * 3_600));
        let done = match self.random.u32(0..100) {
            0..30 => self.capture().await,
            30..45 => self.log().await,
            45..70 => self.change().await,
            70..85 => self.news().await,
            85..93 => self.reward().await,
            93..95 => self.policy().await,
            95..97 => self.import().await,
            97 => self.pipeline_and_clock().await,
            _ => self.delete().await,
        };
        *self.done.entry(done).or_default() += 1;
    }

    async fn capture(&mut self) -> &'static str {
        let referrer = contact(&format!("pat{}@example.com", self.random.u32(0..ADVOCATES)), "");
        let channel = if self.random.bool() { Channel::Widget } else { Channel::PublicProfile };
        let form = Submission { channel, ..submission(referrer, self.friend()) };
        let captured = self.world.submit(&form).await.unwrap();
        let Captured::Recorded(_, id) = captured else { panic!("not recorded but {captured:?}") };
        self.rows.push(id);
        "captured"
    }

    fn friend(&mut self) -> Contact {
        contact(&format!("sam{}@example.com", self.random.u64(..)), "")
    }

    async fn log(&mut self) -> &'static str {
        let entry = Entry {
            referrer: Advocate::Described {
                name: name("Pat Jones"),
                contact: contact(&format!("pat{}@example.com", self.random.u32(0..ADVOCATES)), ""),
            },
            agent_user_id: UserId::parse(self.random.choice(AGENTS).unwrap()).unwrap(),
            referred_name: name("Sam Lee"),
            referred_contact: self.friend(),
            notes: None,
            zone: Zone::parse("America/New_York").unwrap(),
        };
        let logged = self.world.log(&Fixtures::owner(), &entry).await;
        let Logged::Recorded(row) = logged else { panic!("not recorded but {logged:?}") };
        self.rows.push(row.id);
        "logged"
    }

    async fn apply(&self, id: &ReferralId, change: &ReferralChange) {
        let Some(found) = self.world.ledger.find_referral(&Fixtures::scope(), id).await.unwrap() else { return };
        let request = ChangeRequest { change, expected: &Expected::Any, request_id: "request-5", named: None };
        let (ledger, clock) = (&self.world.ledger, &*self.world.clock);
        // What the rules forbid is refused, and changes nothing.
        let _ = change_referral(ledger, clock, &RandomIds, &Fixtures::owner(), found, &request).await.unwrap();
    }

    async fn change(&mut self) -> &'static str {
        let Some(id) = self.any_row() else { return "nothing" };
        let steps = [Step::Contact, Step::Qualify, Step::Lose, Step::Reopen, Step::Convert];
        let step = *self.random.choice(&steps).unwrap();
        let change = ReferralChange {
            step: Some(step),
            lost_reason: (step == Step::Lose).then(|| Reason::parse("moved away").unwrap().unwrap()),
            resulting_deal_id: if step == Step::Convert { Patch::Set(self.new_deal()) } else { Patch::Keep },
            ..ReferralChange::default()
        };
        // Sometimes another deal, or another reward, and nothing else.
        let change = match self.random.u32(0..6) {
            0 => ReferralChange { resulting_deal_id: Patch::Set(self.new_deal()), ..ReferralChange::default() },
            1 => ReferralChange {
                reward_type: Some(RewardType::AccountCredit),
                reward_value: Patch::Set(self.random.i64(1..9_000)),
                ..ReferralChange::default()
            },
            _ => change,
        };
        self.apply(&id, &change).await;
        "changed"
    }

    async fn news(&mut self) -> &'static str {
        let Some(id) = self.any_row() else { return "nothing" };
        let Some(row) = self.world.ledger.find_referral(&Fixtures::scope(), &id).await.unwrap() else {
            return "nothing";
        };
        let (deal, revision) = (row.resulting_deal_id.clone(), self.world.clock.now().epoch_millis());
        let state = match self.random.u32(0..10) {
            0..6 => DealState::Won,
            6..8 => DealState::Reopened,
            _ => DealState::Lost,
        };
        let mut news = told(&self.random.u64(..).to_string(), revision, state, &[]);
        news.deal_id = match deal {
            Some(deal) => deal,
            None => self.new_deal(),
        };
        news.news.at = self.world.clock.now();
        news.news.named_referral_id = Some(id);
        news.news.revenue = self.random.bool().then(|| Revenue {
            currency: self.currency(),
            sale_price_minor: Some(self.random.i64(0..90_000_000)),
            gross_commission_minor: self.random.bool().then(|| self.random.i64(0..2_000_000)),
        });
        hear_of_deal(&self.world.ledger, &*self.world.clock, &RandomIds, &news).await.unwrap();
        "told of a deal"
    }

    async fn reward(&mut self) -> &'static str {
        let Some(id) = self.any_row() else { return "nothing" };
        let reason = Reason::parse("as agreed").unwrap().unwrap();
        let action = match self.random.u32(0..4) {
            0..2 => RewardAction::MarkSent { by: Fixtures::owner().user, acknowledges: true },
            2 => RewardAction::Release(reason),
            _ => RewardAction::Cancel(reason),
        };
        self.apply(&id, &ReferralChange { reward_action: Some(action), ..ReferralChange::default() }).await;
        "rewarded"
    }

    async fn policy(&mut self) -> &'static str {
        let scope = Fixtures::scope();
        let mut policy: RewardPolicy = self.world.ledger.find_policy(&scope).await.unwrap();
        policy.version += 1;
        (policy.reward_type, policy.reward_value) = match self.random.u32(0..3) {
            0 => (RewardType::None, None),
            1 => (RewardType::CommissionShare, Some(250)),
            _ => (RewardType::GiftCard, Some(self.random.i64(1..50_000))),
        };
        policy.currency = self.currency();
        policy.holding_period_days = self.random.choice([0, 0, 30]).unwrap();
        assert_eq!(self.world.ledger.save_policy(&scope, &policy).await, Ok(true));
        "set a policy"
    }

    /// The newest becomes a lead, its friend being the referrer now and then, and whose time has come is let go.
    async fn pipeline_and_clock(&mut self) -> &'static str {
        let form = submission(contact("kim@example.com", ""), contact("kim+friend@example.com", ""));
        if let Captured::Recorded(_, id) = self.world.submit(&form).await.unwrap() {
            let deal = self.new_deal();
            let change = ReferralChange {
                step: Some(Step::Convert),
                resulting_deal_id: Patch::Set(deal),
                ..ReferralChange::default()
            };
            self.apply(&id, &change).await;
            self.world.enter(&self.world.event_of(&id).await).await;
            self.rows.push(id);
        }
        let (ledger, clock) = (&self.world.ledger, &*self.world.clock);
        release_holds(ledger, clock, &RandomIds, "request-7", || true).await.unwrap();
        "let go"
    }

    /// A file of three rows, one of which is there twice.
    async fn import(&mut self) -> &'static str {
        let mut rows = Vec::new();
        for line in 2..4 {
            let (advocate, day) = (self.random.u32(0..ADVOCATES), self.random.u32(1..29));
            let (month, currency) = (self.random.u32(1..13), self.currency());
            let (external, deal) = (self.random.u64(..), self.new_deal());
            let money = format!("salePriceMinor={}", self.random.i64(0..90_000_000));
            let agent = self.random.choice(AGENTS).unwrap();
            let mut cells = vec![
                format!("externalId={external}"),
                format!("referrerEmail=pat{advocate}@example.com"),
                format!("receivedAt=2025-{month:02}-{day:02}"),
                format!("agentUserId={agent}"),
            ];
            let rest: &[&str] = match self.random.u32(0..4) {
                0 => &["status=LOST", "lostReason=moved"],
                1 => &["status=QUALIFIED", "reversed=true"],
                2 => &["status=CONVERTED", "rewardType=gift_card", "rewardValue=5000", "rewardStatus=SENT"],
                _ => &["status=CONVERTED"],
            };
            cells.extend(rest.iter().map(|cell| (*cell).to_owned()));
            if rest[0] == "status=CONVERTED" {
                cells.extend([format!("dealId={deal}"), money, format!("currency={currency}")]);
            }
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            rows.push(Upload::row(line, &cells));
        }
        rows.push(RawRow { line: 4, ..rows[0].clone() });
        let reports = self.world.upload(&rows).await;
        let outcomes: Vec<RowOutcome> = reports.iter().map(|report| report.outcome).collect();
        assert_eq!(outcomes, [RowOutcome::Created, RowOutcome::Created, RowOutcome::Unchanged], "{reports:?}");
        self.rows.extend(reports.into_iter().take(2).filter_map(|report| report.referral_id));
        "imported"
    }

    async fn delete(&mut self) -> &'static str {
        let Some(id) = self.any_row() else { return "nothing" };
        if self.world.ledger.find_referral(&Fixtures::scope(), &id).await.unwrap().is_some() {
            self.world.delete(&id).await;
        }
        "deleted"
    }
}

#[tokio::test]
async fn the_report_is_what_the_rows_add_up_to() {
    let operations = setting("HISTORY_OPERATIONS").unwrap_or(SHORT);
    let seed = setting("HISTORY_SEED").unwrap_or_else(|| fastrand::u64(..));
    eprintln!("HISTORY_SEED={seed} HISTORY_OPERATIONS={operations}");
    let world = World::new().await;
    let mut office =
        Office { world: &world, random: Rng::with_seed(seed), rows: vec![], deals: 0, done: BTreeMap::new() };
    for _ in 0..operations {
        office.step().await;
    }
    assert_report_is_right(&world, &mut office.random).await;
    let rows = all_rows(&world).await;
    let converted = rows.iter().filter(|row| row.status == ReferralStatus::Converted).count();
    let reversed = rows.iter().filter(|row| row.reversed).count();
    eprintln!("{:?}; {} rows, {converted} converted, {reversed} reversed", office.done, rows.len());
    assert!(converted > 0 && reversed > 0, "the history has some of everything");
    let unscoped: Vec<String> = world.store.items().await.iter().flat_map(Item::unscoped_keys).collect();
    assert_eq!(unscoped, Vec::<String>::new());
}
