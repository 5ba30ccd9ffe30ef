//! A page of 25 costs the same calls and units however large the ledger is. `PAGE_COST_ROWS=100000` is the long form.

use referrals::{
    domain::{
        access::Caller,
        attribution::Grouping,
        calendar::Month,
        change::ReferralChange,
        filter::ReferralFilter,
        id::ReferralId,
        lifecycle::Step,
        organization::Role,
        referral::{Channel, ReferralStatus, RewardStatus},
        reward_lane::RewardLane,
        version::Expected,
    },
    ports::Position,
    system::RandomIds,
    usecase::{
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        find_referral::find_referral,
        list_referrals::list_referrals,
        list_rewards::list_rewards,
        report_attribution::{Question, Reported, report_attribution},
    },
};
use referrals_testing::{Bulk, Fixtures, setting};

use crate::world::World;

const SMALL: u32 = 1_000;
/// A multiple of the statuses and of the referrers, so that every page has the same mixture.
const LARGE: u32 = 5_000;
const LIMIT: u32 = 25;
struct Costs<'a> {
    world: &'a World,
    rows: u32,
    table: Vec<String>,
}

impl Costs<'_> {
    fn note(&mut self, operation: &str) {
        let (calls, units) = (self.world.store.calls.take(), self.world.store.calls.take_units());
        let mut counted: Vec<(String, usize)> = Vec::new();
        for call in calls {
            match counted.iter_mut().find(|(name, _)| *name == call) {
                Some((_, count)) => *count += 1,
                None => counted.push((call, 1)),
            }
        }
        let calls: Vec<_> = counted.into_iter().map(|(name, count)| format!("{count} {name}")).collect();
        self.table.push(format!("{operation}: {}, {units} units", calls.join(", ")));
    }

    async fn list(&mut self, operation: &str, caller: &Caller, filter: ReferralFilter, after: Option<u32>) {
        let after = after.map(Bulk::mixed).map(|row| Position { created_at: row.created_at, id: row.id.to_string() });
        let page = list_referrals(&self.world.ledger, caller, &filter, after.as_ref(), LIMIT).await.unwrap();
        assert!(page.next.is_some(), "{operation} goes on");
        let rare = filter.channel.is_some() || filter.reward_status.is_some();
        assert_eq!(page.items.len(), if rare { 0 } else { LIMIT as usize }, "{operation}");
        self.note(operation);
    }

    async fn rewards(&mut self, operation: &str, caller: &Caller, after: Option<u32>) {
        let after = after.map(|number| (number..=self.rows).map(Bulk::mixed).find(|row| row.reward.is_some()).unwrap());
        let after = after.map(|row| Position { created_at: row.created_at, id: row.id.to_string() });
        let page = list_rewards(&self.world.ledger, caller, RewardLane::Pending, after.as_ref(), LIMIT).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (LIMIT as usize, true), "{operation}");
        self.note(operation);
    }

    async fn report(&mut self, grouping: Grouping) {
        let month = |text| Month::parse(text).unwrap();
        let (first, last) = (month("2026-01"), month("2026-12"));
        let question = Question { first, last, agent: None, channel: None, grouping };
        let report = report_attribution(&self.world.ledger, &Fixtures::owner(), &question).await.unwrap();
        let Reported::Report { totals, .. } = report else { panic!("too large") };
        assert_eq!(totals.referrals, i64::from(self.rows));
        self.note(&format!("attribution by {}", grouping.as_str()));
    }

    async fn change(&mut self) {
        let newest =
            (1..=self.rows).rev().find(|number| Bulk::mixed(*number).status == ReferralStatus::Received).unwrap();
        let caller = Fixtures::owner();
        let id: ReferralId = Bulk::mixed(newest).id;
        let found = find_referral(&self.world.ledger, &caller, &id).await.unwrap().unwrap();
        self.note("one referral");
        let change = ReferralChange { step: Some(Step::Contact), ..ReferralChange::default() };
        let request = ChangeRequest { change: &change, expected: &Expected::Any, request_id: "request-3", named: None };
        let clock = &*self.world.clock;
        let changed = change_referral(&self.world.ledger, clock, &RandomIds, &caller, found, &request).await;
        assert!(matches!(changed, Ok(ChangeOutcome::Done(_))));
        self.note("a change of status, once it is read");
    }
}

async fn costs(world: &World, rows: u32) -> Vec<String> {
    let mut costs = Costs { world, rows, table: Vec::new() };
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    let owner = Fixtures::owner();
    let of = |status| ReferralFilter { status: Some(status), ..ReferralFilter::default() };
    let by = || ReferralFilter { referrer: Some(Bulk::referrer(1).id), ..ReferralFilter::default() };
    costs.list("a page", &owner, ReferralFilter::default(), None).await;
    costs.list("a page from the middle", &owner, ReferralFilter::default(), Some(rows / 2)).await;
    costs.list("a page of one status", &owner, of(ReferralStatus::Lost), None).await;
    costs.list("a page of one agent", &jane, ReferralFilter::default(), None).await;
    costs.list("a page of one agent and status", &jane, of(ReferralStatus::Qualified), None).await;
    costs.list("a page of one referrer", &owner, by(), None).await;
    let rare = ReferralFilter { channel: Some(Channel::Widget), ..ReferralFilter::default() };
    costs.list("a filter that lets nothing through", &owner, rare.clone(), None).await;
    costs.list("the same with one referrer", &owner, ReferralFilter { channel: rare.channel, ..by() }, None).await;
    let sent = ReferralFilter { reward_status: Some(RewardStatus::Sent), ..ReferralFilter::default() };
    costs.list("the same of one agent", &jane, sent, None).await;
    costs.rewards("a page of rewards", &owner, None).await;
    costs.rewards("a page of rewards from the middle", &owner, Some(rows / 4)).await;
    costs.rewards("a page of one agent's rewards", &jane, None).await;
    costs.change().await;
    for grouping in Grouping::ALL {
        costs.report(grouping).await;
    }
    costs.table
}

#[tokio::test]
async fn a_page_costs_the_same_however_large_the_ledger() {
    if std::env::var_os("CONTRACT_ENDPOINT").is_some() {
        return; // Engines count differently; the figures are dynoxide's, which follow AWS's rules.
    }
    let large = setting("PAGE_COST_ROWS").unwrap_or(LARGE).next_multiple_of(50);
    let world = World::new().await;
    Bulk::fill(&world.store, 1..=SMALL).await;
    let small = costs(&world, SMALL).await;
    insta::assert_snapshot!(small.join("\n"));
    for line in &small {
        // However little a filter lets through. One referrer's rows are read by their links: a batch more for each read.
        let calls = line.split(": ").nth(1).unwrap();
        let count = calls.split(", ").find_map(|call| call.strip_suffix(" Query"));
        assert!(count.is_none_or(|count| count.parse::<u32>().unwrap() <= 4), "{line}");
    }
    Bulk::fill(&world.store, SMALL + 1..=large).await;
    assert_eq!(costs(&world, large).await, small, "at {SMALL} and at {large} rows");
}
