//! Several who change the same people at once.

use std::collections::BTreeSet;

use referrals::{
    domain::{contact::ContactKey, person_change::PersonChange, version::Expected},
    usecase::{capture_referral::Captured, change_person::PersonOutcome},
};
use referrals_testing::{Fixtures, contact, submission};

use crate::{
    person_changes::{ROBIN, done, holder, renamed, to_email},
    world::{World, person},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_patches_at_once_all_land() {
    let world = World::new().await;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let world = world.clone();
            tokio::spawn(async move { world.edit_person(ROBIN, renamed(&format!("Robin {number}"))).await })
        })
        .collect();
    let mut versions = BTreeSet::new();
    for task in tasks {
        versions.insert(done(task.await.unwrap()).version);
    }
    assert_eq!(versions, (2..=21).collect());
    assert_eq!(world.person(ROBIN).await.version, 21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_with_the_same_tag_one_is_late() {
    let world = World::new().await;
    for round in 1..6 {
        let tasks = ["a", "b"].map(|letter| {
            let (world, change) = (world.clone(), PersonChange::Edit(renamed(&format!("Robin {round}{letter}"))));
            tokio::spawn(async move {
                world.change_person(&Fixtures::owner(), ROBIN, &change, &Expected::OneOf(vec![round])).await
            })
        });
        let mut late = 0;
        for task in tasks {
            match task.await.unwrap() {
                PersonOutcome::Done(person) => assert_eq!(person.version, round + 1),
                PersonOutcome::PreconditionFailed => late += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((late, world.person(ROBIN).await.version), (1, round + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_take_one_address_at_once_one_has_it() {
    let world = World::new().await;
    world.add_people(&[person("person_1", "Kim Bo", "", ""), person("person_2", "Lou Bo", "", "")]).await;
    for round in 0..10 {
        let address = format!("shared{round}@example.com");
        let tasks = ["person_1", "person_2"].map(|id| {
            let (world, edit) = (world.clone(), to_email(&address));
            tokio::spawn(async move { (id, world.edit_person(id, edit).await) })
        });
        let mut winners = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                (id, PersonOutcome::Done(_)) => winners.push(id),
                (_, outcome) => assert_eq!(outcome, PersonOutcome::ContactTaken),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(holder(&world, &address, "").await.as_deref(), Some(winners[0]));
    }
    keys_are_of_whoever_shows_them(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_and_a_stranger_with_the_same_address_are_two_people_and_one_key() {
    let world = World::new().await;
    for round in 0..10 {
        let address = format!("new{round}@example.com");
        let (edited, form) = (to_email(&address), submission(contact(&address, ""), contact("sam@example.com", "")));
        let edit = tokio::spawn({
            let world = world.clone();
            async move { world.edit_person(ROBIN, edited).await }
        });
        let capture = tokio::spawn({
            let world = world.clone();
            async move { world.submit(&form).await.unwrap() }
        });
        let Captured::Recorded(_, id) = capture.await.unwrap() else { panic!("not recorded") };
        let referrer = world.referrer_of(&id).await.id.as_str().to_owned();
        match edit.await.unwrap() {
            // Robin was first: the form was Robin's.
            PersonOutcome::Done(_) => assert_eq!(referrer, ROBIN),
            outcome => assert_eq!(outcome, PersonOutcome::ContactTaken),
        }
        assert_eq!(holder(&world, &address, "").await, Some(referrer));
    }
    keys_are_of_whoever_shows_them(&world).await;
}

/// Every key is held by somebody who shows what it is the key of.
async fn keys_are_of_whoever_shows_them(world: &World) {
    for row in world.store.items().await.iter().filter(|item| item.kind() == "CONTACT") {
        let holder = world.person(row.text("personId")).await;
        let shown: Vec<String> = holder
            .contact_keys()
            .iter()
            .map(|key| match key {
                ContactKey::Email(key) => key.as_str().to_owned(),
                ContactKey::Phone(phone) => phone.as_str().to_owned(),
            })
            .collect();
        assert!(shown.iter().any(|shown| row.text("pk").ends_with(&format!("#{shown}"))), "{holder:?}");
    }
}
