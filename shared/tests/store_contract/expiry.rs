//! Captures that nobody took up are closed when their time is over, and the people go of whom nothing else is known.

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::{
    domain::{
        audit::AuditAction,
        change::{Patch, ReferralChange},
        id::{DealId, ReferralId},
        lifecycle::Step,
        person_change::PersonEdit,
        referral::{Channel, ReferralStatus},
        text::{Notes, PersonName, Reason},
        version::Expected,
    },
    ports::{Clock as _, Ids as _, PolicyBook, ReferralReader, StoreError},
    store::{Provision, keys},
    system::RandomIds,
    usecase::{
        change_referral::{ChangeOutcome, ChangeRequest, change_referral},
        erase_person::{ErasureRequest, erase_person},
        expire_captures::{Expired, expire_captures},
        gather_person::gather_person,
        log_referral::Logged,
    },
};
use referrals_testing::{Fixtures, contact, submission};
use serde_json::json;

use crate::{attribution::assert_report_is_right, logging::entry, world::World};

const DAY: i64 = 86_400;
/// How long captures are kept here: as long as a deal may come of them, unless the policy says otherwise.
pub const KEPT: i64 = 730 * DAY;
/// Of which nothing is to be left.
const WORDS: [&str; 5] = ["quinella", "thaddeus", "zephyrine", "4155550142", "4155550143"];

pub struct Expiry {
    pub world: World,
}

impl Expiry {
    pub async fn new() -> Self {
        Self { world: World::new().await }
    }

    pub async fn capture(&self, referrer: &str, referred: &str) -> ReferralId {
        let id = self.world.capture(contact(referrer, ""), contact(referred, "")).await;
        self.world.enter_all().await;
        id
    }

    pub async fn run(&self) -> Expired {
        self.run_while(|| true).await.unwrap()
    }

    async fn run_while(&self, has_time: impl Fn() -> bool) -> Result<Expired, StoreError> {
        let now = self.world.clock.now();
        let id = RandomIds.ulid(now).to_string();
        let cutoff = now.plus_seconds(-KEPT);
        expire_captures(&self.world.ledger, &*self.world.clock, &RandomIds, cutoff, &id, has_time).await
    }

    pub async fn step(&self, id: &ReferralId, step: Step) -> ChangeOutcome {
        let lost_reason = Reason::parse("moved away").unwrap().filter(|_| step == Step::Lose);
        self.change(id, &ReferralChange { step: Some(step), lost_reason, ..ReferralChange::default() }).await
    }

    pub async fn change(&self, id: &ReferralId, change: &ReferralChange) -> ChangeOutcome {
        let request = ChangeRequest { change, expected: &Expected::Any, request_id: "request-5", named: None };
        let (owner, found) = (Fixtures::owner(), self.world.referral(id).await);
        let (ledger, clock) = (&self.world.ledger, &*self.world.clock);
        change_referral(ledger, clock, &RandomIds, &owner, found, &request).await.unwrap()
    }

    async fn left_in_ledger(&self) -> Vec<&'static str> {
        let text = format!("{:?}", self.world.store.items().await).to_lowercase();
        WORDS.into_iter().filter(|word| text.contains(word)).collect()
    }

    pub async fn status(&self, id: &ReferralId) -> (ReferralStatus, bool) {
        let referral = self.world.referral(id).await;
        (referral.status, referral.referred_erased)
    }
}

pub fn counts(captures: usize, people: usize) -> Expired {
    Expired { captures, people, ..Expired::default() }
}

const OPEN: (ReferralStatus, bool) = (ReferralStatus::Received, false);
const EXPIRED: (ReferralStatus, bool) = (ReferralStatus::Lost, true);

#[tokio::test]
async fn what_nobody_took_up_is_closed_when_its_time_is_over_and_nothing_personal_is_left() {
    let expiry = Expiry::new().await;
    let mut form = submission(
        contact("quinella@canary.example", "+14155550142"),
        contact("thaddeus@canary.example", "+14155550143"),
    );
    form.referrer_name = PersonName::parse("Quinella Marchbanks").unwrap();
    form.referred_name = PersonName::parse("Thaddeus Plimsoll").unwrap();
    form.notes = Notes::parse("Zephyrine says hello.").unwrap();
    form.channel = Channel::Widget;
    expiry.world.submit(&form).await.unwrap();
    expiry.world.enter_all().await;
    let row = expiry.world.rows("REFERRAL").await.remove(0);
    let id = ReferralId::parse(row.text("id")).unwrap();
    expiry.world.clock.advance_seconds(KEPT - 1);
    assert_eq!((expiry.run().await, expiry.status(&id).await), (counts(0, 0), OPEN));

    expiry.world.clock.advance_seconds(1);
    assert_eq!(expiry.left_in_ledger().await, WORDS);
    assert_eq!(expiry.run().await, counts(1, 2));
    assert_eq!(expiry.status(&id).await, EXPIRED);
    assert_eq!(expiry.left_in_ledger().await, Vec::<&str>::new());
    let entries = expiry.world.ledger.find_history(&Fixtures::scope(), &id).await.unwrap().entries;
    let by_clock: Vec<_> = entries.iter().filter(|entry| entry.actor == "system:capture-expiry").collect();
    let moved = by_clock.iter().find(|entry| entry.action == AuditAction::StatusChanged).unwrap();
    assert_eq!((moved.from.as_deref(), moved.to.as_deref()), (Some("RECEIVED"), Some("LOST")));
    assert!(by_clock.iter().any(|entry| entry.action == AuditAction::Erased));
    let told = expiry.world.store.outbox_items().await;
    let told = |kind: &str| told.iter().filter(|item| item.text("detailType") == kind).count();
    assert_eq!((told("REFERRAL_STATUS_CHANGED"), told("PERSON_ERASED")), (1, 2));

    assert_report_is_right(&expiry.world, &mut fastrand::Rng::with_seed(1)).await;
    let version = expiry.world.referral(&id).await.version;
    assert_eq!(expiry.run().await, counts(0, 0));
    assert_eq!(expiry.world.referral(&id).await.version, version, "once");
}

#[tokio::test]
async fn what_somebody_took_up_or_wrote_stays() {
    let expiry = Expiry::new().await;
    let contacted = expiry.capture("pat@example.com", "sam@example.com").await;
    assert!(matches!(expiry.step(&contacted, Step::Contact).await, ChangeOutcome::Done(_)));
    let lost = expiry.capture("quinn@example.com", "sue@example.com").await;
    assert!(matches!(expiry.step(&lost, Step::Lose).await, ChangeOutcome::Done(_)));
    let Logged::Recorded(logged) = expiry.world.log(&Fixtures::owner(), &entry("una@example.com")).await else {
        panic!("not recorded")
    };
    expiry.world.clock.advance_seconds(2 * KEPT);
    assert_eq!(expiry.run().await, counts(0, 0));
    assert_eq!(expiry.status(&contacted).await, (ReferralStatus::Contacted, false));
    assert_eq!(expiry.status(&lost).await, (ReferralStatus::Lost, false));
    assert_eq!(expiry.status(&logged.id).await, OPEN);
    assert!(!expiry.world.lead_of(&contacted).await.is_erased());
}

#[tokio::test]
async fn who_is_known_from_elsewhere_stays() {
    let expiry = Expiry::new().await;
    // Was in the agent's book before, and so was the lead of the next one.
    expiry
        .world
        .add_people(&[
            crate::world::person("person_old", "Old Friend", "old@example.com", ""),
            crate::world::person("person_older", "Older Friend", "older@example.com", ""),
        ])
        .await;
    let by_known = expiry.capture("old@example.com", "older@example.com").await;
    // Sends another one, who is taken up.
    let spare = expiry.capture("pat@example.com", "sam@example.com").await;
    let good = expiry.capture("pat@example.com", "sue@example.com").await;
    assert!(matches!(expiry.step(&good, Step::Qualify).await, ChangeOutcome::Done(_)));
    // Came through one that is not taken up, and sends one that is.
    let chain = expiry.capture("una@example.com", "vic@example.com").await;
    let later = expiry.capture("vic@example.com", "wes@example.com").await;
    assert!(matches!(expiry.step(&later, Step::Contact).await, ChangeOutcome::Done(_)));
    // Is named by a deal.
    let dealt = expiry.capture("xena@example.com", "yves@example.com").await;
    let lead = expiry.world.lead_of(&dealt).await;
    let link = keys::person_deal(&Fixtures::scope(), &lead.id, &DealId::parse("deal_1").unwrap());
    let mut row: std::collections::HashMap<_, _> = link.all().map(|(name, value)| (name.to_owned(), value)).collect();
    row.insert("dealId".to_owned(), AttributeValue::S("deal_1".to_owned()));
    let store = &expiry.world.store;
    store.client.put_item().table_name(&store.table).set_item(Some(row)).send().await.unwrap();
    // Was corrected by the agent lately.
    let edited = expiry.capture("zoe@example.com", "abe@example.com").await;

    expiry.world.clock.advance_seconds(KEPT);
    let abe = expiry.world.lead_of(&edited).await;
    let edit = PersonEdit { name: Some(PersonName::parse("Abe Lincoln").unwrap()), ..PersonEdit::default() };
    expiry.world.edit_person(abe.id.as_str(), edit).await;
    // Sam, Una and Xena go.
    assert_eq!(expiry.run().await, counts(4, 3));
    for id in [&by_known, &spare, &chain, &dealt] {
        assert_eq!(expiry.status(id).await, EXPIRED);
    }
    assert_eq!(expiry.status(&edited).await, OPEN, "or nobody would come back for Abe and Zoe");
    for stays in [&by_known, &good, &later] {
        assert!(!expiry.world.referrer_of(stays).await.is_erased());
    }
    for stays in [&by_known, &good, &chain, &later, &dealt, &edited] {
        assert!(!expiry.world.lead_of(stays).await.is_erased());
    }
    for goes in [&chain, &dealt] {
        assert!(expiry.world.referrer_of(goes).await.is_erased());
    }
    assert!(expiry.world.lead_of(&spare).await.is_erased());
    assert_eq!(expiry.world.referral(&good).await.referred_name.as_str(), "Sam Lee");

    expiry.world.clock.advance_seconds(KEPT);
    assert_eq!(expiry.run().await, counts(1, 2));
    assert!(expiry.world.lead_of(&edited).await.is_erased() && expiry.world.referrer_of(&edited).await.is_erased());
}

#[tokio::test]
async fn a_capture_that_a_deal_may_still_come_of_stays() {
    let expiry = Expiry::new().await;
    let (ledger, scope) = (&expiry.world.ledger, Fixtures::scope());
    let mut policy = ledger.find_policy(&scope).await.unwrap();
    (policy.attribution_window_days, policy.version) = (1_000, 1);
    assert_eq!(ledger.save_policy(&scope, &policy).await, Ok(true));
    let id = expiry.capture("pat@example.com", "sam@example.com").await;
    expiry.world.clock.advance_seconds(1_000 * DAY - 60);
    assert_eq!((expiry.run().await, expiry.status(&id).await), (counts(0, 0), OPEN));
    expiry.world.clock.advance_seconds(120);
    assert_eq!((expiry.run().await, expiry.status(&id).await), (counts(1, 2), EXPIRED));
}

#[tokio::test]
async fn a_capture_that_a_member_has_worked_on_stays() {
    let expiry = Expiry::new().await;
    let noted = expiry.capture("pat@example.com", "sam@example.com").await;
    let dealt = expiry.capture("quinn@example.com", "sue@example.com").await;
    expiry.world.clock.advance_seconds(KEPT);
    let deal = Patch::Set(DealId::parse("deal_7").unwrap());
    let changes = [
        (
            &noted,
            ReferralChange { notes: Patch::Set(Notes::parse("Call again.").unwrap().unwrap()), ..Default::default() },
        ),
        (&dealt, ReferralChange { resulting_deal_id: deal, ..Default::default() }),
    ];
    for (id, change) in &changes {
        assert!(matches!(expiry.change(id, change).await, ChangeOutcome::Done(_)));
    }
    assert_eq!(expiry.run().await, counts(0, 0));
    assert_eq!((expiry.status(&noted).await, expiry.status(&dealt).await), (OPEN, OPEN));
}

/// Whoever comes again within the time is known until the last of it is over.
#[tokio::test]
async fn somebody_in_two_captures_goes_with_the_second() {
    let expiry = Expiry::new().await;
    let first = expiry.capture("pat@example.com", "sam@example.com").await;
    expiry.world.clock.advance_seconds(40 * DAY);
    let second = expiry.capture("pat@example.com", "sam@example.com").await;
    assert_ne!(first, second);
    expiry.world.clock.advance_seconds(KEPT - 40 * DAY);
    assert_eq!(expiry.run().await, counts(1, 0));
    assert_eq!((expiry.status(&first).await, expiry.status(&second).await), (EXPIRED, OPEN));
    expiry.world.clock.advance_seconds(40 * DAY);
    assert_eq!(expiry.run().await, counts(1, 2));
    assert_eq!(expiry.status(&second).await, EXPIRED);
    assert!(expiry.world.lead_of(&first).await.is_erased());
}

#[tokio::test]
async fn a_run_that_has_no_time_leaves_the_rest_to_the_next_and_no_organization_is_left_out() {
    let expiry = Expiry::new().await;
    // A hundred organizations are a page of the list.
    let more: Vec<_> = (0..120)
        .map(|number| json!({"id": format!("org_{number:03}"), "name": "Doe Realty", "status": "ACTIVE", "timezone": "UTC", "defaultRegion": "US"}))
        .collect();
    let records: Provision = serde_json::from_value(json!({ "organizations": more })).unwrap();
    expiry.world.store.directory().provision(&records, expiry.world.clock.now()).await.unwrap();
    for number in 0..30 {
        expiry.capture(&format!("pat{number}@example.com"), &format!("sam{number}@example.com")).await;
    }
    expiry.world.clock.advance_seconds(KEPT + 1);
    let ran_out = |counts: Expired| Expired { ran_out: true, ..counts };
    assert_eq!(expiry.run_while(|| false).await.unwrap(), ran_out(counts(0, 0)));
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let has_time = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
    assert_eq!(expiry.run_while(has_time).await.unwrap(), ran_out(counts(3, 6)));
    assert_eq!(expiry.run().await, counts(27, 54));
    let open = expiry.world.rows("REFERRAL").await.iter().filter(|row| row.text("status") == "RECEIVED").count();
    assert_eq!(open, 0);
}

/// As `units.rs` for everything else.
#[tokio::test]
async fn it_costs_what_the_data_model_says() {
    if std::env::var_os("CONTRACT_ENDPOINT").is_some() {
        return; // Engines count differently; the figures are dynoxide's, which follow AWS's rules.
    }
    let expiry = Expiry::new().await;
    let (world, owner) = (&expiry.world, Fixtures::owner());
    let mut table = Vec::new();
    let mut row = |operation: &str| {
        let (count, units) = (world.store.calls.take().len(), world.store.calls.take_units());
        table.push(format!("{operation}: {count} calls, {units}"));
    };
    let id = expiry.capture("pat@example.com", "sam@example.com").await;
    expiry.capture("quinn@example.com", "sue@example.com").await;
    let person = world.referrer_of(&id).await.id;
    let _ = (world.store.calls.take(), world.store.calls.take_units());
    gather_person(&world.ledger, &owner, &person, None, 25, || true).await.unwrap();
    row("what is kept of a person with one referral");
    let request = || ErasureRequest { person: &person, after: None, request_id: "request-7" };
    erase_person(&world.ledger, &*world.clock, &RandomIds, &owner, request(), || true).await.unwrap();
    row("a person with one referral erased");
    erase_person(&world.ledger, &*world.clock, &RandomIds, &owner, request(), || true).await.unwrap();
    row("erased again");
    expiry.run().await;
    row("a day on which nothing expires, three organizations");
    assert!(matches!(expiry.step(&id, Step::Contact).await, ChangeOutcome::Done(_)));
    world.clock.advance_seconds(KEPT);
    let _ = (world.store.calls.take(), world.store.calls.take_units());
    assert_eq!(expiry.run().await, counts(1, 2));
    row("a day on which one capture expires, with both people");
    insta::assert_snapshot!(table.join("\n"));
}

#[tokio::test]
async fn what_cannot_be_read_keeps_no_other_organization_waiting() {
    let expiry = Expiry::new().await;
    let id = expiry.capture("pat@example.com", "sam@example.com").await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    // One row of the list says nothing, and the policy of the organization that is first in it neither.
    let row = |pk: &str, sk: &str, place: &str| {
        let named = [("pk", pk), ("sk", sk), ("listPk", keys::ORGANIZATIONS), ("listSk", place)];
        Some(named.map(|(name, value)| (name.to_owned(), text(value))).into())
    };
    let mut policy = row("ORG#org_other_demo", "REWARD_POLICY", "");
    policy.as_mut().map(|item: &mut std::collections::HashMap<_, _>| (item.remove("listPk"), item.remove("listSk")));
    let store = &expiry.world.store;
    for item in [row("ORG#org_a", "ORGANIZATION", "org_a"), policy] {
        store.client.put_item().table_name(&store.table).set_item(item).send().await.unwrap();
    }
    expiry.world.clock.advance_seconds(KEPT);
    assert_eq!(expiry.run().await, Expired { failed: 2, ..counts(1, 2) });
    assert_eq!(expiry.status(&id).await, EXPIRED);
}
