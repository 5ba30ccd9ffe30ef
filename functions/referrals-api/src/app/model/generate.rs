//! What somebody does next: from a seeded generator, often in each other's way.

use serde_json::{Map, Value, json};

use super::{
    operations::{Capture, Operation, Step, Tag, Wire},
    reference::{Actor, Model},
    words::{ADDRESSES, EVERYWHERE, FRIENDS, NAMES, NUMBERS},
};

pub struct Generator {
    pub random: fastrand::Rng,
    /// Requests that had a name, to be sent again.
    named: Vec<Step>,
    /// What was logged and sent in, to be told again by somebody else, or in another spelling.
    logged: Vec<(Actor, Value)>,
    captured: Vec<Capture>,
}

const STEPS: [&str; 5] = ["contact", "qualify", "reopen", "lose", "convert"];
const DAYS: [i64; 3] = [0, 29, 31];
const STATUSES: [&str; 5] = ["RECEIVED", "CONTACTED", "QUALIFIED", "CONVERTED", "LOST"];

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), named: Vec::new(), logged: Vec::new(), captured: Vec::new() }
    }

    /// True so many times of a hundred.
    pub fn happens(&mut self, percent: u32) -> bool {
        self.random.u32(0..100) < percent
    }

    pub fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.random.usize(0..of.len())]
    }

    /// The place of a weight.
    pub fn weighed(&mut self, weights: &[u32]) -> usize {
        let mut left = self.random.u32(0..weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        unreachable!()
    }

    fn actor(&mut self, model: &Model) -> Actor {
        let org = self.weighed(&[72, 16, 12]);
        let members = &model.orgs[org].members;
        let (user, role, is_active) = members[self.weighed(&[25, 15, 35, 23, 2])];
        Actor { org, user, role, is_active }
    }

    pub fn step(&mut self, model: &Model) -> Step {
        if self.happens(6) && !self.named.is_empty() {
            return self.again(model);
        }
        let mut actor = self.actor(model);
        let rows = model.rows.iter().filter(|row| !row.is_deleted).count();
        let weights = [
            if rows < 4 { 50 } else { 12 },
            9,
            14,
            30,
            24,
            4,
            2,
            2,
            4,
            2,
            2,
            22,
            if model.policies.is_empty() { 30 } else { 3 },
        ];
        let what = self.weighed(&weights);
        let is_of_a_row = matches!(what, 3..=7 | 11);
        // Mostly somebody's own, so that the rules have a say, and not only the doors.
        let own = if is_of_a_row && self.happens(80) { self.own_row(model, what == 11) } else { None };
        let row = match own {
            Some((somebody, row)) => {
                actor = somebody;
                row
            }
            None => self.row(model, actor),
        };
        let operation = match what {
            0 => {
                let body;
                (actor, body) = self.log_or_again(model, actor);
                Operation::Log(body)
            }
            1 => Operation::Capture(self.capture_or_again()),
            2 => self.enter(model),
            3 => {
                let step = STEPS[self.weighed(&[18, 18, 16, 18, 30])];
                Operation::Step(step, row, self.step_body(step))
            }
            4 => Operation::Patch(row, self.patch(model, actor)),
            5 => Operation::Delete(row),
            6 => Operation::Get(row),
            7 => Operation::History(row),
            8 => Operation::List(self.filters(model, actor), *self.one(&[&1, &2, &3, &7, &100])),
            9 => Operation::People(*self.one(&[&1, &2, &5, &100])),
            10 => Operation::Person(self.person(model, actor)),
            11 => self.reward(row),
            _ => Operation::Policy(self.policy()),
        };
        let is_post = matches!(operation, Operation::Log(_) | Operation::Step(..) | Operation::Reward(..));
        let is_change = matches!(
            operation,
            Operation::Step(..) | Operation::Patch(..) | Operation::Delete(_) | Operation::Reward(..)
        );
        let is_patch = matches!(operation, Operation::Patch(..));
        let tags = [Tag::None, Tag::Any, Tag::Current, Tag::CurrentAmongOthers, Tag::Stale, Tag::Weak, Tag::Garbage];
        let tag = if is_change { tags[self.weighed(&[58, 8, 16, 4, 8, 3, 3])] } else { Tag::None };
        let wires = [Wire::Json, Wire::MergePatch, Wire::Text, Wire::Broken, Wire::Array];
        let wire = wires[self.weighed(&[94, if is_patch { 40 } else { 1 }, 1, 1, 1])];
        let name = (is_post && self.happens(30)).then(|| ["k 1", "k-2", " "][self.weighed(&[48, 48, 4])]);
        let step = Step { actor, operation, tag, name, wire };
        if name.is_some() {
            self.named.push(step.clone());
        }
        step
    }

    /// A request that had a name: sent again as it was, or by somebody else, or with another body under that name.
    fn again(&mut self, model: &Model) -> Step {
        let mut step = self.named[self.random.usize(0..self.named.len())].clone();
        match self.weighed(&[60, 20, 20]) {
            0 => {}
            1 => step.actor = self.actor(model),
            _ => match &mut step.operation {
                Operation::Log(body) => *body = self.log(model, step.actor),
                Operation::Step(name, _, body) => *body = self.step_body(name),
                _ => {}
            },
        }
        step
    }

    /// A row, and somebody who may change it.
    fn own_row(&mut self, model: &Model, with_reward: bool) -> Option<(Actor, String)> {
        let mut rows: Vec<_> = model.rows.iter().filter(|row| !row.is_deleted).collect();
        if with_reward && rows.iter().any(|row| row.reward.status != "NONE") && self.happens(85) {
            rows.retain(|row| row.reward.status != "NONE");
        }
        let row = rows.get(self.random.usize(0..rows.len().max(1)))?;
        let members = model.orgs[row.org].members.iter();
        let may: Vec<_> =
            members.filter(|(user, role, is_active)| *is_active && (*role != "MEMBER" || *user == row.agent)).collect();
        let (user, role, is_active) = *may[self.random.usize(0..may.len())];
        Some((Actor { org: row.org, user, role, is_active }, row.id.clone()))
    }

    /// Mostly an event that has not been applied.
    fn enter(&mut self, model: &Model) -> Operation {
        let is_new = self.happens(80);
        let places: Vec<usize> =
            (0..model.rows.len()).filter(|place| model.rows[*place].has_entered != is_new).collect();
        if places.is_empty() {
            return Operation::People(100);
        }
        Operation::Enter(places[self.random.usize(0..places.len())], self.random.usize(1..3))
    }

    /// Something new, or what somebody of the organization has logged before: then mostly by the same one.
    fn log_or_again(&mut self, model: &Model, actor: Actor) -> (Actor, Value) {
        let earlier: Vec<_> = self.logged.iter().filter(|(by, _)| by.org == actor.org).cloned().collect();
        if !earlier.is_empty() && self.happens(40) {
            let (by, body) = earlier[self.random.usize(0..earlier.len())].clone();
            return (if self.happens(70) { by } else { actor }, body);
        }
        let body = self.log(model, actor);
        self.logged.push((actor, body.clone()));
        (actor, body)
    }

    fn capture_or_again(&mut self) -> Capture {
        if self.captured.is_empty() || self.happens(55) {
            let capture = self.capture();
            self.captured.push(capture.clone());
            return capture;
        }
        let mut capture = self.captured[self.random.usize(0..self.captured.len())].clone();
        let respelt = |typed: &'static str| {
            let key = ADDRESSES.iter().find(|address| address.typed == typed).map(|address| address.key);
            ADDRESSES.iter().rfind(|address| Some(address.key) == key).map_or(typed, |address| address.typed)
        };
        (capture.email, capture.friend_email) = (respelt(capture.email), respelt(capture.friend_email));
        capture.day = DAYS[self.weighed(&[50, 20, 30])];
        capture
    }

    fn row(&mut self, model: &Model, actor: Actor) -> String {
        let ids = |is_wanted: &dyn Fn(&super::reference::Row) -> bool| -> Vec<&str> {
            model.rows.iter().filter(|row| is_wanted(row)).map(|row| row.id.as_str()).collect()
        };
        let candidates = match self.weighed(&[70, 15, 4, 5, 2, 2, 2]) {
            0 => ids(&|row| !row.is_deleted && Model::sees(actor, row)),
            1 => ids(&|row| !row.is_deleted && row.org == actor.org),
            2 => ids(&|row| row.is_deleted && row.org == actor.org),
            3 => ids(&|row| row.org != actor.org),
            4 => vec!["nonsense"],
            5 => vec!["person_robin"],
            _ => vec![],
        };
        if candidates.is_empty() {
            "ref_00000000000000000000000000".to_owned()
        } else {
            self.one(&candidates).to_owned()
        }
    }

    fn person(&mut self, model: &Model, actor: Actor) -> String {
        let people = model.people.iter();
        let ids = |is_own: bool| -> Vec<&str> {
            people.filter(|person| (person.org == actor.org) == is_own).map(|person| person.id.as_str()).collect()
        };
        let candidates = match self.weighed(&[92, 4, 2, 2]) {
            0 => ids(true),
            1 => ids(false),
            2 => vec!["x y"],
            _ => vec!["person_00000000000000000000000000"],
        };
        self.one(&candidates).to_owned()
    }

    fn agent(&mut self) -> &'static str {
        ["user_jane", "user_ben", "user_owner", "user_gone", "user_nobody", "no id"]
            [self.weighed(&[66, 22, 6, 3, 2, 1])]
    }

    fn log(&mut self, model: &Model, actor: Actor) -> Value {
        let mut body = Map::new();
        let how = self.weighed(&[45, 51, 2, 2]);
        if matches!(how, 0 | 2) {
            body.insert("referrerPersonId".to_owned(), json!(self.person(model, actor)));
        }
        if matches!(how, 1 | 2) {
            let mut referrer = Map::new();
            if !self.happens(2) {
                referrer.insert("name".to_owned(), json!(self.name()));
            }
            self.contact(&mut referrer, "email", "phone");
            if self.happens(2) {
                referrer.insert("fax".to_owned(), json!("1"));
            }
            body.insert("referrer".to_owned(), Value::Object(referrer));
        }
        if !self.happens(3) {
            body.insert("referredName".to_owned(), json!(self.name()));
        }
        self.contact(&mut body, "referredEmail", "referredPhone");
        let others = if actor.manages() { 70 } else { 6 };
        if self.happens(others) {
            body.insert("agentUserId".to_owned(), json!(self.agent()));
        } else if self.happens(50) {
            body.insert("agentUserId".to_owned(), json!(actor.user));
        }
        if self.happens(20) {
            body.insert("channel".to_owned(), json!(["MANUAL", "WIDGET"][self.weighed(&[9, 1])]));
        }
        if self.happens(30) {
            body.insert("notes".to_owned(), json!(self.text()));
        }
        if self.happens(2) {
            body.insert("status".to_owned(), json!("LOST"));
        }
        Value::Object(body)
    }

    fn contact(&mut self, body: &mut Map<String, Value>, email: &str, phone: &str) {
        let is_friend = email == "referredEmail";
        if self.happens(if is_friend { 70 } else { 50 }) {
            let address = if is_friend { self.friends_address() } else { self.address() };
            body.insert(email.to_owned(), json!(address));
        }
        if self.happens(35) {
            body.insert(phone.to_owned(), json!(self.number()));
        }
        if self.happens(5) {
            let name = if self.happens(50) { email } else { phone };
            body.insert(name.to_owned(), [json!(null), json!("  "), json!(7)][self.weighed(&[4, 4, 1])].clone());
        }
    }

    fn capture(&mut self) -> Capture {
        let mut address = |percent: u32, of: std::ops::Range<usize>| {
            if self.happens(percent) { ADDRESSES[self.random.usize(of)].typed } else { "" }
        };
        let (email, friend_email) = (address(60, 0..ADDRESSES.len()), address(50, FRIENDS));
        let mut number = |percent: u32| {
            if self.happens(percent) { NUMBERS[self.random.usize(EVERYWHERE)].0 } else { "" }
        };
        let phone = number(if email.is_empty() { 100 } else { 40 });
        let friend_phone = number(30);
        Capture {
            name: NAMES[self.random.usize(0..NAMES.len())].0,
            email,
            phone,
            friend: NAMES[self.random.usize(0..NAMES.len())].0,
            friend_email,
            friend_phone,
            is_widget: self.happens(30),
            day: DAYS[self.weighed(&[80, 8, 12])],
        }
    }

    fn step_body(&mut self, step: &str) -> Option<Value> {
        if self.happens(2) {
            return Some(json!({"colour": "red"}));
        }
        match step {
            "lose" if self.happens(90) => Some(json!({"lostReason": self.reason()})),
            "lose" => Some(json!({})),
            "convert" if self.happens(75) => Some(json!({"resultingDealId": self.deal()})),
            _ => self.happens(50).then(|| json!({})),
        }
    }

    fn patch(&mut self, model: &Model, actor: Actor) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        if self.happens(35) {
            let status = if self.happens(3) { "WON" } else { self.one(&STATUSES) };
            put("status", json!(status));
            if status == "LOST" && self.happens(85) {
                put("lostReason", json!(self.reason()));
            }
        } else if self.happens(12) {
            put("lostReason", json!(self.reason()));
        }
        if self.happens(40) {
            put("resultingDealId", self.deal());
        }
        if self.happens(15) {
            put("notes", if self.happens(20) { Value::Null } else { json!(self.text()) });
        }
        if self.happens(10) {
            put("referredName", json!(self.name()));
        }
        if self.happens(15) {
            let mut contact = Map::new();
            self.contact(&mut contact, "email", "phone");
            put("referredContact", if self.happens(10) { Value::Null } else { Value::Object(contact) });
        }
        if self.happens(15) {
            put("referredPersonId", if self.happens(15) { Value::Null } else { json!(self.person(model, actor)) });
        }
        if self.happens(20) {
            let kinds = ["gift_card", "commission_share", "custom", "none", "car"];
            put("rewardType", json!(kinds[self.weighed(&[30, 30, 25, 10, 4])]));
            if self.happens(60) {
                put("rewardValue", self.reward_value());
            }
        } else if self.happens(6) {
            put("rewardValue", self.reward_value());
        }
        if self.happens(2) {
            put("rewardStatus", json!("SENT"));
        }
        if self.happens(2) {
            put("colour", json!(1));
        }
        Value::Object(body)
    }

    fn filters(&mut self, model: &Model, actor: Actor) -> Vec<(&'static str, String)> {
        let mut filters = Vec::new();
        let mut put = |name: &'static str, value: &str| filters.push((name, value.to_owned()));
        if self.happens(35) {
            put("status", self.one(&STATUSES));
        }
        if self.happens(25) {
            put("channel", self.one(&["MANUAL", "PUBLIC_PROFILE", "WIDGET", "IMPORT"]));
        }
        if self.happens(30) {
            put("agentUserId", self.one(&["user_jane", "user_ben", "user_owner", "user_nobody"]));
        }
        if self.happens(10) {
            put("rewardStatus", self.one(&["NONE", "PENDING", "HELD", "SENT"]));
        }
        if self.happens(25) {
            let person = self.person(model, actor);
            put("referrerPersonId", person.replace(' ', "_").as_str());
        }
        for name in ["from", "to"] {
            if self.happens(15) && !model.rows.is_empty() {
                put(name, &model.rows[self.random.usize(0..model.rows.len())].created);
            }
        }
        filters
    }
}
