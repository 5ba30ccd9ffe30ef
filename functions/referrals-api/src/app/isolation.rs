//! Organizations, and the agents of one, are kept apart: every operation of the OpenAPI document, with every kind of id
//! that is not the caller's to name. What is answered does not depend on whether the id exists, nothing of the other
//! organization shows in any answer, and nothing of it changes.

use std::collections::{BTreeMap, BTreeSet};

use referrals::{
    events::{Detail, EventData as _, ReferralReceivedV1},
    ports::Clock as _,
    store::Provision,
    system::RandomIds,
    usecase::enter_pipeline::{Entered, enter_pipeline},
};
use referrals_testing::Fixtures;
use serde_json::{Value, json};

use super::{
    tests::{Answered, BEN, Call, IMPORTS, JANE, OTHER, OWNER, REFERRALS, Who, World, call},
    *,
};
use document::{Kind, Operation};

mod cursors;
mod document;
mod ids;
mod names;

/// The demo owner, as an admin: the role is the token's.
const ADMIN: Who = (Fixtures::ORGANIZATION, Fixtures::OWNER, "ADMIN");
const CALLERS: [Who; 3] = [OWNER, ADMIN, JANE];

/// What somebody of the other organization typed. None of it may show on this side.
const TYPED: [&str; 9] = [
    "Quill",
    "quill@canary.example",
    "+14155550142",
    "Sparrow",
    "sparrow@canary.example",
    "+14155550143",
    "a secret wish",
    "a secret reason",
    "Vera Canary",
];

/// Two organizations with rows in every state, and what must not cross between them.
struct Border {
    world: World,
    /// Ids and words of the other organization.
    canaries: BTreeSet<String>,
    foreign: Rows,
    own: Rows,
    /// Another agent's referral, in the callers' organization.
    bens: String,
    /// How many answers were compared, by operation.
    cells: BTreeMap<String, usize>,
}

/// Some rows of one organization.
#[derive(Debug, Default)]
struct Rows {
    referrals: Vec<String>,
    people: Vec<String>,
    imports: Vec<String>,
}

impl Rows {
    fn of(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Referral => &self.referrals,
            Kind::Person => &self.people,
            Kind::Import => &self.imports,
        }
    }
}

impl Border {
    async fn new() -> Self {
        let world = World::new().await;
        let vera: Provision = serde_json::from_value(json!({"members": [{
            "organizationId": Fixtures::OTHER_ORGANIZATION, "userId": "user_902", "role": "MEMBER", "status": "ACTIVE",
            "name": "Vera Canary", "email": "vera@canary.example", "notify": {"newReferral": true, "rewardReady": true}
        }]}))
        .unwrap();
        world.store.directory().provision(&vera, SystemClock.now()).await.unwrap();
        let mut border = Self {
            world,
            canaries: TYPED.map(str::to_owned).into(),
            foreign: Rows::default(),
            own: Rows::default(),
            bens: String::new(),
            cells: BTreeMap::new(),
        };
        border.fill_the_other_side().await;
        let own = [(OWNER, Fixtures::OWNER), (JANE, Fixtures::AGENT), (JANE, Fixtures::AGENT), (BEN, "user_790")];
        for (who, agent) in own {
            let body = json!({"referrerPersonId": "person_111", "agentUserId": agent, "referredName": "Sam Lee"});
            let logged = border.world.call(call(who, "POST", REFERRALS).json(body)).await;
            border.own.referrals.push(text(&logged, "id"));
        }
        border.bens = border.own.referrals.pop().unwrap();
        let body = json!({"referrer": {"name": "Robin Roe"}, "referredName": "Lou Ray"});
        let logged = border.world.call(call(JANE, "POST", REFERRALS).json(body)).await;
        border.own.people = vec!["person_111".to_owned(), text(&logged, "referrerPersonId")];
        border.own.referrals.push(text(&logged, "id"));
        border.own.imports = vec![border.imported(OWNER, "Robin").await];
        border
    }

    /// A file that names an advocate, uploaded by `who`.
    async fn imported(&self, who: Who, advocate: &str) -> String {
        let columns = "sourceSystem,externalId,referrerName,referrerEmail,referredName,agentUserId,receivedAt";
        let row = format!("crm,1,{advocate},{advocate}@canary.example,Kim,{},2024-05-01T15:00:00Z", who.1);
        let mut upload = call(who, "POST", IMPORTS).header("content-type", "text/csv");
        upload.body = Some(format!("{columns}\n{row}\n"));
        text(&self.world.call(upload).await, "id")
    }

    /// Referrals in four states with their people, leads, deal, guards and history; all ids become canaries.
    async fn fill_the_other_side(&mut self) {
        for friend in ["Sparrow", "Sparrow Lost", "Sparrow Won", "Sparrow Linked"] {
            let body = json!({
                "referrer": {"name": "Quill", "email": "quill@canary.example", "phone": "+14155550142"},
                "referredName": friend, "referredEmail": "sparrow@canary.example", "referredPhone": "+14155550143",
                "notes": "a secret wish"
            });
            let logged = self.world.call(call(OTHER, "POST", REFERRALS).json(body)).await;
            assert_eq!(logged.status, 201, "{}", logged.body);
            self.foreign.referrals.push(text(&logged, "id"));
            self.foreign.people = vec![text(&logged, "referrerPersonId")];
        }
        for (place, step, body) in [
            (1, "lose", json!({"lostReason": "a secret reason"})),
            (2, "convert", json!({"resultingDealId": "deal_canary"})),
        ] {
            let path = format!("{REFERRALS}/{}/{step}", self.foreign.referrals[place]);
            assert_eq!(self.world.call(call(OTHER, "POST", path).json(body)).await.status, 200);
        }
        for item in self.world.store.outbox_items().await {
            if item.text("detailType") == ReferralReceivedV1::DETAIL_TYPE {
                let event: Detail<ReferralReceivedV1> = Detail::parse(item.text("detail")).unwrap();
                let ledger = self.world.store.ledger();
                let entered = enter_pipeline(&ledger, &SystemClock, &RandomIds, &event).await.unwrap();
                assert_eq!(entered, Entered::Done);
            }
        }
        self.foreign.imports = vec![self.imported(OTHER, "Quill").await];
        let read = call(OTHER, "GET", format!("{REFERRALS}/{}", self.foreign.referrals[3]));
        self.foreign.people.push(text(&self.world.call(read).await, "referredPersonId"));
        let dump = self.other_side().await.join("\n");
        let words = dump.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let prefixes = ["ref_", "person_", "imp_", "evt_", "user_", "deal_", "org_"];
        let ids = words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)));
        self.canaries.extend(ids.map(str::to_owned));
        assert!(self.canaries.len() > 20, "{:?}", self.canaries);
    }

    /// Every item of both tables, as text.
    async fn dump(&self) -> Vec<String> {
        self.world.dump().await
    }

    /// Every item that is the other organization's, or says anything of it.
    async fn other_side(&self) -> Vec<String> {
        let mut lines = self.dump().await;
        lines.retain(|line| {
            line.contains(Fixtures::OTHER_ORGANIZATION) || self.canaries.iter().any(|word| line.contains(word.as_str()))
        });
        lines
    }

    /// Sends one request from this side, counts it, and looks for anything of the other side in the answer.
    async fn cell(&mut self, operation: &str, call: Call) -> Answered {
        assert_ne!(call.who.0, Fixtures::OTHER_ORGANIZATION);
        let sent = format!("{operation}: {} {} {:?} {:?}", call.method, call.path, call.headers, call.body);
        let answered = self.world.call(call).await;
        let bytes = answered.bytes();
        for canary in &self.canaries {
            assert!(!bytes.contains(canary.as_str()), "{sent} shows {canary}: {bytes}");
        }
        assert!(answered.status < 500, "{sent}: {bytes}");
        *self.cells.entry(operation.to_owned()).or_default() += 1;
        answered
    }

    /// How many answers were compared: a test that stops comparing some has to say so.
    fn counts(&self) -> String {
        let total: usize = self.cells.values().sum();
        let lines = self.cells.iter().map(|(operation, cells)| format!("{cells:>5} {operation}"));
        let counts: Vec<String> = lines.chain([format!("{total:>5} in all")]).collect();
        println!("{}", counts.join("\n"));
        counts.join("\n")
    }
}

/// A referral of `who`'s own with a reward that is pending.
async fn rewarded(border: &Border, who: Who) -> String {
    let body = json!({"referrer": {"name": "Robin"}, "referredName": "Kim"});
    let id = text(&border.world.call(call(who, "POST", REFERRALS).json(body)).await, "id");
    let path = format!("{REFERRALS}/{id}");
    let own = json!({"rewardType": "gift_card", "rewardValue": 5000, "resultingDealId": format!("deal_of_{id}")});
    assert_eq!(border.world.call(call(who, "PATCH", path.clone()).json(own)).await.status, 200);
    assert_eq!(border.world.call(call(who, "POST", format!("{path}/convert"))).await.status, 200);
    id
}

fn text(answered: &Answered, field: &str) -> String {
    answered.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", answered.bytes())).to_owned()
}

/// Fails with the items that are other now, and only those.
#[track_caller]
fn assert_unchanged(before: &[String], after: &[String]) {
    let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(gone.is_empty() && new.is_empty() && before.len() == after.len(), "gone: {gone:#?}\nnew: {new:#?}");
}

/// Were the words not what the other side shows to its own, finding none of them elsewhere would say nothing.
#[tokio::test]
async fn what_is_looked_for_is_what_the_other_side_sees() {
    let border = Border::new().await;
    let mut seen = String::new();
    for path in [REFERRALS, "/api/people"] {
        seen.push_str(&border.world.call(call(OTHER, "GET", path)).await.bytes());
    }
    let hidden_from_lists = ["Vera Canary"];
    for canary in TYPED.iter().filter(|word| !hidden_from_lists.contains(word)) {
        assert!(seen.contains(canary), "{canary}");
    }
    for kind in [Kind::Referral, Kind::Person] {
        assert!(border.foreign.of(kind).iter().all(|id| seen.contains(id.as_str()) && border.canaries.contains(id)));
    }
    assert!(border.canaries.contains("deal_canary") && border.canaries.contains("user_901"));
}
