//! Somebody does something just when a capture expires.

use referrals::{
    domain::{
        audit::Actor,
        change::{Patch, ReferralChange},
        consent::{ConsentChange, ConsentChannel, ConsentMethod},
        id::{EventId, ReferralId},
        lifecycle::Step,
        person_change::{ChangeOrigin, PersonChange},
        referral::ReferralStatus,
        text::{Notes, Reason},
        version::Expected,
    },
    events::{EventData as _, Metadata, NewEvent, PersonErasedV1},
    ports::{Clock as _, Ids as _, PersonErasure, PersonRevisionOutcome, PersonalData as _},
    system::RandomIds,
    usecase::{
        actors::CAPTURE_EXPIRY,
        change_person::PersonOutcome,
        change_referral::ChangeOutcome,
        delete_referral::Deletion,
        expire_captures::{Expired, expire_captures},
        log_referral::Logged,
    },
};
use referrals_testing::Fixtures;

use crate::{
    erasing::link,
    expiry::{Expiry, KEPT, counts},
    logging::entry,
    meanwhile::{Meanwhile, Moment},
};

const DAY: i64 = 86_400;

async fn run(expiry: &Expiry, meanwhile: &Meanwhile<'_>) -> Expired {
    let (clock, request) = (&*expiry.world.clock, "request-8");
    let cutoff = clock.now().plus_seconds(-KEPT);
    let done = Box::pin(expire_captures(meanwhile, clock, &RandomIds, cutoff, request, || true)).await.unwrap();
    assert!(meanwhile.has_come());
    done
}

async fn step(expiry: &Expiry, id: &ReferralId, step: Step) {
    assert!(matches!(expiry.step(id, step).await, ChangeOutcome::Done(_)));
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
        let meanwhile = Meanwhile::new(&expiry.world, Moment::Before, step(&expiry, taken_up, Step::Contact));
        assert_eq!(run(&expiry, &meanwhile).await.failed, 0);
        assert_eq!(expiry.status(taken_up).await, (ReferralStatus::Contacted, false));
        assert!(!expiry.world.lead_of(taken_up).await.is_erased());
        assert!(!expiry.world.referrer_of(taken_up).await.is_erased());
    }
}

/// Two captures of Pat and Sam, of which the first is over.
async fn one_that_is_over() -> (Expiry, ReferralId, ReferralId) {
    let expiry = Expiry::new().await;
    let first = expiry.capture("pat@example.com", "sam@example.com").await;
    expiry.world.clock.advance_seconds(40 * DAY);
    let second = expiry.capture("pat@example.com", "sam@example.com").await;
    expiry.world.clock.advance_seconds(KEPT - 40 * DAY);
    assert_eq!(expiry.run().await, counts(1, 0));
    expiry.world.clock.advance_seconds(40 * DAY);
    (expiry, first, second)
}

#[tokio::test]
async fn whoever_is_in_a_capture_that_was_opened_again_stays() {
    let (expiry, first, second) = one_that_is_over().await;
    step(&expiry, &first, Step::Reopen).await;
    assert_eq!(expiry.run().await, counts(1, 0));
    assert_eq!(expiry.status(&second).await, (ReferralStatus::Lost, true));
    assert!(!expiry.world.lead_of(&first).await.is_erased());
    assert!(!expiry.world.referrer_of(&first).await.is_erased());
}

#[tokio::test]
async fn nobody_goes_while_a_capture_of_theirs_is_opened_again() {
    let (expiry, first, _) = one_that_is_over().await;
    let meanwhile = Meanwhile::new(&expiry.world, Moment::Before, step(&expiry, &first, Step::Reopen));
    assert_eq!(run(&expiry, &meanwhile).await, counts(1, 0));
    assert!(!expiry.world.lead_of(&first).await.is_erased());
    assert!(!expiry.world.referrer_of(&first).await.is_erased());
}

/// It goes through to the end with whoever is erased already.
#[tokio::test]
async fn a_capture_that_is_taken_up_a_moment_too_late_shows_nobody() {
    let expiry = Expiry::new().await;
    let id = expiry.capture("pat@example.com", "sam@example.com").await;
    expiry.world.clock.advance_seconds(KEPT + 1);
    let meanwhile = Meanwhile::new(&expiry.world, Moment::After, step(&expiry, &id, Step::Contact));
    assert_eq!(run(&expiry, &meanwhile).await, counts(0, 1));
    assert!(expiry.world.lead_of(&id).await.is_erased());
    assert_eq!(expiry.status(&id).await, (ReferralStatus::Contacted, true));
    assert!(!expiry.world.referrer_of(&id).await.is_erased());
}

#[tokio::test]
async fn who_stays_in_the_last_moment_keeps_the_evidence_of_their_consent() {
    let expiry = Expiry::new().await;
    let id = expiry.capture("pat@example.com", "sam@example.com").await;
    let evidence = Reason::parse("told me at the closing").unwrap();
    let consent = ConsentChange { channel: ConsentChannel::Email, granted: true, text: None, evidence };
    let lead = expiry.world.lead_of(&id).await.id;
    let change = PersonChange::Consent(consent);
    let done = expiry.world.change_person(&Fixtures::owner(), lead.as_str(), &change, &Expected::Any).await;
    assert!(matches!(done, PersonOutcome::Done(_)), "{done:?}");
    expiry.world.clock.advance_seconds(KEPT + 1);
    let meanwhile = Meanwhile::new(&expiry.world, Moment::Before, step(&expiry, &id, Step::Contact));
    assert_eq!(run(&expiry, &meanwhile).await, counts(0, 0));
    let kept = expiry.world.rows("CONSENT").await;
    assert!(kept.iter().any(|row| row.text("evidence") == "told me at the closing"), "{kept:?}");
}

/// A referral that was linked to them by mistake is somebody's, and nobody asked for it to be emptied.
#[tokio::test]
async fn who_was_linked_to_a_referral_that_somebody_works_on_stays() {
    let expiry = Expiry::new().await;
    let first = expiry.capture("pat@example.com", "sam@example.com").await;
    let sam = expiry.world.lead_of(&first).await.id;
    let Logged::Recorded(logged) = expiry.world.log(&Fixtures::owner(), &entry("una@example.com")).await else {
        panic!("not recorded")
    };
    let note = Patch::Set(Notes::parse("Call at noon.").unwrap().unwrap());
    let note = ReferralChange { notes: note, ..ReferralChange::default() };
    assert!(matches!(expiry.change(&logged.id, &note).await, ChangeOutcome::Done(_)));
    link(&expiry.world, &logged.id, Patch::Set(sam)).await;
    link(&expiry.world, &logged.id, Patch::Clear).await;
    // The link has flagged it, so that it would stay.
    assert!(matches!(expiry.world.delete(&first).await, Deletion::Done));
    let second = expiry.capture("quinn@example.com", "sam@example.com").await;
    expiry.world.clock.advance_seconds(KEPT + 1);
    assert_eq!(expiry.run().await, counts(1, 1), "Quinn goes");
    assert!(expiry.world.referrer_of(&second).await.is_erased());
    assert!(!expiry.world.lead_of(&second).await.is_erased());
    assert!(expiry.world.referral(&logged.id).await.notes.is_some());
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
