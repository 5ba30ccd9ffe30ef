//! One sequence: what was sent, what came back, and whether the reference says the same.

use std::collections::BTreeMap;

use referrals::{
    domain::{organization::Slug, referral::Channel, time::Timestamp},
    events::{Detail, ReferralReceivedV1},
    ports::Clock,
    system::RandomIds,
    usecase::{
        capture_referral::{Arrival, Capture, Captured},
        enter_pipeline::{Entered, enter_pipeline},
    },
};
use referrals_testing::{Fixtures, contact, name, submission};
use serde_json::{Value, json};

use super::{
    ensure,
    operations::{self, Operation, Step},
    reference::{Actor, Model, Refusal},
    rules::typed,
    setup::unique,
    shape,
};
use crate::app::{
    SystemClock,
    tests::{Answered, REFERRALS, World, call},
};

/// What the service says is wrong with it.
pub type Verdict = Result<(), String>;

/// What the reference expects.
pub enum Expected {
    Row(i64, usize),
    Deleted,
    Person(usize),
    History(usize),
    /// Of an organization.
    Policy(usize),
    Bytes(String),
}

pub struct Run<'a> {
    pub world: &'a World,
    pub model: Model,
    /// The versions that were seen, and when each was made.
    pub seen: BTreeMap<String, (u64, String)>,
    /// How often each operation came to what.
    pub outcomes: BTreeMap<String, usize>,
}

/// A clock that is some days ahead.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_seconds(self.0 * 86_400)
    }
}

impl Run<'_> {
    /// Does one step, on both sides.
    pub async fn step(&mut self, step: &Step) -> Verdict {
        match &step.operation {
            Operation::List(filters, limit) => self.list(step.actor, filters, *limit).await,
            Operation::People(limit) => self.people(step.actor, *limit).await,
            Operation::Capture(capture) => self.capture(step.actor.org, capture).await,
            Operation::Enter(place, times) => self.enter(*place, *times).await,
            _ => {
                let (_, path) = step.method_and_path();
                let target = self.model.rows.iter().find(|row| path.contains(&row.id));
                let request = step.call(&self.model.orgs, target.map_or(1, |row| row.version));
                let answered = self.world.call(request).await;
                let (status, code) = answered.code();
                self.count(format!("{} {status} {code}", step.operation.name()));
                let expected = self.expect(step, &path, &answered);
                self.compare(expected, &answered)
            }
        }
    }

    pub fn count(&mut self, outcome: String) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// What should have come back. What of it cannot be foretold, new ids and times, is taken from the answer.
    fn expect(&mut self, step: &Step, path: &str, answered: &Answered) -> Result<Expected, Refusal> {
        let actor = step.actor;
        if !actor.is_active {
            return Err(Refusal::new(403, "account_suspended"));
        }
        let not_found = || Refusal::new(404, "not_found");
        let region = self.model.orgs[actor.org].region;
        match &step.operation {
            Operation::Get(id) => {
                self.model.visible(actor, id).map(|place| Expected::Row(200, place)).ok_or_else(not_found)
            }
            Operation::Person(id) => self.model.person(actor.org, id).map(Expected::Person).ok_or_else(not_found),
            Operation::History(id) => {
                let row =
                    self.model.rows.iter().position(|row| {
                        row.id == *id && Model::sees(actor, row) && (!row.is_deleted || actor.manages())
                    });
                row.map(Expected::History).ok_or_else(not_found)
            }
            Operation::Log(body) => {
                shape::wire(step)?;
                let entry = shape::entry(body, region)?;
                self.once(step, path, answered, |model| model.log(actor, &entry, &answered.body).map(|row| (201, row)))
            }
            Operation::Step(name, id, body) => {
                shape::wire(step)?;
                let change = shape::step(name, body.as_ref())?;
                self.once(step, path, answered, |model| {
                    let row = model.visible(actor, id).ok_or_else(not_found)?;
                    admit(step)?;
                    model.change(actor, row, &change).map(|()| (200, row))
                })
            }
            Operation::Reward(action, id, body) => {
                shape::wire(step)?;
                let acknowledges = shape::reward(action, body)?;
                self.once(step, path, answered, |model| {
                    let row = model.visible(actor, id).ok_or_else(not_found)?;
                    admit(step)?;
                    model.act(actor, row, action, acknowledges).map(|()| (200, row))
                })
            }
            Operation::Policy(body) => {
                shape::wire(step)?;
                self.model.set_policy(actor, body).map(|()| Expected::Policy(actor.org))
            }
            Operation::Patch(id, body) => {
                shape::wire(step)?;
                let change = shape::patch(body, region)?;
                let row = self.model.visible(actor, id).ok_or_else(not_found)?;
                admit(step)?;
                self.model.change(actor, row, &change).map(|()| Expected::Row(200, row))
            }
            Operation::Delete(id) => {
                let row = self.model.visible(actor, id).ok_or_else(not_found)?;
                if !actor.manages() {
                    return Err(Refusal::new(403, "forbidden"));
                }
                admit(step)?;
                self.model.delete(actor, row).map(|()| Expected::Deleted)
            }
            _ => unreachable!("compared elsewhere"),
        }
    }

    /// A request with a name is done once, and answered the same from then on. What was refused is not remembered.
    fn once(
        &mut self,
        step: &Step,
        path: &str,
        answered: &Answered,
        work: impl FnOnce(&mut Model) -> Result<(i64, usize), Refusal>,
    ) -> Result<Expected, Refusal> {
        let Some(name) = step.name else {
            return work(&mut self.model).map(|(status, row)| Expected::Row(status, row));
        };
        if name.trim().is_empty() {
            return Err(Refusal::new(400, "invalid_idempotency_key"));
        }
        let key = (step.actor.org, step.actor.user, path.to_owned(), name.to_owned());
        if let Some((body, bytes)) = self.model.answers.get(&key) {
            if *body != step.body() {
                return Err(Refusal::new(422, "idempotency_key_reused"));
            }
            let bytes = bytes.clone();
            self.count("replays".to_owned());
            return Ok(Expected::Bytes(bytes));
        }
        let (status, row) = work(&mut self.model)?;
        self.model.answers.insert(key, (step.body(), answered.bytes()));
        Ok(Expected::Row(status, row))
    }

    async fn pages(&self, actor: Actor, path: &str, field: &str, limit: usize) -> Result<Vec<Value>, String> {
        let caller = (self.model.orgs[actor.org].id, actor.user, actor.role);
        let mut items = Vec::new();
        let mut cursor = String::new();
        for _ in 0..200 {
            let answered = self.world.call(call(caller, "GET", format!("{path}limit={limit}{cursor}"))).await;
            ensure!(answered.status == 200, "{path}: {}", answered.bytes());
            let page = answered.body[field].as_array().cloned().unwrap_or_default();
            ensure!(page.len() <= limit, "{path}: {} items", page.len());
            items.extend(page);
            match answered.body["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
        Err(format!("{path}{limit} has no end"))
    }

    pub async fn list(&mut self, actor: Actor, filters: &[(&'static str, String)], limit: usize) -> Verdict {
        if !actor.is_active {
            return Ok(());
        }
        let query: Vec<String> = filters.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        let items = self.pages(actor, &format!("{REFERRALS}?{}", query.concat()), "referrals", limit).await?;
        let expected = self.model.list(actor, filters);
        let ids: Vec<&str> = expected.iter().map(|place| self.model.rows[*place].id.as_str()).collect();
        let found: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
        ensure!(ids == found, "{} {filters:?}: expected {ids:?}, got {found:?}", actor.user);
        for (place, item) in expected.into_iter().zip(&items) {
            self.compare_row(place, item)?;
        }
        Ok(())
    }

    pub async fn people(&mut self, actor: Actor, limit: usize) -> Verdict {
        if !actor.is_active {
            return Ok(());
        }
        let items = self.pages(actor, "/api/people?", "people", limit).await?;
        let places: Vec<usize> =
            (0..self.model.people.len()).filter(|place| self.model.people[*place].org == actor.org).collect();
        ensure!(places.len() == items.len(), "expected {} people, got {items:#?}", places.len());
        let order = |item: &Value| std::cmp::Reverse((item["createdAt"].to_string(), item["id"].to_string()));
        ensure!(items.is_sorted_by_key(order), "newest first: {items:#?}");
        for item in &items {
            let place = self.model.person(actor.org, item["id"].as_str().unwrap_or_default());
            self.compare_person(place.ok_or_else(|| format!("nobody knows {item}"))?, item)?;
        }
        Ok(())
    }

    /// How the owner sees a row: what nobody was told when it was written.
    async fn shown(&self, org: usize, id: &str) -> Value {
        let owner = (self.model.orgs[org].id, "user_owner", "OWNER");
        self.world.call(call(owner, "GET", format!("{REFERRALS}/{id}"))).await.body
    }

    async fn capture(&mut self, org: usize, capture: &operations::Capture) -> Verdict {
        let (own, friend) = (typed(capture.email, capture.phone), typed(capture.friend_email, capture.friend_phone));
        if own.is_same(&friend) {
            return Ok(()); // The form refuses it.
        }
        let mut form =
            submission(contact(capture.email, capture.phone), contact(capture.friend_email, capture.friend_phone));
        (form.referrer_name, form.referred_name) = (name(capture.name), name(capture.friend));
        if capture.is_widget {
            form.channel = Channel::Widget;
        }
        let store = &self.world.store;
        let door = Capture {
            profiles: &store.directory(),
            limiter: &store.limiter(),
            slug_limits: Fixtures::LIMITS,
            store: &store.ledger(),
            clock: &Ahead(capture.day),
            ids: &RandomIds,
        };
        let slug = Slug::parse(&self.model.orgs[org].slug).unwrap();
        let arrival = Arrival { request_id: &unique(), named: None };
        let captured = door.capture(Some(&slug), &form, arrival).await.map_err(|error| error.to_string())?;
        self.count(format!(
            "capture {}",
            if matches!(captured, Captured::Recorded(..)) { "recorded" } else { "repeated" }
        ));
        match (self.model.is_new_pair(org, capture), captured) {
            (true, Captured::Recorded(_, id)) => {
                let body = self.shown(org, id.as_str()).await;
                let place = self.model.capture(org, capture, &body);
                self.compare_row(place, &body)
            }
            (false, Captured::Repeated(_)) => Ok(()),
            (is_new, captured) => Err(format!("captured as {captured:?}, but a new pair: {is_new}")),
        }
    }

    async fn enter(&mut self, place: usize, times: usize) -> Verdict {
        let id = self.model.rows[place].id.clone();
        let received = self
            .outbox()
            .await
            .into_iter()
            .find(|(_, kind, detail)| kind == "REFERRAL_RECEIVED" && detail["metadata"]["subject"] == json!(id));
        let (_, _, detail) = received.ok_or_else(|| format!("no event says that {id} came in"))?;
        let event: Detail<ReferralReceivedV1> = Detail::parse(&detail.to_string()).unwrap();
        for _ in 0..times {
            let entered = enter_pipeline(&self.world.store.ledger(), &SystemClock, &RandomIds, &event).await;
            let entered = entered.map_err(|error| error.to_string())?;
            self.count(format!("enter {entered:?}"));
            let row = &self.model.rows[place];
            match (row.is_deleted, row.has_entered, entered) {
                (true, _, Entered::Ignored(_)) | (false, true, Entered::AlreadyDone) => {}
                (false, false, Entered::Done) => {
                    let body = self.shown(row.org, &id).await;
                    self.model.enter(place, &body);
                    self.compare_row(place, &body)?;
                }
                (is_deleted, has_entered, entered) => {
                    return Err(format!("{id} {entered:?}, deleted {is_deleted}, entered before {has_entered}"));
                }
            }
        }
        Ok(())
    }
}

/// A tag that does not admit the row is told before any rule.
fn admit(step: &Step) -> Result<(), Refusal> {
    if step.admits() { Ok(()) } else { Err(Refusal::new(412, "precondition_failed")) }
}
