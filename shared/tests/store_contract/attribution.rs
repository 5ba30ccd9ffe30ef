//! The report is what the ledger's rows add up to, whatever has happened to them. `HISTORY_OPERATIONS=20000` is the long form;
//! `HISTORY_SEED` repeats one.

use std::collections::BTreeMap;

use fastrand::Rng;
use referrals::{
    domain::{
        access::Caller,
        attribution::{Figures, Grouping},
        calendar::{Month, Zone},
        change::{Patch, ReferralChange},
        contact::Contact,
        deal::DealState,
        filter::ReferralFilter,
        id::{DealId, ReferralId, UserId},
        import::{RawRow, RowOutcome},
        lifecycle::Step,
        money::Currency,
        organization::Role,
        referral::{Channel, Referral, ReferralStatus, RewardType},
        reward::{Revenue, RewardPolicy},
        reward_action::RewardAction,
        text::Reason,
        version::Expected,
    },
    ports::{AttributionReader as _, Clock as _, PolicyBook as _, ReferralReader as _},
    system::RandomIds,
    usecase::{
        capture_referral::Submission,
        change_referral::{ChangeRequest, change_referral},
        hear_of_deal::hear_of_deal,
        log_referral::{Advocate, Entry},
        release_holds::release_holds,
        report_attribution::{Group, Question, Reported, report_attribution},
    },
};
use referrals_testing::{Fixtures, Upload, contact, name, submission};
use serde_json::Value;

use crate::{deals::told, world::World};

const SHORT: u32 = 700;
const ADVOCATES: u32 = 30;
const AGENTS: [&str; 3] = ["user_456", "user_789", "user_790"];
const CURRENCIES: [&str; 3] = ["USD", "EUR", "JPY"];

/// Figures by name; a sum of money by name and currency.
pub type Plain = BTreeMap<String, i128>;

pub fn plain(figures: &Figures) -> Plain {
    let counts = figures.counts().into_iter().map(|(name, count)| (name.to_owned(), i128::from(count)));
    let amounts = figures.amounts().into_iter().flat_map(|(name, amounts)| {
        amounts.iter().map(move |(currency, sum)| (format!("{name} {currency}"), sum)).collect::<Vec<_>>()
    });
    let open = [("open".to_owned(), i128::from(figures.open()))];
    counts.chain(amounts).chain(open).filter(|(_, number)| *number != 0).collect()
}

/// What a row counts as, by the words of the contract and not by the code's.
fn counted(row: &Value) -> Plain {
    let mut plain = Plain::from([("referrals".to_owned(), 1)]);
    let mut add = |name: String, number: i128| *plain.entry(name).or_default() += number;
    match row["status"].as_str().unwrap() {
        "RECEIVED" => add("open".into(), 1),
        status @ ("CONTACTED" | "QUALIFIED") => {
            add(status.to_lowercase(), 1);
            add("open".into(), 1);
        }
        "CONVERTED" => {
            add("converted".into(), 1);
            add("dealsWon".into(), i128::from(row["resultingDealId"].is_string()));
            let revenue = &row["conversion"]["revenue"];
            for (field, name) in [("salePriceMinor", "salesVolume"), ("grossCommissionMinor", "grossCommission")] {
                if let Some(minor) = revenue[field].as_i64() {
                    add(format!("{name} {}", revenue["currency"].as_str().unwrap()), minor.into());
                }
            }
        }
        "LOST" => add("lost".into(), 1),
        other => panic!("{other}"),
    }
    if row["reversed"] == true {
        add("reversed".into(), 1);
    }
    if let Some(minor) = row["reward"]["amountMinor"].as_i64() {
        let currency = row["rewardCurrency"].as_str().unwrap();
        match row["rewardStatus"].as_str().unwrap() {
            "PENDING" => add(format!("rewardsPending {currency}"), minor.into()),
            "SENT" | "THANKED" => add(format!("rewardsSent {currency}"), minor.into()),
            _ => {}
        }
    }
    plain.retain(|_, number| *number != 0);
    plain
}

fn add_all<'a>(parts: impl IntoIterator<Item = &'a Plain>) -> Plain {
    let mut sum = Plain::new();
    for (name, number) in parts.into_iter().flatten() {
        *sum.entry(name.clone()).or_default() += number;
    }
    sum.retain(|_, number| *number != 0);
    sum
}

/// Every row of the ledger.
pub async fn all_rows(world: &World) -> Vec<Referral> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let filter = ReferralFilter::default();
        let page = world.ledger.list_referrals(&Fixtures::scope(), &filter, after.as_ref(), 1_000).await.unwrap();
        rows.extend(page.items);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

async fn report(world: &World, caller: &Caller, question: &Question) -> (Vec<(Group, Figures)>, Figures) {
    match report_attribution(&world.ledger, caller, question).await.unwrap() {
        Reported::Report { rows, totals } => (rows, totals),
        Reported::TooLarge => panic!("too large"),
    }
}

/// Compares every cell, and the report of every grouping and of some ranges and filters, with a plain recomputation.
pub async fn assert_report_is_right(world: &World, random: &mut Rng) {
    let rows = all_rows(world).await;
    // The month is the zone's, whatever the row says.
    let zone = Zone::parse("America/New_York").unwrap();
    let rows: Vec<(Referral, Plain)> = rows
        .into_iter()
        .map(|row| {
            assert_eq!(row.month, Month::of(row.created_at, &zone));
            let plain = counted(&serde_json::to_value(&row).unwrap());
            (row, plain)
        })
        .collect();
    let (first, last) = (Month::parse("1970-01").unwrap(), Month::parse("9999-12").unwrap());
    let mut wanted: BTreeMap<String, Vec<&Plain>> = BTreeMap::new();
    for (row, plain) in &rows {
        let cell = format!("{} {} {} {}", row.month, row.referrer_person_id, row.agent_user_id, row.channel.as_str());
        wanted.entry(cell).or_default().push(plain);
    }
    let wanted: BTreeMap<String, Plain> = wanted.into_iter().map(|(cell, parts)| (cell, add_all(parts))).collect();
    let cells = world.ledger.cells_between(&Fixtures::scope(), first, last).await.unwrap();
    let cells: BTreeMap<String, Plain> = cells
        .iter()
        .filter(|cell| !cell.figures.is_nothing())
        .map(|cell| {
            let id = &cell.id;
            let name = format!("{} {} {} {}", id.month, id.advocate, id.agent, id.channel.as_str());
            (name, plain(&cell.figures))
        })
        .collect();
    assert_eq!(cells, wanted);

    let months: Vec<Month> = rows.iter().map(|(row, _)| row.month).collect();
    let mut ranges = vec![(*months.iter().min().unwrap(), *months.iter().max().unwrap())];
    for _ in 0..2 {
        let (one, other) = (*random.choice(&months).unwrap(), *random.choice(&months).unwrap());
        ranges.push((one.min(other), one.max(other)));
    }
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    for (first, last) in ranges {
        for grouping in Grouping::ALL {
            for (caller, agent, channel) in [
                (Fixtures::owner(), None, None),
                (Fixtures::owner(), Some(AGENTS[0]), None),
                (Fixtures::owner(), None, Some(Channel::Widget)),
                (jane.clone(), None, None),
                (jane.clone(), Some(AGENTS[2]), None),
            ] {
                let question =
                    Question { first, last, agent: agent.map(|id| UserId::parse(id).unwrap()), channel, grouping };
                let mut wanted: BTreeMap<String, Vec<&Plain>> = BTreeMap::new();
                for (row, plain) in rows.iter().filter(|(row, _)| {
                    (first..=last).contains(&row.month)
                        && question.agent.as_ref().is_none_or(|agent| row.agent_user_id == *agent)
                        && (caller.role == Role::Owner || row.agent_user_id == caller.user)
                        && channel.is_none_or(|channel| row.channel == channel)
                }) {
                    let group = match grouping {
                        Grouping::Advocate => row.referrer_person_id.to_string(),
                        Grouping::Agent => row.agent_user_id.to_string(),
                        Grouping::Channel => row.channel.as_str().to_owned(),
                        Grouping::Month => row.month.to_string(),
                    };
                    wanted.entry(group).or_default().push(plain);
                }
                let wanted: BTreeMap<String, Plain> =
                    wanted.into_iter().map(|(group, parts)| (group, add_all(parts))).collect();
                let (rows, totals) = report(world, &caller, &question).await;
                let got: BTreeMap<String, Plain> = rows
                    .iter()
                    .map(|(group, figures)| {
                        let group = match group {
                            Group::Advocate(id, name) => {
                                assert!(name.is_some(), "{id} has a name");
                                id.to_string()
                            }
                            Group::Agent(id, name) => {
                                assert!(name.is_some(), "{id} has a name");
                                id.to_string()
                            }
                            Group::Channel(channel) => channel.as_str().to_owned(),
                            Group::Month(month) => month.to_string(),
                        };
                        (group, plain(figures))
                    })
                    .collect();
                assert_eq!((got.len(), &got), (rows.len(), &wanted), "{question:?}");
                assert_eq!(plain(&totals), add_all(wanted.values()), "{question:?}");
            }
        }
    }
}

/// Whatever an office does in some years, in the order that chance gives.
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
        let referrals::usecase::capture_referral::Captured::Recorded(_, id) = captured else {
            panic!("not recorded but {captured:?}")
        };
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
        let referrals::usecase::log_referral::Logged::Recorded(row) = logged else {
            panic!("not recorded but {logged:?}")
        };
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
        if let referrals::usecase::capture_referral::Captured::Recorded(_, id) = self.world.submit(&form).await.unwrap()
        {
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
    let number = |name: &str| std::env::var_os(name).map(|text| text.to_str().unwrap().parse::<u64>().unwrap());
    let operations = number("HISTORY_OPERATIONS").unwrap_or(SHORT.into());
    let seed = number("HISTORY_SEED").unwrap_or_else(|| fastrand::u64(..));
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
}
