//! Somebody does something just when a capture expires.

use std::sync::atomic::{AtomicBool, Ordering};

use referrals::{
    domain::{
        audit::Actor,
        consent::ConsentMethod,
        filter::ReferralFilter,
        id::{EventId, PersonId, ReferralId},
        lifecycle::Step,
        person_change::ChangeOrigin,
        referral::{Referral, ReferralStatus},
        reward::RewardPolicy,
        scope::OrgScope,
    },
    events::{EventData as _, Metadata, NewEvent, PersonErasedV1},
    ports::{
        Clock as _, History, Ids as _, OrganizationList, Organizations, Page, PersonData, PersonErasure,
        PersonRevisionOutcome, PersonalData, PolicyBook, Position, ReferralData, ReferralErasure, ReferralReader,
        StoreError, Tie,
    },
    system::RandomIds,
    usecase::{actors::CAPTURE_EXPIRY, change_referral::ChangeOutcome, expire_captures::expire_captures},
};
use referrals_testing::Fixtures;

use crate::expiry::{Expiry, KEPT};

/// A ledger in which an agent takes up a capture just before somebody in it is erased.
struct Meanwhile<'a> {
    expiry: &'a Expiry,
    taken_up: &'a ReferralId,
    has_come: AtomicBool,
}

impl OrganizationList for Meanwhile<'_> {
    async fn list_organizations(&self, after: Option<&str>) -> Result<Organizations, StoreError> {
        self.expiry.world.ledger.list_organizations(after).await
    }
}

impl PolicyBook for Meanwhile<'_> {
    async fn find_policy(&self, scope: &OrgScope) -> Result<RewardPolicy, StoreError> {
        self.expiry.world.ledger.find_policy(scope).await
    }

    async fn save_policy(&self, scope: &OrgScope, policy: &RewardPolicy) -> Result<bool, StoreError> {
        self.expiry.world.ledger.save_policy(scope, policy).await
    }
}

impl ReferralReader for Meanwhile<'_> {
    async fn find_referral(&self, scope: &OrgScope, id: &ReferralId) -> Result<Option<Referral>, StoreError> {
        self.expiry.world.ledger.find_referral(scope, id).await
    }

    async fn list_referrals(
        &self,
        scope: &OrgScope,
        filter: &ReferralFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Page<Referral>, StoreError> {
        self.expiry.world.ledger.list_referrals(scope, filter, after, limit).await
    }

    async fn find_history(&self, scope: &OrgScope, id: &ReferralId) -> Result<History, StoreError> {
        self.expiry.world.ledger.find_history(scope, id).await
    }
}

impl PersonalData for Meanwhile<'_> {
    async fn find_person_data(&self, scope: &OrgScope, id: &PersonId) -> Result<Option<PersonData>, StoreError> {
        self.expiry.world.ledger.find_person_data(scope, id).await
    }

    async fn find_referral_data(&self, scope: &OrgScope, id: &ReferralId) -> Result<ReferralData, StoreError> {
        self.expiry.world.ledger.find_referral_data(scope, id).await
    }

    async fn remember_ties(&self, scope: &OrgScope, person: &PersonId, ties: &[Tie]) -> Result<(), StoreError> {
        self.expiry.world.ledger.remember_ties(scope, person, ties).await
    }

    async fn erase_person(
        &self,
        scope: &OrgScope,
        erasure: &PersonErasure,
    ) -> Result<PersonRevisionOutcome, StoreError> {
        if !self.has_come.swap(true, Ordering::Relaxed) {
            assert!(matches!(self.expiry.step(self.taken_up, Step::Contact).await, ChangeOutcome::Done(_)));
        }
        self.expiry.world.ledger.erase_person(scope, erasure).await
    }

    async fn erase_referral(&self, scope: &OrgScope, erasure: &ReferralErasure) -> Result<bool, StoreError> {
        self.expiry.world.ledger.erase_referral(scope, erasure).await
    }
}

/// The one that is just closed, or another one of the same lead.
#[tokio::test]
async fn nobody_loses_a_lead_whom_they_take_up_in_that_moment() {
    for taken_up in 0..2 {
        let expiry = Expiry::new().await;
        let first = expiry.capture("pat@example.com", "sam@example.com").await;
        let second = expiry.capture("quinn@example.com", "sam@example.com").await;
        expiry.world.clock.advance_seconds(KEPT + 1);
        let taken_up = [&first, &second][taken_up];
        let meanwhile = Meanwhile { expiry: &expiry, taken_up, has_come: AtomicBool::new(false) };
        let (clock, request) = (&*expiry.world.clock, "request-8");
        let cutoff = clock.now().plus_seconds(-KEPT);
        let run = expire_captures(&meanwhile, clock, &RandomIds, cutoff, request, || true);
        let done = Box::pin(run).await.unwrap();
        assert!(meanwhile.has_come.load(Ordering::Relaxed));
        assert_eq!(done.failed, 0);
        assert_eq!(expiry.status(taken_up).await, (ReferralStatus::Contacted, false));
        assert!(!expiry.world.lead_of(taken_up).await.is_erased());
        assert!(!expiry.world.referrer_of(taken_up).await.is_erased());
    }
}

/// What the expiry of a capture asks for, so that nobody loses a lead whom they take up in that moment.
#[tokio::test]
async fn a_person_is_erased_only_while_the_capture_is_as_it_was_read() {
    let expiry = Expiry::new().await;
    let (world, scope) = (&expiry.world, Fixtures::scope());
    let id = expiry.capture("pat@example.com", "sam@example.com").await;
    let read = world.referral(&id).await.version;
    assert!(matches!(expiry.step(&id, Step::Contact).await, ChangeOutcome::Done(_)));
    let lead = world.lead_of(&id).await;
    let erasure = |version| {
        let at = world.clock.now();
        let (method, actor) = (ConsentMethod::Erasure, &Actor::System(CAPTURE_EXPIRY));
        let metadata = Metadata {
            id: EventId::from_ulid(RandomIds.ulid(at)),
            version: PersonErasedV1::VERSION,
            occurred_at: at,
            organization_id: lead.organization_id.clone(),
            subject: lead.id.as_str().to_owned(),
            aggregate_version: lead.version + 1,
            causation_id: None,
            traceparent: None,
        };
        PersonErasure {
            erased: lead.erased(&[], ChangeOrigin { method, actor, at, request_id: "request-6" }).unwrap(),
            evidence: vec![],
            event: NewEvent::new(metadata, PersonErasedV1 { person_id: lead.id.clone() }).unwrap(),
            unchanged: vec![(id.clone(), version)],
        }
    };
    let outcome = world.ledger.erase_person(&scope, &erasure(read)).await;
    assert_eq!((outcome, world.lead_of(&id).await), (Ok(PersonRevisionOutcome::Stale), lead.clone()));
    let outcome = world.ledger.erase_person(&scope, &erasure(read + 1)).await;
    assert_eq!(outcome, Ok(PersonRevisionOutcome::Written));
    assert!(world.lead_of(&id).await.is_erased());
}
