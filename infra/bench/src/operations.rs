//! What each operation costs in calls to AWS and in capacity units, in a small ledger and in a large one: the release
//! binaries at work, and the engine's own account of it.

use std::collections::BTreeMap;

use referrals_harness::{Call, Called, Line, Method, Name, News, Setup, Submitted, World};
use referrals_testing::Bulk;
use serde::Serialize;
use serde_json::{Value, json};

const SMALL: u32 = 1_000;
const IMPORTED_ROWS: u32 = 100;
const LEDGER: &str = "/api/reputation/referrals";

/// What one operation of a process that has worked before costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spent {
    calls: f64,
    /// Of both kinds.
    units: f64,
    /// Those of them that are paid as writes.
    write_units: f64,
    /// How often which operation of AWS was called.
    operations: BTreeMap<String, usize>,
}

impl Spent {
    /// Of each of so many.
    fn each(self, count: u32) -> Self {
        let count = f64::from(count);
        Self {
            calls: self.calls / count,
            units: self.units / count,
            write_units: self.write_units / count,
            // As often as they were called in all.
            operations: self.operations,
        }
    }
}

/// What a request sets off, each step alone, until all is quiet and every mail has arrived.
#[derive(Debug, Serialize)]
pub struct FollowUp {
    name: &'static str,
    /// The request itself is in it.
    spent: Spent,
    /// How often which function was called.
    invocations: BTreeMap<&'static str, u64>,
    events: usize,
    mails: usize,
}

#[derive(Debug, Serialize)]
pub struct Cost {
    name: &'static str,
    /// Among 1,000 referrals.
    small: Spent,
    /// Among many more.
    large: Option<Spent>,
}

type Costs = Vec<(&'static str, Spent)>;

fn setup() -> Setup {
    Setup { line: Line { counts_units: true, ..Line::default() }, log_level: "info", ..Setup::default() }
}

/// Every operation at both sizes; what has no ledger is measured once.
pub async fn costs(large: u32) -> Vec<Cost> {
    let (small, at_large) = (of_ledger(SMALL).await, of_ledger(large).await);
    let both =
        small.into_iter().zip(at_large).map(|((name, small), (_, large))| Cost { name, small, large: Some(large) });
    let alone = [("capture, refused by the network's limit", refused().await)];
    both.chain(alone.map(|(name, small)| Cost { name, small, large: None })).collect()
}

async fn of_ledger(referrals: u32) -> Costs {
    eprintln!("{referrals} referrals ...");
    let world = &mut World::start_with(setup()).await;
    Bulk::fill(&world.store, 1..=referrals).await;
    let mut costs = of_forms(world).await;
    costs.extend(of_agents(world).await);
    let rows = world.history(IMPORTED_ROWS as usize, 1);
    let file = world.upload(&rows, rows.len()).await;
    world.announce(&file);
    begin(world);
    world.consume(Name::ImportWorker).await.expect("a part of the file");
    costs.push(("import, a row of 100 in a part", spent(world).each(IMPORTED_ROWS)));
    world.settle().await.expect("it is quiet");
    costs
}

async fn of_forms(world: &mut World) -> Costs {
    let mut costs = Costs::new();
    let warm = world.fill_in_plain();
    submitted(world, &warm).await;
    world.relay().await;
    begin(world);
    world.enter().await.expect("the event of the form");
    costs.push(("pipeline entry, new lead with an address", spent(world)));
    let (first, plain) = (world.fill_in(), world.fill_in_plain());
    costs.push(("capture, new referrer with an address", submitted(world, &plain).await));
    costs.push(("capture, new referrer with address and number", submitted(world, &first).await));
    let again = world.fill_in_again(&first);
    costs.push(("capture, returning referrer", submitted(world, &again).await));
    costs.push(("capture, repetition", submitted(world, &again).await));
    world.settle().await.expect("it is quiet");
    costs
}

async fn of_agents(world: &mut World) -> Costs {
    let list = format!("{LEDGER}?limit=25");
    // The account is looked up once in thirty seconds.
    let newest = called(world, Method::Get, &list, None).await.0;
    let id = newest["referrals"][0]["id"].as_str().expect("a referral").to_owned();
    let of = |part: &str| format!("{LEDGER}/{id}{part}");
    let deal = json!({"resultingDealId": format!("deal_{id}")});
    let acknowledged = json!({"complianceAcknowledged": true});
    let (get, post) = (Method::Get, Method::Post);
    let requests = [
        ("list, a page of 25", get, list, None),
        ("one referral", get, of(""), None),
        ("a referral's history", get, of("/history"), None),
        ("a change of status", post, of("/contact"), None),
        ("a conversion by which a reward comes up", post, of("/convert"), Some(deal)),
        ("a reward marked sent", post, of("/reward/mark-sent"), Some(acknowledged)),
        ("attribution by advocate", get, "/api/reputation/attribution?groupBy=advocate".to_owned(), None),
        ("attribution by month", get, "/api/reputation/attribution?groupBy=month".to_owned(), None),
    ];
    let mut costs = Costs::new();
    for (name, method, target, body) in requests {
        costs.push((name, called(world, method, &target, body.as_ref()).await.1));
    }
    world.settle().await.expect("it is quiet");
    costs
}

/// A referral's life, and what each step of it sets off.
pub async fn follow_ups() -> Vec<FollowUp> {
    let world = &mut World::start_with(setup()).await;
    world.open_post(true);
    let warm = world.fill_in_agreeing(false);
    followed(world, "warm", Step::Form(&warm)).await;
    let form = world.fill_in_agreeing(false);
    let captured = followed(world, "a capture", Step::Form(&form)).await;
    let newest = called(world, Method::Get, &format!("{LEDGER}?limit=1"), None).await.0;
    let id = newest["referrals"][0]["id"].as_str().expect("a referral").to_owned();
    let mut follow_ups = vec![captured];
    for (name, action, body) in [
        ("a change of status", "contact", json!({})),
        ("a conversion", "convert", json!({"resultingDealId": format!("deal_{id}")})),
        ("a reward sent", "reward/mark-sent", json!({"complianceAcknowledged": true})),
    ] {
        follow_ups.push(followed(world, name, Step::Action(&format!("{LEDGER}/{id}/{action}"), &body)).await);
    }
    follow_ups
}

enum Step<'a> {
    Form(&'a Submitted),
    Action(&'a str, &'a Value),
}

async fn followed(world: &mut World, name: &'static str, step: Step<'_>) -> FollowUp {
    let (before, events, mails) = (world.invocations(), world.bus.entries().len(), world.post_office.accepted().len());
    begin(world);
    match step {
        Step::Form(form) => assert_eq!(world.post(form).await.status, 201),
        Step::Action(target, body) => assert_eq!(world.call(Method::Post, target, Some(body)).await.status, 200),
    }
    world.settle().await.expect("it is quiet");
    let sent = world.post_office.accepted().split_off(mails);
    for mail in &sent {
        world.hear_of(mail, News::Delivered);
    }
    world.settle().await.expect("it is quiet");
    let after = world.invocations().into_iter().map(|(name, count)| (name, count - before[&name]));
    let invocations = after.filter(|(_, count)| *count > 0).map(|(name, count)| (name.as_str(), count)).collect();
    let events = world.bus.entries().len() - events;
    FollowUp { name, spent: spent(world), invocations, events, mails: sent.len() }
}

/// The second form of a network that may send one.
async fn refused() -> Spent {
    let variables = vec![("CAPTURE_IP_PER_HOUR", "1".to_owned())];
    let mut world = World::start_with(Setup { variables, ..setup() }).await;
    let form = world.fill_in();
    submitted(&mut world, &form).await;
    begin(&world);
    assert_eq!(world.post(&form).await.status, 429);
    spent(&world)
}

async fn submitted(world: &mut World, form: &Submitted) -> Spent {
    begin(world);
    assert_eq!(world.post(form).await.status, 201);
    spent(world)
}

async fn called(world: &mut World, method: Method, target: &str, body: Option<&Value>) -> (Value, Spent) {
    begin(world);
    let Called { status, body } = world.call(method, target, body).await;
    assert_eq!(status, 200, "{target}: {body}");
    (body, spent(world))
}

fn begin(world: &World) {
    world.proxy.reset(None);
}

#[expect(clippy::cast_precision_loss, reason = "calls are few")]
fn spent(world: &World) -> Spent {
    let calls = world.proxy.calls();
    let mut operations = BTreeMap::new();
    for call in &calls {
        *operations.entry(call.operation.clone()).or_default() += 1;
    }
    let is_read = |call: &&Call| ["GetItem", "BatchGetItem", "Query"].contains(&call.operation.as_str());
    let units: f64 = calls.iter().map(|call| call.units).sum();
    let read_units: f64 = calls.iter().filter(is_read).map(|call| call.units).sum();
    Spent { calls: calls.len() as f64, units, write_units: units - read_units, operations }
}
