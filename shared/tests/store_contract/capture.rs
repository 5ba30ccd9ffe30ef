//! A public submission.

use std::collections::BTreeSet;

use referrals::{
    domain::{
        consent::{ConsentText, FormConsent},
        duplicate::GUARD_SECONDS,
        idempotency::IdempotentRequest,
        referral::{ReferralStatus, RiskFlag},
    },
    ports::{Clock as _, ReferralRecorder as _, RememberedAnswer, Repetition},
    usecase::{
        capture_referral::{Captured, Submission},
        delete_referral::Deletion,
    },
};
use referrals_testing::{Fixtures, contact, name, submission};

use crate::world::World;

#[tokio::test]
async fn a_new_referrer_writes_every_row_and_one_event_together() {
    let world = World::new().await;
    let id = world.capture(contact("pat@example.com", "+14155552671"), contact("sam@example.com", "")).await;

    let referral = world.referral(&id).await;
    assert_eq!(referral.status, ReferralStatus::Received);
    assert_eq!(referral.agent_user_id.as_str(), Fixtures::AGENT);
    assert_eq!((referral.version, referral.risk_flags.len()), (1, 0));
    let referrer = world.referrer_of(&id).await;
    assert_eq!((referrer.name.as_str(), referrer.total_referrals), ("Pat Jones", 1));
    assert!(!referrer.email_marketing_consent && !referrer.sms_marketing_consent);
    for (kind, count) in [("REFERRAL", 1), ("PERSON", 1), ("CONTACT", 2), ("PAIR", 1), ("AUDIT", 1)] {
        assert_eq!(world.rows(kind).await.len(), count, "{kind}");
    }

    let event = world.event_of(&id).await;
    assert_eq!(event.metadata.subject, id.as_str());
    assert_eq!(event.metadata.organization_id.as_str(), Fixtures::ORGANIZATION);
    // The ledger knows which event announced the row.
    assert_eq!(world.rows("AUDIT").await[0].text("eventId"), event.metadata.id.as_str());
}

#[tokio::test]
async fn no_personal_data_leaves_through_the_outbox() {
    let world = World::new().await;
    let mut form = submission(contact("quill@example.com", "+14155552671"), contact("sol@example.com", "+14155552672"));
    (form.referrer_name, form.referred_name) = (name("Quill Jones"), name("Sol Oliver"));
    let Captured::Recorded(_, id) = world.submit(&form).await.unwrap() else { panic!("not recorded") };
    world.enter(&world.event_of(&id).await).await;
    let items = world.store.outbox_items().await;
    assert_eq!(items.len(), 2);
    let stored = format!("{items:?}").to_lowercase();
    // Each word has a letter that no id is made of (I, L, O, U): a random one would spell `pat` now and then.
    for canary in ["quill", "jones", "sol", "oliver", "example.com", "5552671", "5552672"] {
        assert!(!stored.contains(canary), "{canary} in {stored}");
    }
}

#[tokio::test]
async fn a_known_referrer_is_credited_and_never_edited() {
    let world = World::new().await;
    let first = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let mut second = submission(contact("PAT@example.com", "+14155552671"), contact("lou@example.com", ""));
    second.referrer_name = name("Somebody Else");
    let Captured::Recorded(_, second) = world.submit(&second).await.unwrap() else { panic!("not recorded") };
    let referrer = world.referrer_of(&second).await;
    assert_eq!(referrer.id, world.referrer_of(&first).await.id);
    assert_eq!((referrer.name.as_str(), referrer.phone.is_none(), referrer.total_referrals), ("Pat Jones", true, 2));
    assert_eq!(referrer.version, 2);
    assert_eq!(world.rows("CONTACT").await.len(), 1);
}

#[tokio::test]
async fn a_number_of_somebody_else_makes_a_new_person_without_it_and_a_flag() {
    let world = World::new().await;
    let kim = world.capture(contact("kim@example.com", "+14155552671"), contact("sam@example.com", "")).await;
    let pat = world.capture(contact("pat@example.com", "+14155552671"), contact("lou@example.com", "")).await;
    assert_ne!(world.referrer_of(&kim).await.id, world.referrer_of(&pat).await.id);
    assert_eq!(world.referral(&pat).await.risk_flags, BTreeSet::from([RiskFlag::PossibleDuplicatePerson]));
    // Without an address the number decides: it is Kim's.
    let by_number = world.capture(contact("", "+14155552671"), contact("max@example.com", "")).await;
    assert_eq!(world.referrer_of(&kim).await.id, world.referrer_of(&by_number).await.id);
}

#[tokio::test]
async fn the_same_pair_is_one_row_for_thirty_days_from_the_first() {
    let world = World::new().await;
    let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    assert!(matches!(world.submit(&form).await, Ok(Captured::Recorded(..))));
    for _ in 0..2 {
        world.clock.advance_seconds(GUARD_SECONDS / 2 - 60);
        assert!(matches!(world.submit(&form).await, Ok(Captured::Repeated(_))));
    }
    let guard = world.rows("PAIR").await.remove(0);
    assert_eq!(guard.number("duplicateCount"), 2);
    assert!(!guard.text("lastDuplicateAt").is_empty());
    // A repetition does not prolong the guard; the expired item is still in the table.
    world.clock.advance_seconds(121);
    assert!(matches!(world.submit(&form).await, Ok(Captured::Recorded(..))));
    assert_eq!((world.rows("REFERRAL").await.len(), world.received_events().await.len()), (2, 2));
}

#[tokio::test]
async fn nobody_is_captured_for_a_profile_that_is_not_open() {
    let world = World::new().await;
    let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    for slug in ["nobody-here", "ben-ito-homes", "dana-fox-estates", "Jane-Doe-Realty", ""] {
        assert_eq!(world.submit_to(slug, &form).await, Ok(Captured::NoOpenProfile), "{slug}");
    }
    assert!(world.rows("REFERRAL").await.is_empty());
}

#[tokio::test]
async fn a_trap_stores_nothing() {
    let world = World::new().await;
    let mut form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    form.is_trapped = true;
    assert!(matches!(world.submit(&form).await, Ok(Captured::Trapped(_))));
    assert!(world.rows("REFERRAL").await.is_empty() && world.store.outbox_items().await.is_empty());
}

#[tokio::test]
async fn organizations_do_not_share_people_or_guards() {
    let world = World::new().await;
    let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    for slug in [Fixtures::SLUG, "omar-reyes-homes"] {
        assert!(matches!(world.submit_to(slug, &form).await, Ok(Captured::Recorded(..))), "{slug}");
    }
    assert_eq!(world.rows("PERSON").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_identical_submissions_at_once_are_one() {
    let world = World::new().await;
    let form = submission(contact("pat@example.com", "+14155552671"), contact("sam@example.com", ""));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (world, form) = (world.clone(), form.clone());
            tokio::spawn(async move { world.submit(&form).await })
        })
        .collect();
    let mut recorded = 0;
    for task in tasks {
        recorded += match task.await.unwrap().unwrap() {
            Captured::Recorded(..) => 1,
            Captured::Repeated(_) => 0,
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(recorded, 1);
    for (kind, count) in [("REFERRAL", 1), ("PERSON", 1), ("CONTACT", 2), ("PAIR", 1), ("AUDIT", 1)] {
        assert_eq!(world.rows(kind).await.len(), count, "{kind}");
    }
    assert_eq!(world.rows("PERSON").await[0].number("totalReferrals"), 1);
    assert_eq!(world.rows("PAIR").await[0].number("duplicateCount"), 49);
    assert_eq!(world.received_events().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_referrer_with_thirty_friends_at_once_is_one_person_with_thirty_referrals() {
    let world = World::new().await;
    let tasks: Vec<_> = (0..30)
        .map(|friend| {
            let world = world.clone();
            let form = submission(contact("pat@example.com", ""), contact(&format!("friend{friend}@example.com"), ""));
            tokio::spawn(async move { world.submit(&form).await })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Ok(Captured::Recorded(..))));
    }
    let people = world.rows("PERSON").await;
    assert_eq!((people.len(), people[0].number("totalReferrals")), (1, 30));
    assert_eq!(world.rows("REFERRAL").await.len(), 30);
}

#[tokio::test]
async fn consent_counts_only_for_the_person_that_the_form_creates() {
    let world = World::new().await;
    let ticked = |mut form: Submission| {
        form.consent = FormConsent { email: true, sms: true, text: Some(ConsentText::FormV1) };
        form
    };
    let Captured::Recorded(_, id) = world
        .submit(&ticked(submission(contact("pat@example.com", "+14155552671"), contact("sam@example.com", ""))))
        .await
        .unwrap()
    else {
        panic!("not recorded")
    };
    let pat = world.referrer_of(&id).await;
    assert!(pat.email_marketing_consent && pat.sms_marketing_consent);
    let entries = world.rows("CONSENT").await;
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_eq!(
            (entry.text("decision"), entry.text("method"), entry.text("consentTextId")),
            ("GRANTED", "FORM", "form-v1")
        );
        assert_eq!((entry.text("personId"), entry.text("evidence")), (pat.id.as_str(), "request-1"));
    }

    // Nobody agrees in the name of somebody who is known already: person_111 has agreed to nothing.
    let form = ticked(submission(contact("robin.park@example.com", ""), contact("lou@example.com", "")));
    assert!(matches!(world.submit(&form).await, Ok(Captured::Recorded(..))));
    let robin = world.person("person_111").await;
    assert!(!robin.email_marketing_consent && !robin.sms_marketing_consent);

    // A number that belongs to somebody else is nobody's to agree for; the friend agrees to nothing.
    let form =
        ticked(submission(contact("kim@example.com", "+14155552671"), contact("max@example.com", "+14155552673")));
    let Captured::Recorded(_, id) = world.submit(&form).await.unwrap() else { panic!("not recorded") };
    world.enter(&world.event_of(&id).await).await;
    let kim = world.referrer_of(&id).await;
    assert!(kim.email_marketing_consent && !kim.sms_marketing_consent);
    let friend = world.lead_of(&id).await;
    assert!(!friend.email_marketing_consent && !friend.sms_marketing_consent);
    assert_eq!(world.rows("CONSENT").await.len(), 3);
}

fn named(key: &str, body: &[u8]) -> IdempotentRequest {
    IdempotentRequest::new(&["capture", Fixtures::SLUG], key, body).unwrap()
}

#[tokio::test]
async fn a_named_request_is_answered_with_its_first_receipt() {
    let world = World::new().await;
    let slug = Fixtures::slug();
    let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    let send =
        async |key: &str, body: &[u8]| world.submit_named(Some(&slug), &form, Some(&named(key, body))).await.unwrap();
    let Captured::Recorded(first, _) = send("one", b"{}").await else { panic!("not recorded") };
    assert_eq!(send("one", b"{}").await, Captured::Replayed(first.clone()));
    assert_eq!(send("one", b"{ }").await, Captured::KeyReused);
    // Another name for the same pair is a repetition, and has its own answer from then on.
    let Captured::Repeated(second) = send("two", b"{}").await else { panic!("not a repetition") };
    assert_ne!(first, second);
    assert_eq!(send("two", b"{}").await, Captured::Replayed(second));
    assert_eq!(world.rows("PAIR").await[0].number("duplicateCount"), 1, "a replay is no repetition");
    // After a day the name is free again, whether or not TTL has removed the item.
    world.clock.advance_seconds(86_401);
    assert!(matches!(send("one", b"{ }").await, Captured::Repeated(_)));
    assert_eq!(world.rows("REFERRAL").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_requests_of_one_name_at_once_are_one_row_and_one_receipt() {
    let world = World::new().await;
    let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (world, form) = (world.clone(), form.clone());
            tokio::spawn(async move {
                world.submit_named(Some(&Fixtures::slug()), &form, Some(&named("one", b"{}"))).await.unwrap()
            })
        })
        .collect();
    let mut receipts = BTreeSet::new();
    for task in tasks {
        match task.await.unwrap() {
            Captured::Recorded(receipt, _) | Captured::Replayed(receipt) => receipts.insert(receipt),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!((receipts.len(), world.rows("REFERRAL").await.len()), (1, 1));
}

#[tokio::test]
async fn a_repetition_of_what_was_deleted_is_a_first() {
    let world = World::new().await;
    let first = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let referral = world.referral(&first).await;
    let pair = referral.guarded_pair.clone().expect("the guard that it set up");
    assert_eq!(world.delete(&first).await, Deletion::Done);
    // Whoever was refused by the guard a moment ago learns that it is gone, with and without a name.
    let at = world.clock.now();
    let request = IdempotentRequest::new(&["capture"], "key", b"body").unwrap();
    let expires_at = at.plus_seconds(60);
    let named = RememberedAnswer { request, answer: "rcpt_1".to_owned(), about: None, expires_at };
    for remembered in [None, Some(&named)] {
        let counted = world.ledger.count_repetition(&Fixtures::scope(), &pair, remembered, at).await;
        assert_eq!(counted, Ok(Repetition::Unguarded));
    }
    let second = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    assert_ne!(first, second);
    assert_eq!(world.referrer_of(&second).await.total_referrals, 1);
}
