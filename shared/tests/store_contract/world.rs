//! A store with the demo organizations, and the use cases in few words.

use std::sync::Arc;

use referrals::{
    domain::{
        access::Caller,
        contact::Contact,
        id::ReferralId,
        idempotency::IdempotentRequest,
        organization::Slug,
        person::Person,
        person_change::{PersonChange, PersonEdit},
        rate_limit::Limits,
        referral::Referral,
        version::Expected,
    },
    events::{Detail, ReferralReceivedV1},
    ports::{Clock as _, PersonReader as _, ReferralReader as _, StoreError},
    store::{Directory, Ledger, ProfileCache, Provision, RateLimitTable},
    system::{RandomIds, SystemClock},
    usecase::{
        capture_referral::{Arrival, Capture, Captured, Submission},
        change_person::{PersonOutcome, PersonRequest, change_person},
        enter_pipeline::{Entered, enter_pipeline},
        log_referral::{Entry, Logged, log_referral},
    },
};
use referrals_testing::{Fixtures, Item, TestClock, TestStore, submission};
use serde_json::{Value, json};

/// A person of the demo organization; an empty text is none.
pub fn person(id: &str, name: &str, email: &str, phone: &str) -> Value {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "id": id, "organizationId": Fixtures::ORGANIZATION, "name": name, "email": given(email), "phone": given(phone),
        "createdAt": "2026-02-01T00:00:00.000Z"
    })
}

#[derive(Clone)]
pub struct World {
    pub store: TestStore,
    pub ledger: Ledger,
    pub clock: Arc<TestClock>,
    pub limiter: RateLimitTable,
    pub slug_limits: Limits,
    pub profiles: Arc<ProfileCache<Directory, SystemClock>>,
}

impl World {
    pub async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        let ledger = store.ledger();
        let profiles = Self::new_profiles(&store);
        let limiter = store.limiter();
        Self { store, ledger, clock: Arc::default(), limiter, slug_limits: Fixtures::LIMITS, profiles }
    }

    /// What an instance remembers that has just started.
    pub fn new_profiles(store: &TestStore) -> Arc<ProfileCache<Directory, SystemClock>> {
        Arc::new(ProfileCache::new(store.directory(), SystemClock))
    }

    pub async fn capture(&self, referrer: Contact, referred: Contact) -> ReferralId {
        match self.submit(&submission(referrer, referred)).await.unwrap() {
            Captured::Recorded(_, id) => id,
            other => panic!("not recorded but {other:?}"),
        }
    }

    pub async fn submit(&self, submission: &Submission) -> Result<Captured, StoreError> {
        self.submit_to(Fixtures::SLUG, submission).await
    }

    pub async fn submit_to(&self, slug: &str, submission: &Submission) -> Result<Captured, StoreError> {
        let slug = Slug::parse(slug).ok();
        self.submit_named(slug.as_ref(), submission, None).await
    }

    pub async fn submit_named(
        &self,
        slug: Option<&Slug>,
        submission: &Submission,
        named: Option<&IdempotentRequest>,
    ) -> Result<Captured, StoreError> {
        let capture = Capture {
            profiles: &*self.profiles,
            limiter: &self.limiter,
            slug_limits: self.slug_limits,
            store: &self.ledger,
            clock: &*self.clock,
            ids: &RandomIds,
        };
        capture.capture(slug, submission, Arrival { request_id: "request-1", named }).await
    }

    pub async fn log(&self, caller: &Caller, entry: &Entry) -> Logged {
        log_referral(&self.ledger, &*self.clock, &RandomIds, caller, entry, "request-2", None).await.unwrap()
    }

    pub async fn change_person(
        &self,
        caller: &Caller,
        id: &str,
        change: &PersonChange,
        expected: &Expected,
    ) -> PersonOutcome {
        let request = PersonRequest { change, expected, request_id: "request-3" };
        change_person(&self.ledger, &*self.clock, caller, self.person(id).await, &request).await.unwrap()
    }

    /// An owner's patch of whatever version is there.
    pub async fn edit_person(&self, id: &str, edit: PersonEdit) -> PersonOutcome {
        self.change_person(&Fixtures::owner(), id, &PersonChange::Edit(edit), &Expected::Any).await
    }

    pub async fn enter(&self, event: &Detail<ReferralReceivedV1>) -> Entered {
        enter_pipeline(&self.ledger, &*self.clock, &RandomIds, event).await.unwrap()
    }

    /// Handles every `REFERRAL_RECEIVED` of the outbox once.
    pub async fn enter_all(&self) {
        for event in self.received_events().await {
            self.enter(&event).await;
        }
    }

    pub async fn received_events(&self) -> Vec<Detail<ReferralReceivedV1>> {
        let mut items = self.store.outbox_items().await;
        items.sort_by(|one, other| one.text("occurredAt").cmp(other.text("occurredAt")));
        items
            .iter()
            .filter(|item| item.text("detailType") == "REFERRAL_RECEIVED")
            .map(|item| Detail::parse(item.text("detail")).unwrap())
            .collect()
    }

    pub async fn event_of(&self, referral: &ReferralId) -> Detail<ReferralReceivedV1> {
        let events = self.received_events().await;
        events.into_iter().find(|event| event.data.referral_id == *referral).expect("an event for the referral")
    }

    pub async fn referral(&self, id: &ReferralId) -> Referral {
        self.ledger.find_referral(&Fixtures::scope(), id).await.unwrap().expect("the referral")
    }

    pub async fn lead_of(&self, id: &ReferralId) -> Person {
        let lead = self.referral(id).await.referred_person_id.expect("a linked lead");
        self.person(lead.as_str()).await
    }

    pub async fn referrer_of(&self, id: &ReferralId) -> Person {
        self.person(self.referral(id).await.referrer_person_id.as_str()).await
    }

    pub async fn person(&self, id: &str) -> Person {
        let id = referrals::domain::id::PersonId::parse(id).unwrap();
        self.ledger.find_person(&Fixtures::scope(), &id).await.unwrap().expect("the person")
    }

    /// Puts people in place, as an operator does; see [`person`].
    pub async fn add_people(&self, people: &[Value]) {
        let records: Provision = serde_json::from_value(json!({ "people": people })).unwrap();
        self.store.directory().provision(&records, self.clock.now()).await.unwrap();
    }

    /// Ledger rows of one kind (`REFERRAL`, `PERSON`, `CONTACT`, `PAIR`, `AUDIT`, `INBOX`, `LEAD_OF`), without those
    /// that the fixtures brought.
    pub async fn rows(&self, kind: &str) -> Vec<Item> {
        let items = self.store.items().await;
        items
            .into_iter()
            .filter(|item| item.kind() == kind)
            .filter(|item| item.text("id") != "person_111" && item.text("personId") != "person_111")
            .collect()
    }
}
