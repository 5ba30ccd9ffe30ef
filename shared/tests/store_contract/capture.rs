//! A public submission.

use std::collections::BTreeSet;

use referrals::{
    domain::{
        duplicate::GUARD_SECONDS,
        referral::{ReferralStatus, RiskFlag},
    },
    usecase::capture_referral::Captured,
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
    let id =
        world.capture(contact("pat@example.com", "+14155552671"), contact("sam@example.com", "+14155552672")).await;
    world.enter(&world.event_of(&id).await).await;
    let items = world.store.outbox_items().await;
    assert_eq!(items.len(), 2);
    let stored = format!("{items:?}").to_lowercase();
    for canary in ["pat", "jones", "sam", "lee", "example.com", "5552671", "5552672"] {
        assert!(!stored.contains(canary), "{canary} in {stored}");
    }
}

#[tokio::test]
async fn a_warm_capture_of_a_new_referrer_is_one_call_and_of_a_known_one_two() {
    let world = World::new().await;
    world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    // Cold: the slug and its organization are read once.
    assert_eq!(world.store.calls.take(), ["GetItem", "GetItem", "TransactWriteItems"]);

    world.capture(contact("kim@example.com", ""), contact("sam@example.com", "")).await;
    assert_eq!(world.store.calls.take(), ["TransactWriteItems"], "a new referrer");

    world.capture(contact("pat@example.com", ""), contact("lou@example.com", "")).await;
    assert_eq!(world.store.calls.take(), ["TransactWriteItems"; 2], "a known referrer");

    let again = world.submit(&submission(contact("pat@example.com", ""), contact("lou@example.com", ""))).await;
    assert_eq!(again, Ok(Captured::Repeated));
    assert_eq!(world.store.calls.take(), ["TransactWriteItems", "UpdateItem"], "a repetition");
}

#[tokio::test]
async fn a_known_referrer_is_credited_and_never_edited() {
    let world = World::new().await;
    let first = world.capture(contact("pat@example.com", ""), contact("sam@example.com", "")).await;
    let mut second = submission(contact("PAT@example.com", "+14155552671"), contact("lou@example.com", ""));
    second.referrer_name = name("Somebody Else");
    let Captured::Recorded(second) = world.submit(&second).await.unwrap() else { panic!("not recorded") };
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
    assert!(matches!(world.submit(&form).await, Ok(Captured::Recorded(_))));
    for _ in 0..2 {
        world.clock.advance_seconds(GUARD_SECONDS / 2 - 60);
        assert_eq!(world.submit(&form).await, Ok(Captured::Repeated));
    }
    let guard = world.rows("PAIR").await.remove(0);
    assert_eq!(guard.number("duplicateCount"), 2);
    assert!(!guard.text("lastDuplicateAt").is_empty());
    // A repetition does not prolong the guard; the expired item is still in the table.
    world.clock.advance_seconds(121);
    assert!(matches!(world.submit(&form).await, Ok(Captured::Recorded(_))));
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
    assert_eq!(world.submit(&form).await, Ok(Captured::Trapped));
    assert!(world.rows("REFERRAL").await.is_empty() && world.store.outbox_items().await.is_empty());
}

#[tokio::test]
async fn organizations_do_not_share_people_or_guards() {
    let world = World::new().await;
    let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    for slug in [Fixtures::SLUG, "omar-reyes-homes"] {
        assert!(matches!(world.submit_to(slug, &form).await, Ok(Captured::Recorded(_))), "{slug}");
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
            Captured::Recorded(_) => 1,
            Captured::Repeated => 0,
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
        assert!(matches!(task.await.unwrap(), Ok(Captured::Recorded(_))));
    }
    let people = world.rows("PERSON").await;
    assert_eq!((people.len(), people[0].number("totalReferrals")), (1, 30));
    assert_eq!(world.rows("REFERRAL").await.len(), 30);
}
